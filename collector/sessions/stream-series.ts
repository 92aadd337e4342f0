import type { Member } from '../../otel/state/members.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { CapabilityError, InvalidDataError } from '../../proto/error.ts';
import type { RefuseKind } from '../../proto/messages/collector-message.ts';
import type { Define } from '../../proto/messages/define.ts';
import type { GroupColumns } from '../../proto/report/group-columns.ts';
import { decodeReport } from '../../proto/report/read-report.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import type { StreamLimits } from '../config/collector-config.ts';
import type { GroupProgress } from './group-progress.ts';
import { find, MergeOutcome, mergeGroup } from './merge-report.ts';
import type { DefinedSeries, Refusal, SeriesIntake } from './series-intake.ts';
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

const outcome = new MergeOutcome();

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
  /** When Welcome was sent, by the store's clock: what beginnings of epochs are relative to. */
  readonly #welcomeUs: number;

  constructor(
    store: MetricStore,
    member: Member,
    intake: SeriesIntake,
    limits: StreamLimits,
    welcomeUs: number,
    counters: SessionCounters,
    onRefused: OnRefused,
  ) {
    this.#store = store;
    this.#member = member;
    this.#intake = intake;
    this.#columns = new StreamColumns({ maxCells: limits.maxSeries * cellsPerSeries });
    this.#welcomeUs = welcomeUs;
    this.#counters = counters;
    this.#onRefused = onRefused;
  }

  /** Series defined at present. */
  get size(): number {
    return this.#columns.size;
  }

  get lastReport(): number {
    return this.#columns.lastReport;
  }

  /** @throws InvalidDataError for what breaks the protocol, StreamgaugeError `overloaded` when the stream holds all it may */
  define(define: Define, nowUs: number): void {
    this.#intake.begin(define);
    for (const [i, definition] of define.series.entries()) {
      const series = this.#intake.series(definition, i, this.#columns.size);
      let refusal = series.refusal;
      let slot = 0;
      try {
        this.#addCells(series);
        if (refusal === undefined) slot = this.#takeIn(series, nowUs) ?? 0;
        if (refusal === undefined && slot === 0) refusal = olderEpoch(series, i);
      } catch (error) {
        if (!(error instanceof CapabilityError)) throw error;
        refusal = { kind: 'invalid', reason: error.message, fieldPath: `series[${i}].metric` };
      }
      if (refusal === undefined) continue;
      const { kind } = refusal;
      if (kind === 'invalid' || kind === 'limit' || kind === 'epoch_old')
        this.#counters.refusedSeries[kind]++;
      this.#told.add(series.number);
      this.#onRefused(kind, 0, [series.number], refusal);
    }
  }

  /** @throws InvalidDataError when a series is not defined */
  retire(numbers: readonly number[], reason: 'gone' | 'idle', nowUs: number): void {
    for (const number of numbers) {
      const group = this.#columns.groupOf(number);
      const found = group === undefined ? undefined : find(group, number, this.#store);
      this.#told.delete(number);
      if (found === undefined || found.slot === 0) continue;
      if (reason === 'gone') this.#store.end(found.state, found.slot, nowUs);
      else this.#store.idle(found.state.series, found.slot, nowUs);
      this.#counters.seriesRetired++;
    }
    this.#columns.retire(numbers);
  }

  /**
   * Decodes a report and merges it. Gives how many points it held.
   * @throws InvalidDataError for bytes that break the protocol
   */
  report(bytes: Uint8Array): number {
    const report = decodeReport(bytes, this.#columns);
    const counters = this.#counters;
    let points = 0;
    for (let i = 0; i < report.groupCount; i++) {
      const group = report.groups[i];
      const progress = this.#progress.get(group);
      if (progress === undefined)
        throw new InvalidDataError(
          `sampling group ${group.group} is reported, but no series of it was defined`,
        );
      mergeGroup(group, progress, this.#store, outcome);
      points += group.places;
      const { sums, gauges, histograms } = group;
      counters.changedValues +=
        sums.changedCount + gauges.changedCount + histograms.bucketCounts.changedCount;
    }
    if (outcome.baselines > 0 || outcome.rejected.length > 0) this.#settleOutcome(report.number);
    return points;
  }

  /** The member reports again after it was taken for stale: what it reports takes part again. */
  reappear(): void {
    const { sums, gauges, histograms } = this.#store;
    for (const group of this.#columns.groups.values()) {
      for (const [column, state] of [
        [group.sums, sums],
        [group.gauges, gauges],
        [group.histograms.bucketCounts, histograms],
      ] as const)
        for (let i = 0; i < column.size; i++)
          if (column.attached[i] !== 0) this.#store.appear(state, column.attached[i]);
    }
  }

  #addCells({ number, group, metric }: DefinedSeries): void {
    const { kind, explicitBounds, hasSum, hasMin, hasMax } = metric;
    const buckets = explicitBounds.length + 1;
    if (!this.#columns.groups.has(group) && this.#columns.groups.size >= maxGroups)
      throw new InvalidDataError(`more than ${maxGroups} sampling groups on one stream`);
    this.#columns.define({ number, group, kind, buckets, hasSum, hasMin, hasMax, attached: 0 });
    const columns = this.#columns.groups.get(group)!;
    if (this.#progress.has(columns)) return;
    const clock = this.#store.clockOf(this.#member, group);
    this.#progress.set(columns, { clock, unsettled: [], withoutValue: [] });
  }

  /** Gives the slot, or `undefined` for an older epoch. */
  #takeIn(series: DefinedSeries, nowUs: number): number | undefined {
    const progress = this.#progress.get(this.#columns.groups.get(series.group)!)!;
    const { beganUs } = series;
    const slot = this.#store.define(
      this.#member,
      {
        ...series,
        beganAtUs: beganUs === undefined ? undefined : this.#welcomeUs + beganUs,
        clock: progress.clock,
      },
      nowUs,
    );
    if (slot === undefined) return undefined;
    this.#columns.attach(series.number, slot);
    progress.unsettled.push(series.number);
    this.#counters.seriesDefined++;
    return slot;
  }

  #settleOutcome(report: number): void {
    const counters = this.#counters;
    counters.baselines += outcome.baselines;
    for (const { number, cause, value } of outcome.rejected) {
      counters.refusedPoints[cause]++;
      if (this.#told.has(number)) continue;
      this.#told.add(number);
      const reason =
        cause === 'epoch_fell'
          ? `the value ${value} is below the one that is held under the same epoch`
          : `the value ${value} of a sum is not a finite number`;
      this.#onRefused(cause, report, [number], { reason, fieldPath: '' });
    }
    outcome.clear();
  }
}

function olderEpoch(_series: DefinedSeries, index: number): Refusal {
  const reason = 'a newer epoch of this series is known: open a new one';
  return { kind: 'epoch_old', reason, fieldPath: `series[${index}].epoch` };
}
