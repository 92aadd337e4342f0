import { noRoomReason } from '../../otel/state/member-room.ts';
import type { Member } from '../../otel/state/members.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { InvalidDataError, StreamgaugeError } from '../../proto/error.ts';
import type { RefuseKind } from '../../proto/messages/collector-message.ts';
import type { Define } from '../../proto/messages/define.ts';
import { columnKinds, type GroupColumns } from '../../proto/report/group-columns.ts';
import { decodeReport } from '../../proto/report/read-report.ts';
import type { StreamCopies } from '../../proto/report/stream-capture.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import type { StreamLimits } from '../config/collector-config.ts';
import { captureProgress, type GroupProgress } from './group-progress.ts';
import { MergeOutcome, type RejectCause } from './merge-outcome.ts';
import { find, mergeGroup } from './merge-report.ts';
import { type DefinedSeries, limitRetryMs, type Refusal, type SeriesIntake } from './series-intake.ts';
import type { RestoredStream, StreamSeriesCapture } from './session-capture.ts';
import type { SessionCounters } from './session-counters.ts';

/** Told of what is not counted; `report` is 0 for a definition. */
export type OnRefused = (
  kind: RefuseKind,
  report: number,
  series: readonly number[],
  refusal: Omit<Refusal, 'kind'>,
) => void;

/** Sampling groups of one stream; each has a time of its own. */
const maxGroups = 256;
/** Cells in the columns for each series that is allowed: histograms have one for each bucket. */
const cellsPerSeries = 16;

/**
 * Series that end are held until readers have seen their last state. A member that defines and retires without end, or changes its resource all
 * the time, has room for so many times what a stream may hold.
 */
export function maxSlotsOf({ maxSeries }: Pick<StreamLimits, 'maxSeries'>): number {
  return 4 * maxSeries;
}

const outcome = new MergeOutcome();

/** What the series of a stream need to know of it. */
export interface StreamOf {
  /** Its number, from 1, never used again. */
  readonly holder: number;
  /** When Welcome was sent, by the store's clock: what beginnings of epochs are relative to. */
  readonly welcomeUs: number;
  /** The last report of the same incarnation on earlier streams. */
  readonly lastReport: number;
}

/**
 * The series of one stream: their definitions, columns and slots, and how reports get into the store. Refused series keep
 * their cells, since reports hold them until the agent has read the refusal, and point at slot 0.
 */
export class StreamSeries {
  readonly #store: MetricStore;
  readonly #counters: SessionCounters;
  readonly #member: Member;
  readonly #onRefused: OnRefused;
  readonly #columns: StreamColumns;
  readonly #intake: SeriesIntake;
  readonly #progress = new Map<GroupColumns, GroupProgress>();
  /** Series whose refusal the agent has been told of. */
  readonly #told = new Set<number>();
  readonly #stream: StreamOf;
  readonly #maxSlots: number;

  constructor(
    store: MetricStore,
    member: Member,
    intake: SeriesIntake,
    limits: Pick<StreamLimits, 'maxSeries'>,
    stream: StreamOf,
    counters: SessionCounters,
    onRefused: OnRefused,
    columns = new StreamColumns({ maxCells: limits.maxSeries * cellsPerSeries }),
  ) {
    this.#store = store;
    this.#member = member;
    this.#intake = intake;
    this.#maxSlots = maxSlotsOf(limits);
    this.#columns = columns;
    this.#stream = stream;
    this.#counters = counters;
    this.#onRefused = onRefused;
  }

  /** Series defined at present, refused ones included. */
  get size(): number {
    return this.#columns.size;
  }

  /** How many cells they have. */
  get cells(): number {
    return this.#columns.cells;
  }

