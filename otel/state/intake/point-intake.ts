import type { Attributes } from '../../model/attributes.ts';
import type { MetricDescription, Temporality } from '../../model/metric.ts';
import type { Resource } from '../../model/resource.ts';
import type { InstrumentationScope } from '../../model/scope.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { ExponentialValue } from '../exponential-value.ts';
import type { Member } from '../members.ts';
import type { MetricStore } from '../metric-store.ts';
import { isMonotonic } from '../series-columns.ts';
import { checkPoints } from '../snapshot/check-points.ts';
import { CumulativePoints } from './cumulative-points.ts';
import { DeltaIntervals } from './delta-intervals.ts';
import { DeltaPoints } from './delta-points.ts';
import { ExponentialHistogramCell } from './exponential-histogram-cell.ts';
import { GaugeCell } from './gauge-cell.ts';
import { HistogramCell } from './histogram-cell.ts';
import type { PointCell } from './point-cell.ts';
import { PointEpochs } from './point-epochs.ts';
import type { PointOutcome } from './point-outcome.ts';
import { defaultPointRules, type PointRules } from './point-rules.ts';
import { PointSeries } from './point-series.ts';
import { SeriesLife } from './series-life.ts';
import { SumCell } from './sum-cell.ts';
import { SummaryCell } from './summary-cell.ts';

/** What a series is, for finding or defining it. */
export interface PointSeriesInput {
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  /** `undefined`: the member's own. */
  readonly resource: Resource | undefined;
}

/**
 * Why a series is not taken in: a stream reports it at present, the member has been freed, so join it again, or the member has as many as it
 * may have.
 */
export type PointSeriesRefusal = 'held' | 'evicted' | 'full';

/** What holds for the taking in of a series. */
export interface PointSeriesRules {
  /** Slots that the member may have, those of series included that have ended and wait for readers. */
  readonly maxSlots: number;
  /** A stream speaks for the member: a series that is a stream's is not taken over, whether or not it is reported, since that stream's cells would go on pointing to it. */
  readonly hasLiveStream: boolean;
}

const anySeries: PointSeriesRules = { maxSlots: Number.POSITIVE_INFINITY, hasLiveStream: false };

/**
 * The way into the store for sources that send data points and know of no epochs: OTLP, Prometheus. A series is defined once and then known by
 * its handle, so that a point of a known series costs a few array accesses and allocates nothing; nothing is thrown for a point,
 * whatever it says. The rules are in docs/aggregation.md. Times are microseconds: start and time of points since the Unix epoch by the source's
 * clock, arrivals by the store's. One intake to a store.
 */
export class PointIntake {
  readonly #store: MetricStore;
  readonly #series: PointSeries;
  readonly #intervals = new DeltaIntervals();
  readonly #life: SeriesLife;
  readonly #epochs: PointEpochs;
  readonly #cumulative: CumulativePoints;
  readonly #delta: DeltaPoints;
  readonly #sum: SumCell;
  readonly #gauge: GaugeCell;
  readonly #histogram: HistogramCell;
  readonly #exponential: ExponentialHistogramCell;
  readonly #summary: SummaryCell;

  constructor(store: MetricStore, rules: Partial<PointRules> = {}) {
    this.#store = store;
    this.#series = new PointSeries(store.clocks);
    this.#life = new SeriesLife(store, this.#series, this.#intervals);
    this.#epochs = new PointEpochs(store, this.#series, { ...defaultPointRules, ...rules });
    this.#cumulative = new CumulativePoints(this.#epochs, this.#intervals);
    this.#delta = new DeltaPoints(this.#epochs, this.#intervals);
    this.#sum = new SumCell(store.sums);
    this.#gauge = new GaugeCell(store.gauges);
    this.#histogram = new HistogramCell(store.histograms);
    this.#exponential = new ExponentialHistogramCell(store.exponentialHistograms);
    this.#summary = new SummaryCell(store.summaries);
  }

  /** Series that are known by a handle. */
  get size(): number {
    return this.#series.size;
  }

  /** Of these, the ones whose delta intervals are remembered. */
  get deltaSeries(): number {
    return this.#intervals.size;
  }

