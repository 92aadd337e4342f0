import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import { countedAmount, isCounter, reportedAmount } from './counted-amount.ts';
import type { Definitions, SeriesDefinition } from './definitions.ts';
import { EndedList } from './ended-series.ts';
import { expireSeries } from './expire-series.ts';
import { ExponentialHistogramState } from './exponential-histogram.ts';
import { GaugeState } from './gauge.ts';
import { HistogramState } from './histogram.ts';
import { InputLedger, type LedgerEntry } from './input-ledger.ts';
import type { ResourceEntry } from './interned-resources.ts';
import { allocateSlot, type KindState } from './kind-state.ts';
import { hasRoom } from './member-room.ts';
import { entryOf, kindCodeOf, kindsByCode, slotOf } from './member-series.ts';
import { type Member, Members } from './members.ts';
import { moveSeries } from './move-series.ts';
import { isAfterHorizon, resumeSeries } from './resume-series.ts';
import { SamplingClocks } from './sampling-clocks.ts';
import { ended, fromZero, present, type SeriesColumns, withoutValue } from './series-columns.ts';
import type { DefineRefusal, SeriesInput } from './series-input.ts';
import { SeriesReferences } from './series-references.ts';
import { SumState } from './sum.ts';
import { SummaryState } from './summary.ts';

/** Who is told that there is a new series. */
export type SeriesListener = (
  state: KindState,
  slot: number,
  definition: SeriesDefinition,
  resource: ResourceEntry,
) => void;

/**
 * The state of all members: input series by kind, who reports them, and since when they count. It has one writer, the thread it
 * lives on. Everything here but the columns themselves is the slow path: a series passes it once for each stream.
 */
export class MetricStore {
  readonly sums = new SumState();
  readonly gauges = new GaugeState();
  readonly histograms = new HistogramState();
  readonly exponentialHistograms = new ExponentialHistogramState();
  readonly summaries = new SummaryState();
  readonly members: Members;
  readonly clocks = new SamplingClocks();
  readonly references = new SeriesReferences();
  readonly ledger = new InputLedger();
  /** When this state began to count: microseconds by the store's clock. Changes only when a snapshot is loaded. */
  birthUs: number;
  /** Epochs that began after this are counted from zero by merging views. */
  horizonUs: number;
  /** Series that came with another epoch than the one held. */
  epochsOpened = 0;
  readonly #onSeries: SeriesListener;
  /** By kind code: see MemberSeries. */
  readonly states: readonly KindState[] = kindsByCode.map((kind) => this.stateOf(kind));
  readonly #ended: EndedList;

  constructor(birthUs: number, onSeries: SeriesListener) {
    this.birthUs = birthUs;
    this.horizonUs = birthUs;
    this.#onSeries = onSeries;
    const columns = this.states.map(({ series }) => series);
    this.members = new Members(columns);
    this.#ended = new EndedList(columns);
  }

  get definitions(): Definitions {
    return this.references.definitions;
  }

  /** Times of sampling groups by clock, microseconds since the Unix epoch by the source; 0: not yet. Replaced when it grows. */
  get timesUs(): Float64Array {
    return this.clocks.timesUs;
  }

  /** Series held, of all kinds. */
  get seriesCount(): number {
    let count = 0;
    for (const { series } of this.states) count += series.inUse;
    return count;
  }

  /** Series that have ended and are not yet freed. */
  get endedCount(): number {
    return this.#ended.size;
  }

  resourceAt(number: number): ResourceEntry {
    return this.references.resources.at(number);
  }

  stateOf(kind: MetricDescription['kind']): KindState {
    if (kind === 'sum') return this.sums;
    if (kind === 'gauge') return this.gauges;
    if (kind === 'summary') return this.summaries;
    if (kind === 'exponential_histogram') return this.exponentialHistograms;
    return this.histograms;
  }

  /** The state that a member's entry is of: see MemberSeries. */
  stateAt(entry: number): KindState {
    return this.states[kindCodeOf(entry)]!;
  }

  secondsAt(timeUs: number): number {
    return Math.max(0, Math.floor((timeUs - this.birthUs) / 1e6));
  }

