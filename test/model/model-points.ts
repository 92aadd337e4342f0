import type { PointOutcome } from '../../otel/state/intake/point-outcome.ts';
import type { ModelSeries } from './model-series.ts';
import { type Amount, countOf, countsSame, goesOn, isSame, plus } from './model-values.ts';

/*
 * Points without epochs: docs/aggregation.md, "Where a source has no epoch". Written from it and from "Metrics Data Model" of OpenTelemetry's
 * specification (single writer, temporality, resets and gaps, overlap, delta to cumulative).
 */

export interface SentPoint {
  /** Of gauges and summaries neither. */
  readonly temporality: 'cumulative' | 'delta';
  /** 0: not told. */
  readonly startUs: number;
  readonly timeUs: number;
  /** `undefined`: the point says that there is none. */
  readonly value: Amount | undefined;
  readonly min: number;
  readonly max: number;
}

export interface ModelPointRules {
  readonly overlap: 'drop' | 'sum';
  readonly delayMarginUs: number;
  readonly startToleranceUs: number;
}

/** Delta intervals that are remembered. */
const remembered = 8;

interface Interval {
  readonly startUs: number;
  readonly endUs: number;
  readonly value: Amount | undefined;
}

/** What became of a point, and what of it was counted or set aside. */
export interface Taken {
  readonly outcome: PointOutcome;
  readonly counted?: number;
  readonly setAside?: number;
}

/** What the points of one series have said. */
export class PointHistory {
  readonly #rules: ModelPointRules;
  #temporality: 'none' | 'cumulative' | 'delta' = 'none';
  /** Of the present epoch: its start as it was told last, and the time of its first point. */
  #startUs = 0;
  #firstUs = 0;
  #intervals: Interval[] = [];

  constructor(rules: ModelPointRules) {
    this.#rules = rules;
  }

  take(series: ModelSeries, point: SentPoint, nowUs: number, horizonUs: number): Taken {
    const { of } = series;
    if (point.timeUs <= 0 || point.startUs < 0 || point.startUs > point.timeUs) return { outcome: 'time' };
    const { value } = point;
    if (value === undefined) return this.#withoutValue(series, point);
    if (of.metric.kind === 'sum' && Array.isArray(value)) {
      if (!Number.isFinite(value[0])) return { outcome: 'not_finite' };
      if (of.metric.isMonotonic && value[0] < 0) return { outcome: 'negative' };
    }
    const said = { ...point, value };
    const hasTemporality = of.metric.kind !== 'gauge' && of.metric.kind !== 'summary';
    if (hasTemporality && point.temporality === 'delta') return this.#delta(series, said);
    const isLastValue = of.metric.kind === 'gauge' || (of.metric.kind === 'sum' && !of.metric.isMonotonic);
    if (series.held === undefined || this.#temporality !== 'cumulative')
      return this.#begin(series, said, nowUs, horizonUs);
    return isLastValue ? this.#lastValue(series, said) : this.#counter(series, said, nowUs, horizonUs);
  }

  /** "No recorded value": from that time on, until a newer value comes. */
  #withoutValue(series: ModelSeries, { timeUs }: SentPoint): Taken {
    if (timeUs < series.clock.timeUs) return { outcome: 'late' };
    if (series.held === undefined) return { outcome: 'without_value' };
    series.isFlagged = true;
    series.clock.timeUs = timeUs;
    return { outcome: 'without_value' };
  }

  /** The first cumulative point, or the first after deltas. */
  #begin(series: ModelSeries, point: Said, nowUs: number, horizonUs: number): Taken {
    const newestUs = this.#temporality === 'none' ? 0 : series.clock.timeUs;
    if (this.#temporality !== 'none' && point.timeUs <= newestUs) return { outcome: 'late' };
    this.#temporality = 'cumulative';
    this.#intervals = [];
    return this.#open(series, point, this.#isWhole(point, newestUs, nowUs, horizonUs), point.startUs);
  }