  /** What the last point had set aside as a baseline: a sum's value, a histogram's count; else 0. The ledger has it already. */
  get setAside(): number {
    return this.#epochs.setAside;
  }

  /**
   * Finds a series or takes it in. Gives its handle, an opaque number above 0 that holds until the series is freed: then its points are
   * `unknown_series`, and it is defined again. The slow path: once for a series, not for a point.
   */
  define(
    member: Member,
    input: PointSeriesInput,
    arrivalUs: number,
    rules = anySeries,
  ): number | PointSeriesRefusal {
    return this.#life.define(member, input, arrivalUs, rules);
  }

  /** Whether the member has such a series, whoever reports it. Changes nothing. */
  has(member: Member, input: PointSeriesInput): boolean {
    return this.#life.has(member, input);
  }

  /** A point of a sum. An int64 is cut to a double by the caller. */
  sum(
    handle: number,
    temporality: Temporality,
    startUs: number,
    timeUs: number,
    value: number,
    arrivalUs: number,
  ): PointOutcome {
    this.#epochs.arrive(arrivalUs);
    const { sums } = this.#store;
    const clock = this.#life.clockOf(handle, sums);
    if (clock === 0) return 'unknown_series';
    if (!isTime(startUs, timeUs)) return 'time';
    if (!Number.isFinite(value)) return 'not_finite';
    const slot = this.#series.slots.get(clock);
    const isCounter = (sums.series.status.get(slot) & isMonotonic) !== 0;
    if (isCounter && value < 0) return 'negative';
    this.#sum.value = value;
    if (temporality === 'delta') return this.#delta.take(this.#sum, slot, clock, startUs, timeUs);
    return isCounter
      ? this.#cumulative.counter(this.#sum, slot, clock, startUs, timeUs)
      : this.#cumulative.lastValue(this.#sum, slot, clock, startUs, timeUs);
  }

  /** A point of a gauge: any number, also one that is not finite. */
  gauge(handle: number, timeUs: number, value: number, arrivalUs: number): PointOutcome {
    this.#epochs.arrive(arrivalUs);
    const clock = this.#life.clockOf(handle, this.#store.gauges);
    if (clock === 0) return 'unknown_series';
    if (!isTime(0, timeUs)) return 'time';
    this.#gauge.value = value;
    const slot = this.#series.slots.get(clock);
    const outcome = this.#cumulative.lastValue(this.#gauge, slot, clock, 0, timeUs);
    if (outcome === 'merged') this.#store.gauges.windows.report(slot, value, timeUs);
    return outcome;
  }

  /**
   * A point of an explicit histogram, taken whole or not at all. Its buckets are `counts[at, at + width)`; a histogram without buckets has one,
   * and no bounds. A sum that the metric has not is 0; NaN is a min or max that the point has not.
   */
  histogram(
    handle: number,
    temporality: Temporality,
    startUs: number,
    timeUs: number,
    counts: Float64Array,
    at: number,
    width: number,
    sum: number,
    min: number,
    max: number,
    arrivalUs: number,
  ): PointOutcome {
    this.#epochs.arrive(arrivalUs);
    const { histograms } = this.#store;
    const clock = this.#life.clockOf(handle, histograms);
    if (clock === 0) return 'unknown_series';
    if (!isTime(startUs, timeUs)) return 'time';
    const slot = this.#series.slots.get(clock);
    const refusal = this.#histogram.read(slot, counts, at, width, sum, min, max);
    if (refusal !== undefined) return refusal;
    return this.#counter(this.#histogram, temporality, slot, clock, startUs, timeUs);
  }

  /**
   * A point of an exponential histogram, taken whole or not at all. The value is read within the call, so that one can be filled again for
   * each point. Sum, min and max as for explicit histograms. `shape`: scale or buckets that no double needs, or buckets beyond their array.
   */
  exponentialHistogram(
    handle: number,
    temporality: Temporality,
    startUs: number,
    timeUs: number,
    value: ExponentialValue,
    min: number,
    max: number,
    arrivalUs: number,
  ): PointOutcome {
    this.#epochs.arrive(arrivalUs);
    const { exponentialHistograms } = this.#store;
    const clock = this.#life.clockOf(handle, exponentialHistograms);
    if (clock === 0) return 'unknown_series';
    if (!isTime(startUs, timeUs)) return 'time';
    const refusal = this.#exponential.read(value, min, max);
    if (refusal !== undefined) return refusal;
    const slot = this.#series.slots.get(clock);
    return this.#counter(this.#exponential, temporality, slot, clock, startUs, timeUs);
  }