  /** The member with this id, made when it is new. Its resource is what it says now; if that changed, its series move there. */
  join(id: string, resource: Resource, nowUs: number): Member {
    const { resources } = this.references;
    const known = this.members.get(id);
    const entry = resources.acquire(resource);
    if (known === undefined) return this.members.add(id, entry, nowUs);
    known.lastReportUs = nowUs;
    const before = known.resource;
    known.resource = entry;
    if (before !== entry) moveSeries(this, known, nowUs, this.#onSeries);
    resources.release(before.number);
    return known;
  }

  /**
   * Takes a series in, or finds it again: with the same epoch it continues, with a new one what it counted is kept and counting
   * goes on after the first value. Gives its slot, or why it is not taken; then nothing has changed. A member holds `maxSlots` at most,
   * those of series included that have ended and wait for readers.
   */
  define(member: Member, input: SeriesInput, nowUs: number, maxSlots = Infinity): number | DefineRefusal {
    const { metric } = input;
    const { definitions, resources, epochs } = this.references;
    const definition = definitions.acquire(input.scope, metric, input.attributes);
    const isOwn = input.resource === undefined;
    const resource = isOwn ? resources.hold(member.resource) : resources.acquire(input.resource);
    const state = this.stateOf(metric.kind);
    const known = member.series.slot(state.kind, definition.number, isOwn ? undefined : resource.number);
    if (known !== 0) {
      definitions.release(definition.number);
      resources.release(resource.number);
      return resumeSeries(this, state, known, input, nowUs);
    }
    if (!hasRoom(member, maxSlots)) {
      definitions.release(definition.number);
      resources.release(resource.number);
      return 'full';
    }
    const slot = allocateSlot(state, metric);
    const { series } = state;
    series.definition.set(slot, definition.number);
    series.resource.set(slot, resource.number);
    series.member.set(slot, member.index);
    series.clock.set(slot, input.clock);
    series.holder.set(slot, input.holder);
    series.epoch.set(slot, epochs.acquire(input.epoch));
    series.previousEpoch.set(slot, 0);
    series.startTimeUs.set(slot, input.startTimeUs);
    series.absentAtS.set(slot, this.secondsAt(nowUs));
    if (isAfterHorizon(this, input)) series.status.set(slot, series.status.get(slot) | fromZero);
    member.series.add(entryOf(state.kind, slot, !isOwn));
    member.slots++;
    member.definitionBytes += definition.bytes;
    this.#onSeries(state, slot, definition, resource);
    return slot;
  }

  /** A new epoch of a series: what the one before reported and counted is kept. */
  beginEpoch(state: KindState, slot: number): void {
    if (isCounter(state, slot)) this.ledgerOf(state, slot).earlier += reportedAmount(state, slot);
    state.beginEpoch(slot);
  }

  /** A first value was set aside: what of it is new cannot be known. */
  setAside(state: KindState, slot: number, amount: number): void {
    if (amount === 0) return;
    const { baseline } = this.ledgerOf(state, slot);
    baseline.points++;
    baseline.amount += amount;
  }

  /** Where the series' member and metric are booked. */
  ledgerOf({ series }: KindState, slot: number): LedgerEntry {
    const member = this.members.at(series.member.get(slot))!;
    return this.ledger.entry(member.id, this.definitions.at(series.definition.get(slot)).entry.metric.name);
  }

  /** The series is reported with a value: it takes part from here on. */
  appear(state: KindState, slot: number): void {
    const { status } = state.series;
    status.set(slot, (status.get(slot) | present) & ~(ended | withoutValue));
  }

  /** The series is not reported at present; its counter state stays. */
  idle(series: SeriesColumns, slot: number, nowUs: number): void {
    const status = series.status.get(slot);
    if ((status & present) === 0) return;
    series.status.set(slot, status & ~present);
    series.absentAtS.set(slot, this.secondsAt(nowUs));
    if (series === this.gauges.series) this.gauges.windows.leave(slot);
  }

  /** The series' epoch never returns. Its state is freed by {@link releaseEnded}; until then it can be defined again. */
  end(state: KindState, slot: number, nowUs: number): void {
    const { series } = state;
    const status = series.status.get(slot);
    if ((status & ended) !== 0) return;
    this.idle(series, slot, nowUs);
    series.status.set(slot, (status | ended) & ~present);
    this.#ended.add(entryOf(state.kind, slot));
  }

  /** All of a member's series leave gauges and up-down sums: it said goodbye or was silent for too long. */
  leave(member: Member, nowUs: number): void {
    member.isPresent = false;
    member.absences++;
    member.series.forEach((entry) => {
      this.idle(this.stateAt(entry).series, slotOf(entry), nowUs);
    });
  }

  /**
   * Series of a live member that its stream, `holder`, has not defined or no longer holds leave gauges and up-down sums; those that
   * left longer than `evictionUs` ago are freed, and the horizon moves to where they left.
   */
  expire(member: Member, holder: number, nowUs: number, evictionUs: number): void {
    expireSeries(this, member, holder, nowUs, evictionUs);
  }

  /** Frees a member that has been silent for long. What it counted stays in merged outputs, and the horizon moves to its last report. */
  evict(member: Member, nowUs: number): void {
    if (member.isEvicted) return;
    member.isEvicted = true;
    if (member.series.size > 0) this.horizonUs = Math.max(this.horizonUs, member.lastReportUs);
    for (const entry of member.series.sorted()) this.end(this.stateAt(entry), slotOf(entry), nowUs);
    this.members.forget(member);
    if (member.slots === 0) this.#release(member);
  }

  /** For a snapshot. */
  get endedList(): EndedList {
    return this.#ended;
  }

  /** Whether {@link releaseEnded} would free something. */
  hasReleasable(beforeS: number): boolean {
    return this.#ended.hasReleasable(beforeS);
  }

  /** Frees the ended series that left before this second. Outputs must have let go of them: isReleasable tells which. Gives how many. */
  releaseEnded(beforeS: number): number {
    return this.#ended.release(beforeS, (entry) => this.#free(entry));
  }

  #free(entry: number): void {
    const state = this.stateAt(entry);
    const slot = slotOf(entry);
    const member = this.members.at(state.series.member.get(slot))!;
    // Its member knows it as its own, as foreign, or, when the member has moved on without it, not at all.
    if (!member.series.delete(entry)) member.series.delete(entryOf(state.kind, slot, true));
    if (isCounter(state, slot)) {
      const entry = this.ledgerOf(state, slot);
      entry.earlier += reportedAmount(state, slot);
      entry.freed += countedAmount(state, slot);
    }
    member.definitionBytes -= this.definitions.at(state.series.definition.get(slot)).bytes;
    this.references.release(state.series, slot);
    state.release(slot);
    if (--member.slots === 0 && member.isEvicted) this.#release(member);
  }

  #release(member: Member): void {
    this.clocks.release(member);
    this.references.resources.release(member.resource.number);
    this.members.release(member);
  }
}