  /** Between two messages. `copies` has room for the columns. */
  capture(copies: StreamCopies): StreamSeriesCapture {
    const columns = this.#columns;
    const groups = [...columns.groups.values()];
    return {
      stream: this.#stream,
      maxCells: columns.maxCells,
      intake: this.#intake.capture(),
      columns: copies.capture(columns),
      progress: groups.map((group) => captureProgress(this.#progress.get(group)!)),
      told: [...this.#told],
    };
  }

  /** The same series, under the limits that they had, in a store that was loaded too. */
  static restore(
    restored: RestoredStream,
    store: MetricStore,
    member: Member,
    counters: SessionCounters,
    onRefused: OnRefused,
  ): StreamSeries {
    const { stream, intake, columns } = restored;
    const { limits } = intake.capture();
    const series = new StreamSeries(store, member, intake, limits, stream, counters, onRefused, columns);
    for (const [i, group] of [...columns.groups.values()].entries())
      series.#progress.set(group, restored.progress[i]);
    for (const number of restored.told) series.#told.add(number);
    return series;
  }

  get lastReport(): number {
    return this.#columns.lastReport;
  }

  /** @throws InvalidDataError for what breaks the protocol, StreamgaugeError `overloaded` when the stream holds all it may */
  define(define: Define, nowUs: number): void {
    this.#intake.begin(define);
    for (const [i, definition] of define.series.entries()) {
      const series = this.#intake.series(definition, i, this.size);
      this.#addCells(series);
      const refusal = series.refusal ?? this.#takeIn(series, i, nowUs);
      if (refusal === undefined) continue;
      const { kind } = refusal;
      if (kind === 'invalid' || kind === 'limit' || kind === 'epoch_old')
        this.#counters.refusedSeries[kind]++;
      this.#store.ledger.refuse(this.#member.id, series.metric.name, `series_${kind}`, 1, 0);
      this.#told.add(series.number);
      this.#onRefused(kind, 0, [series.number], refusal);
    }
  }

  /** @throws InvalidDataError when a series is not defined */
  retire(numbers: readonly number[], reason: 'gone' | 'idle', nowUs: number): void {
    const flagged = new Set<GroupProgress>();
    for (const number of numbers) {
      this.#told.delete(number);
      const group = this.#columns.groupOf(number);
      const found = group === undefined ? undefined : find(group, number, this.#store);
      if (found === undefined || found.slot === 0) continue;
      const { state, slot } = found;
      // A number that comes twice is found out below; its slot may not be ended for the stream that holds it by then.
      if (state.series.holder.get(slot) !== this.#stream.holder) continue;
      state.series.holder.set(slot, 0);
      const progress = this.#progress.get(group!)!;
      progress.turnedAway.delete(number);
      if (progress.withoutValue.length > 0) flagged.add(progress);
      if (reason === 'gone') this.#store.end(state, slot, nowUs);
      else this.#store.idle(state.series, slot, nowUs);
      this.#counters.seriesRetired++;
    }
    // Once for all of them: what was retired is held by nobody.
    const { holder } = this.#stream;
    for (const progress of flagged)
      progress.withoutValue = progress.withoutValue.filter(
        ({ state, slot }) => state.series.holder.get(slot) === holder,
      );
    this.#columns.retire(numbers);
  }

  /**
   * Decodes a report and merges it. Gives how many points it held.
   * @throws InvalidDataError for bytes that break the protocol
   */
  report(bytes: Uint8Array): number {
    const report = decodeReport(bytes, this.#columns);
    if (report.number <= this.#stream.lastReport)
      throw new InvalidDataError(
        `report number ${report.number} is not above ${this.#stream.lastReport}, the last one of this incarnation`,
      );
    const counters = this.#counters;
    const { absences } = this.#member;
    let points = 0;
    for (let i = 0; i < report.groupCount; i++) {
      const group = report.groups[i];
      // Made with the group's first series.
      const progress = this.#progress.get(group)!;
      if (progress.absences !== absences) {
        progress.absences = absences;
        this.#reappear(group, progress);
      }
      mergeGroup(group, progress, this.#store, outcome);
      points += group.places;
      counters.changedValues += group.changedValues;
    }
    if (outcome.baselines > 0 || outcome.rejected.length > 0) this.#settleOutcome(report.number);
    return points;
  }

  /** The member left while this stream was held, and is back: what the group reports takes part again. Its unsettled series appear with their first value. */
  #reappear(group: GroupColumns, progress: GroupProgress): void {
    const unsettled = new Set([...progress.unsettled, ...progress.turnedAway]);
    for (const kind of columnKinds) {
      const column = group.leadingColumn(kind);
      const state = this.#store.stateOf(kind);
      for (let i = 0; i < column.size; i++)
        if (column.attached[i] !== 0 && !unsettled.has(column.numbers[i]))
          this.#store.appear(state, column.attached[i]);
    }
  }

  /** Gives the series its cells, in the place that the agent counts on. */
  #addCells({ number, group, metric }: DefinedSeries): void {
    const { kind, explicitBounds, hasSum, hasMin, hasMax } = metric;
    const buckets = explicitBounds.length + 1;
    if (!this.#columns.groups.has(group) && this.#columns.groups.size >= maxGroups)
      throw new StreamgaugeError('overloaded', `more than ${maxGroups} sampling groups on one stream`);
    const quantiles = metric.quantiles.length;
    this.#columns.define({ number, group, kind, buckets, quantiles, hasSum, hasMin, hasMax, attached: 0 });
    const columns = this.#columns.groups.get(group)!;
    if (!this.#progress.has(columns)) {
      const clock = this.#store.clocks.of(this.#member, group);
      const { absences } = this.#member;
      this.#progress.set(columns, {
        clock,
        unsettled: [],
        turnedAway: new Set(),
        withoutValue: [],
        absences,
      });
    }
  }

  /** Takes the series into the store. Gives a refusal when that holds it otherwise. */
  #takeIn(series: DefinedSeries, index: number, nowUs: number): Refusal | undefined {
    const progress = this.#progress.get(this.#columns.groups.get(series.group)!)!;
    const { beganUs } = series;
    const { holder, welcomeUs } = this.#stream;
    const beganAtUs = beganUs === undefined ? undefined : welcomeUs + beganUs;
    const slot = this.#store.define(
      this.#member,
      { ...series, beganAtUs, clock: progress.clock, holder },
      nowUs,
      this.#maxSlots,
    );
    if (slot === 'epoch_old') {
      const reason = 'a newer epoch of this series is known: open a new one';
      return { kind: 'epoch_old', reason, fieldPath: `series[${index}].epoch` };
    }
    if (slot === 'full') {
      const reason = noRoomReason('the member', this.#member, this.#maxSlots);
      return { kind: 'limit', reason, fieldPath: `series[${index}]`, retryDelayMs: limitRetryMs };
    }
    if (slot === 'held') {
      const reason = `"${series.metric.name}" with these attributes has another number on this stream already; retire that one first`;
      return { kind: 'invalid', reason, fieldPath: `series[${index}]` };
    }
    this.#columns.attach(series.number, slot);
    progress.unsettled.push(series.number);
    this.#counters.seriesDefined++;
    return undefined;
  }

  /** A value that is not taken holds nothing new: it is below what is held, or no number. */
  #book(number: number, cause: RejectCause): void {
    const group = this.#columns.groupOf(number);
    const found = group === undefined ? undefined : find(group, number, this.#store);
    if (found === undefined || found.slot === 0) return;
    const { series } = found.state;
    const { metric } = this.#store.definitions.at(series.definition.get(found.slot)).entry;
    this.#store.ledger.refuse(this.#member.id, metric.name, cause, 1, 0);
  }

  #settleOutcome(report: number): void {
    const counters = this.#counters;
    counters.baselines += outcome.baselines;
    for (const { number, cause, value } of outcome.rejected) {
      counters.refusedPoints[cause]++;
      this.#book(number, cause);
      if (this.#told.has(number)) continue;
      this.#told.add(number);
      const { kind, reason } = rejections[cause];
      this.#onRefused(kind, report, [number], { reason: `the value ${value} ${reason}`, fieldPath: '' });
    }
    outcome.clear();
  }
}

const rejections: Record<RejectCause, { readonly kind: RefuseKind; readonly reason: string }> = {
  epoch_fell: { kind: 'epoch_fell', reason: 'is below the one that is held under the same epoch' },
  not_finite: { kind: 'not_finite', reason: 'of a sum is not a finite number' },
  negative: { kind: 'invalid', reason: 'of a counter is below zero, where counters start' },
  out_of_range: {
    kind: 'invalid',
    reason: 'is no whole number up to 2^53, or no scale or index of buckets that values have',
  },
};