  /** A point of a summary, whose quantiles have the values `values[at, at + width)`, which may be any. Count and sum are cumulative. */
  summary(
    handle: number,
    startUs: number,
    timeUs: number,
    count: number,
    sum: number,
    values: Float64Array,
    at: number,
    width: number,
    arrivalUs: number,
  ): PointOutcome {
    this.#epochs.arrive(arrivalUs);
    const { summaries } = this.#store;
    const clock = this.#life.clockOf(handle, summaries);
    if (clock === 0) return 'unknown_series';
    if (!isTime(startUs, timeUs)) return 'time';
    const slot = this.#series.slots.get(clock);
    const refusal = this.#summary.read(slot, count, sum, values, at, width);
    if (refusal !== undefined) return refusal;
    return this.#cumulative.counter(this.#summary, slot, clock, startUs, timeUs);
  }

  /** A point that says that the series has no value at this time: OTLP's flag, Prometheus' staleness marker. What it counted stays. */
  withoutValue(handle: number, timeUs: number, arrivalUs: number): PointOutcome {
    this.#epochs.arrive(arrivalUs);
    const state = this.#life.stateOf(handle);
    const clock = state === undefined ? 0 : this.#life.clockOf(handle, state);
    if (clock === 0) return 'unknown_series';
    if (!isTime(0, timeUs)) return 'time';
    if (timeUs < this.#store.timesUs[clock]!) return 'late';
    this.#life.markWithoutValue(state!, clock, timeUs);
    if (state!.kind === 'gauge') state!.windows.skip(this.#series.slots.get(clock), timeUs);
    return 'without_value';
  }

  /** The series is not reported any more: `gone`, its state is freed once readers have seen it, or `idle`, it may come back. Safe when it is not known. */
  retire(handle: number, reason: 'gone' | 'idle', nowUs: number): void {
    this.#life.retire(handle, reason, nowUs);
  }

  /**
   * Series without a point for `stalenessUs` leave gauges and up-down sums; those that left longer than `evictionUs` ago are ended, and the
   * horizon moves to where they left. Walks all series; called every few seconds, each time before the store releases what has ended.
   * Members as a whole are the caller's. Gives whether anything has changed.
   */
  expire(nowUs: number, stalenessUs: number, evictionUs: number): boolean {
    return this.#life.expire(nowUs, stalenessUs, evictionUs);
  }

  /** Other rules from now on. */
  change(rules: Partial<PointRules>): void {
    this.#epochs.rules = { ...this.#epochs.rules, ...rules };
  }

  /** For a snapshot: what is known of series beyond the store. */
  snapshotParts(): readonly SnapshotPart[] {
    return [...this.#series.snapshotParts(), ...this.#intervals.snapshotParts()];
  }

  /** The parts have been loaded, and the store before them. @throws SnapshotError when they do not fit */
  checkLoaded(reader: SnapshotReader): void {
    checkPoints(this.#series, this.#intervals, this.#store, reader);
    this.#series.recount();
  }

  #counter(
    cell: PointCell,
    temporality: Temporality,
    slot: number,
    clock: number,
    startUs: number,
    timeUs: number,
  ): PointOutcome {
    return temporality === 'delta'
      ? this.#delta.take(cell, slot, clock, startUs, timeUs)
      : this.#cumulative.counter(cell, slot, clock, startUs, timeUs);
  }
}

/** The latest time that is told apart in microseconds. */
const maxTimeUs = 2 ** 52;

function isTime(startUs: number, timeUs: number): boolean {
  return timeUs > 0 && timeUs < maxTimeUs && startUs >= 0 && startUs <= timeUs;
}
