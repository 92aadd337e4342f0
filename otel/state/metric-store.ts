import type { Attributes } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import { Definitions, type SeriesDefinition } from './definitions.ts';
import { Epochs } from './epochs.ts';
import { GaugeState } from './gauge.ts';
import { HistogramState } from './histogram.ts';
import { InternedResources, type ResourceEntry } from './interned-resources.ts';
import { type Member, Members } from './members.ts';
import { counting, ended, fromZero, isMonotonic, present, type SeriesColumns } from './series-columns.ts';
import { SumState } from './sum.ts';

export type KindState = SumState | GaugeState | HistogramState;

/** What a member says of one of its series before it reports it. */
export interface SeriesInput {
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  /** `undefined`: the member's own. */
  readonly resource: Resource | undefined;
  /** Empty: none, as for gauges. */
  readonly epoch: string;
  /** When the epoch began, microseconds by the store's clock. `undefined`: not known. */
  readonly beganAtUs: number | undefined;
  /** By the source's own clock, microseconds since the Unix epoch; 0 unknown. */
  readonly startTimeUs: number;
  /** Index into {@link MetricStore.timesUs}. */
  readonly clock: number;
}

interface EndedSlot {
  readonly state: KindState;
  readonly slot: number;
  readonly member: Member;
  readonly key: number;
}

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
  readonly definitions = new Definitions();
  readonly members = new Members();
  /** Times of sampling groups by clock, microseconds since the Unix epoch by the source; 0: not yet. */
  timesUs = new Float64Array(64);
  /** When this state began to count: microseconds by the store's clock. */
  readonly birthUs: number;
  /** Epochs that began after this are counted from zero by merging views. */
  horizonUs: number;
  /** Series that came with another epoch than the one held. */
  epochsOpened = 0;
  readonly #epochs = new Epochs();
  readonly #resources = new InternedResources();
  readonly #onSeries: SeriesListener;
  readonly #freeClocks: number[] = [];
  #clocks = 1;
  #endedSlots: EndedSlot[] = [];

  constructor(birthUs: number, onSeries: SeriesListener) {
    this.birthUs = birthUs;
    this.horizonUs = birthUs;
    this.#onSeries = onSeries;
  }

  /** Series held, of all kinds. */
  get seriesCount(): number {
    return this.sums.series.inUse + this.gauges.series.inUse + this.histograms.series.inUse;
  }

  resourceAt(number: number): ResourceEntry {
    return this.#resources.at(number);
  }

  stateOf(kind: MetricDescription['kind']): KindState {
    if (kind === 'sum') return this.sums;
    if (kind === 'gauge') return this.gauges;
    return this.histograms;
  }

  /** The member with this id, made when it is new. Its resource is what it says now; if that changed, its series move there. */
  join(id: string, resource: Resource, nowUs: number): Member {
    const known = this.members.get(id);
    const entry = this.#resources.acquire(resource);
    if (known === undefined) return this.members.add(id, entry, nowUs);
    known.lastReportUs = nowUs;
    if (known.resource === entry) {
      this.#resources.release(entry.number);
      return known;
    }
    const before = known.resource;
    known.resource = entry;
    this.#moveSeries(known, before, nowUs);
    this.#resources.release(before.number);
    return known;
  }

  /** The clock of a member's sampling group. */
  clockOf(member: Member, group: number): number {
    const known = member.clocks.get(group);
    if (known !== undefined) return known;
    const clock = this.#freeClocks.pop() ?? this.#clocks++;
    if (clock >= this.timesUs.length) {
      const grown = new Float64Array(this.timesUs.length * 2);
      grown.set(this.timesUs);
      this.timesUs = grown;
    }
    this.timesUs[clock] = 0;
    member.clocks.set(group, clock);
    return clock;
  }

  /**
   * Takes a series in, or finds it again: with the same epoch it continues, with a new one what it counted is kept and counting
   * goes on after the first value. Gives its slot, or `undefined` when the epoch is older than the one that is held.
   */
  define(member: Member, input: SeriesInput, nowUs: number): number | undefined {
    const { metric } = input;
    const definition = this.definitions.acquire(input.scope, metric, input.attributes);
    const resource = input.resource === undefined ? member.resource : this.#resources.acquire(input.resource);
    const key = seriesKey(definition.number, input.resource === undefined ? undefined : resource.number);
    const state = this.stateOf(metric.kind);
    const known = member.series.get(key);
    if (known !== undefined) {
      this.definitions.release(definition.number);
      if (input.resource !== undefined) this.#resources.release(resource.number);
      return this.#resume(state, known, input) ? known : undefined;
    }
    const slot = allocate(state, metric);
    const { series } = state;
    series.definition.set(slot, definition.number);
    series.resource.set(slot, resource.number);
    if (input.resource === undefined) this.#resources.acquire(resource.resource);
    series.member.set(slot, member.index);
    series.clock.set(slot, input.clock);
    series.epoch.set(slot, this.#epochs.acquire(input.epoch));
    series.previousEpoch.set(slot, 0);
    series.startTimeUs.set(slot, input.startTimeUs);
    series.absentAtS.set(slot, this.secondsAt(nowUs));
    if (this.#isAfterHorizon(input)) series.status.set(slot, series.status.get(slot) | fromZero);
    member.series.set(key, slot);
    this.#onSeries(state, slot, definition, resource);
    return slot;
  }

  /** The series is reported: it takes part from here on. */
  appear(state: KindState, slot: number): void {
    const { status } = state.series;
    status.set(slot, (status.get(slot) | present) & ~ended);
  }

  /** The series is not reported at present; its counter state stays. */
  idle(series: SeriesColumns, slot: number, nowUs: number): void {
    const status = series.status.get(slot);
    if ((status & present) === 0) return;
    series.status.set(slot, status & ~present);
    series.absentAtS.set(slot, this.secondsAt(nowUs));
  }

  /** The series' epoch never returns. Its state is freed by {@link releaseEnded}; until then it can be defined again. */
  end(state: KindState, slot: number, nowUs: number): void {
    const { series } = state;
    if ((series.status.get(slot) & ended) !== 0) return;
    this.idle(series, slot, nowUs);
    const member = this.members.at(series.member.get(slot))!;
    const definition = series.definition.get(slot);
    let key = seriesKey(definition, undefined);
    if (member.series.get(key) !== slot) key = seriesKey(definition, series.resource.get(slot));
    series.absentAtS.set(slot, this.secondsAt(nowUs));
    series.status.set(slot, series.status.get(slot) | ended);
    this.#endedSlots.push({ state, slot, member, key });
  }

  /** All of a member's series leave gauges and up-down sums: it said goodbye or was silent for too long. */
  leave(member: Member, nowUs: number): void {
    member.isPresent = false;
    for (const [key, slot] of member.series) this.idle(this.#stateAt(key).series, slot, nowUs);
  }

  /** Frees a member that has been silent for long. What it counted stays in merged outputs, and the horizon moves to its last report. */
  evict(member: Member, nowUs: number): void {
    if (member.isEvicted) return;
    member.isEvicted = true;
    this.horizonUs = Math.max(this.horizonUs, member.lastReportUs);
    for (const [key, slot] of member.series) this.end(this.#stateAt(key), slot, nowUs);
    this.members.forget(member);
    if (member.series.size === 0) this.#release(member);
  }

  /** Frees the ended series that left before this moment. Outputs must have let go of them: {@link isReleasable} tells which. */
  releaseEnded(beforeS: number): number {
    const kept: EndedSlot[] = [];
    let released = 0;
    for (const item of this.#endedSlots) {
      const { series } = item.state;
      if ((series.status.get(item.slot) & ended) === 0) continue;
      if (!isReleasable(series, item.slot, beforeS)) {
        kept.push(item);
        continue;
      }
      this.#free(item.state, item.slot);
      if (item.member.series.get(item.key) === item.slot) item.member.series.delete(item.key);
      if (item.member.isEvicted && item.member.series.size === 0) this.#release(item.member);
      released++;
    }
    this.#endedSlots = kept;
    return released;
  }

  /** Series that have ended and are not yet freed. */
  get endedCount(): number {
    return this.#endedSlots.length;
  }

  secondsAt(timeUs: number): number {
    return Math.max(0, Math.floor((timeUs - this.birthUs) / 1e6));
  }

  #isAfterHorizon(input: SeriesInput): boolean {
    return input.beganAtUs !== undefined && input.beganAtUs > this.horizonUs;
  }

  #resume(state: KindState, slot: number, input: SeriesInput): boolean {
    const { series } = state;
    const held = series.epoch.get(slot);
    const epoch = this.#epochs.acquire(input.epoch);
    if (epoch === held) {
      this.#epochs.release(epoch);
      series.clock.set(slot, input.clock);
      series.status.set(slot, series.status.get(slot) & ~ended);
      if (input.startTimeUs !== 0) series.startTimeUs.set(slot, input.startTimeUs);
      return true;
    }
    if (epoch === series.previousEpoch.get(slot) && epoch !== 0) {
      this.#epochs.release(epoch);
      return false;
    }
    this.#epochs.release(series.previousEpoch.get(slot));
    series.previousEpoch.set(slot, held);
    series.epoch.set(slot, epoch);
    // Counting began after the last sample of the epoch before.
    series.startTimeUs.set(slot, input.startTimeUs || this.timesUs[series.clock.get(slot)]!);
    series.clock.set(slot, input.clock);
    state.beginEpoch(slot);
    this.epochsOpened++;
    const status = series.status.get(slot) & isMonotonic;
    series.status.set(slot, this.#isAfterHorizon(input) ? status | fromZero : status);
    return true;
  }

  /**
   * The member's resource changed: each of its own series ends where it was and goes on, under the same epoch and from the same
   * value, where it is now.
   */
  #moveSeries(member: Member, before: ResourceEntry, nowUs: number): void {
    for (const [key, slot] of [...member.series]) {
      if (key >= foreignKey) continue;
      const state = this.#stateAt(key);
      const { series } = state;
      if (series.resource.get(slot) !== before.number) continue;
      const definition = this.definitions.at(series.definition.get(slot));
      this.end(state, slot, nowUs);
      const epoch = series.epoch.get(slot);
      const moved = allocate(state, definition.entry.metric);
      this.definitions.acquire(
        definition.entry.scope,
        definition.entry.metric,
        definition.attributes.attributes,
      );
      this.#resources.acquire(member.resource.resource);
      series.definition.set(moved, definition.number);
      series.resource.set(moved, member.resource.number);
      series.member.set(moved, member.index);
      series.clock.set(moved, series.clock.get(slot));
      series.epoch.set(moved, this.#epochs.hold(epoch));
      series.previousEpoch.set(moved, this.#epochs.hold(series.previousEpoch.get(slot)));
      series.startTimeUs.set(moved, series.startTimeUs.get(slot));
      series.absentAtS.set(moved, this.secondsAt(nowUs));
      const status = series.status.get(slot) & ~(present | ended);
      state.moveTo(slot, moved);
      series.status.set(moved, status);
      member.series.set(key, moved);
      this.#onSeries(state, moved, definition, member.resource);
    }
  }

  #stateAt(key: number): KindState {
    return this.stateOf(this.definitions.at(key % foreignKey).entry.metric.kind);
  }

  #free(state: KindState, slot: number): void {
    const { series } = state;
    this.#epochs.release(series.epoch.get(slot));
    this.#epochs.release(series.previousEpoch.get(slot));
    this.definitions.release(series.definition.get(slot));
    this.#resources.release(series.resource.get(slot));
    state.release(slot);
  }

  #release(member: Member): void {
    for (const clock of member.clocks.values()) this.#freeClocks.push(clock);
    member.clocks.clear();
    this.#resources.release(member.resource.number);
    this.members.release(member);
  }
}

/** Whether an ended series left before this second of the store's life. */
export function isReleasable(series: SeriesColumns, slot: number, beforeS: number): boolean {
  return (series.status.get(slot) & ended) !== 0 && series.absentAtS.get(slot) < beforeS;
}

/** Series of another resource than the member's own have keys from here on. */
const foreignKey = 2 ** 26;

function seriesKey(definition: number, foreignResource: number | undefined): number {
  return foreignResource === undefined ? definition : (foreignResource + 1) * foreignKey + definition;
}

function allocate(state: KindState, metric: MetricDescription): number {
  if (state.kind === 'sum') return state.allocate(metric.isMonotonic);
  if (state.kind === 'gauge') return state.allocate();
  return state.allocate(metric.explicitBounds.length + 1);
}

/** Whether the series has a value in its current epoch. */
export function isCounting(status: number): boolean {
  return (status & counting) !== 0;
}