  /** "Cumulative counters and histograms", row by row. */
  #counter(series: ModelSeries, point: Said, nowUs: number, horizonUs: number): Taken {
    const { startUs, timeUs, value } = point;
    const { metric } = series.of;
    const held = series.held!;
    const newestUs = series.clock.timeUs;
    const isNewer = timeUs > newestUs;
    const isUnknown = startUs === 0 || startUs === timeUs;
    const isBelow = !goesOn(metric, value, held);
    const restart = () =>
      this.#open(series, point, this.#isWhole(point, newestUs, nowUs, horizonUs), startUs);
    if (!isUnknown) {
      const apartUs = startUs - this.#startUs;
      if (this.#startUs === 0) {
        if (startUs > this.#firstUs) return restart();
      } else if (apartUs > this.#rules.startToleranceUs) return restart();
      else if (apartUs < -this.#rules.startToleranceUs) return { outcome: 'epoch_old' };
      // Starts waver, unless the value fell under the later one.
      else if (apartUs > 0 && isNewer && isBelow) return restart();
    }
    if (isNewer && !isBelow) {
      const counted = this.#grow(series, point);
      if (startUs !== 0) this.#startUs = startUs;
      if (series.startUs === 0) series.startUs = startUs;
      return { outcome: 'merged', counted };
    }
    if (isNewer) {
      if (isUnknown) return this.#open(series, point, true, newestUs);
      return { ...this.#open(series, point, false, newestUs), outcome: 'fell' };
    }
    const isEqual = !isBelow && countsSame(metric, value, held);
    if (isEqual) return { outcome: timeUs === newestUs ? 'duplicate' : 'late' };
    if (isBelow) return { outcome: 'late' };
    if (timeUs < this.#firstUs) return { outcome: 'epoch_old' };
    return { outcome: 'merged_late', counted: this.#grow(series, point) };
  }

  /** "Gauges, up-down sums, summaries": the newest by time holds, and of the same time the one that came last. */
  #lastValue(series: ModelSeries, point: Said): Taken {
    const { startUs, timeUs, value } = point;
    const isTold = startUs !== 0 && startUs !== timeUs && this.#startUs !== 0;
    if (isTold && Math.abs(startUs - this.#startUs) > this.#rules.startToleranceUs) {
      if (startUs < this.#startUs) return { outcome: 'epoch_old' };
      return this.#open(series, point, true, startUs);
    }
    const newestUs = series.clock.timeUs;
    if (timeUs === newestUs && isSame(value, series.held!)) return { outcome: 'duplicate' };
    // Once the series is stale, any value replaces the one that left.
    if (timeUs < newestUs && series.isPresent) return { outcome: 'late' };
    series.held = value;
    series.isFlagged = false;
    series.clock.timeUs = timeUs;
    if (startUs !== 0) this.#startUs = startUs;
    if (series.startUs === 0) series.startUs = startUs;
    return { outcome: 'merged' };
  }

  #delta(series: ModelSeries, point: Said): Taken {
    const { startUs, timeUs, value } = point;
    const newestUs = series.clock.timeUs;
    let isOverlap = false;
    if (this.#temporality !== 'delta') {
      if (this.#temporality === 'cumulative') {
        // The life before counted everything until its newest point.
        if (timeUs <= newestUs) return { outcome: 'late' };
        isOverlap = startUs !== 0 && startUs < newestUs;
        if (isOverlap && this.#rules.overlap === 'drop') return { outcome: 'overlap' };
        const from = this.#startUs === 0 ? -Infinity : this.#startUs;
        this.#intervals = [{ startUs: from, endUs: newestUs, value: undefined }];
      }
      this.#temporality = 'delta';
      this.#remember(point);
      const taken = this.#open(series, point, true, startUs);
      this.#startUs = 0;
      return { ...taken, outcome: isOverlap ? 'overlap_summed' : 'merged' };
    }
    const last = this.#intervals;
    if (last.some((one) => one.startUs === startUs && one.endUs === timeUs && isEqual(one.value, value)))
      return { outcome: 'duplicate' };
    if (last.length === remembered && last.every(({ endUs }) => timeUs <= endUs))
      return { outcome: 'too_late' };
    isOverlap = last.some(
      (one) => startUs !== 0 && one.startUs !== 0 && startUs < one.endUs && timeUs > one.startUs,
    );
    if (isOverlap && this.#rules.overlap === 'drop') return { outcome: 'overlap' };
    this.#remember(point);
    const counted = this.#grow(series, { ...point, value: plus(series.held!, value) });
    return { outcome: isOverlap ? 'overlap_summed' : timeUs > newestUs ? 'merged' : 'merged_late', counted };
  }

  /** Those that end last; of equal ends, those that came last. */
  #remember({ startUs, timeUs, value }: Said): void {
    const all = [...this.#intervals, { startUs, endUs: timeUs, value }];
    this.#intervals = all.sort((a, b) => a.endUs - b.endUs).slice(-remembered);
  }

  /** "First sight": an epoch that began after the horizon, and not before what was heard last, counts from zero. */
  #isWhole({ startUs, timeUs }: Said, newestUs: number, nowUs: number, horizonUs: number): boolean {
    if (startUs === 0 || startUs === timeUs || startUs < newestUs) return false;
    return nowUs - (timeUs - startUs) - this.#rules.delayMarginUs > horizonUs;
  }

  #open(series: ModelSeries, point: Said, isWhole: boolean, shownStartUs: number): Taken {
    const { startUs, timeUs, value } = point;
    const { metric } = series.of;
    series.beginEpoch();
    this.#startUs = startUs;
    this.#firstUs = timeUs;
    series.startUs = shownStartUs;
    series.takeFirst(value, isWhole);
    series.takeRange(point.min, point.max);
    series.clock.timeUs = timeUs;
    series.isFlagged = false;
    const isCounted = metric.kind !== 'gauge' && (metric.kind !== 'sum' || metric.isMonotonic);
    // Nothing is ever set aside of what is not counted, and of nothing.
    if (!isCounted || metric.kind === 'summary') return { outcome: 'merged' };
    const amount = countOf(metric, value);
    if (isWhole) return { outcome: 'merged', counted: amount };
    return { outcome: amount === 0 ? 'merged' : 'baseline', setAside: amount };
  }

  #grow(series: ModelSeries, { timeUs, value, min, max }: Said): number {
    const increment = series.takeNext(value);
    series.takeRange(min, max);
    if (timeUs > series.clock.timeUs) {
      series.clock.timeUs = timeUs;
      series.isFlagged = false;
    }
    return countOf(series.of.metric, increment);
  }
}

type Said = SentPoint & { readonly value: Amount };

function isEqual(a: Amount | undefined, b: Amount): boolean {
  return a !== undefined && JSON.stringify(a, asList) === JSON.stringify(b, asList);
}

/** Maps are their entries, in order. */
function asList(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value].sort(([a], [b]) => a - b) : value;
}
