import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';

/**
 * One series in plain objects, written from "Metrics Data Model" of OpenTelemetry's specification (single writer, temporality, resets and
 * gaps, overlap, delta to cumulative) and docs/aggregation.md, not from the engine. It keeps every point that it counted, and adds
 * up anew each time. A value is a list of counts: one for a sum, one a bucket for a histogram.
 *
 * Deviations from the specification, each because nothing may be counted twice: a late delta is added rather than dropped as "delta
 * to cumulative" allows; an overlap is refused rather than handed on; a start before what was heard last is a baseline.
 */
export interface ReferencePoint {
  readonly temporality: 'cumulative' | 'delta';
  /** Seconds of the source; 0 unknown. */
  readonly start: number;
  readonly time: number;
  readonly value: readonly number[];
}

interface Life {
  /** As told; 0 unknown. */
  start: number;
  readonly points: { time: number; value: readonly number[] }[];
  /** Set aside. */
  readonly base: readonly number[];
}

interface Interval {
  readonly start: number;
  readonly end: number;
  readonly value: readonly number[];
}

export interface ReferenceRules {
  readonly overlap: 'drop' | 'sum';
  readonly tolerance: number;
  readonly remembered: number;
  /** Whether a life that began so long before its point's arrival began after the horizon. */
  readonly isAfterHorizon: (age: number) => boolean;
}

const same = (a: readonly number[], b: readonly number[]) => a.every((n, i) => n === b[i]);
const covers = (a: readonly number[], b: readonly number[]) => a.every((n, i) => n >= b[i]!);
const plus = (a: readonly number[], b: readonly number[]) => a.map((n, i) => n + b[i]!);
const minus = (a: readonly number[], b: readonly number[]) => a.map((n, i) => n - b[i]!);

/** A monotonic sum or histogram. */
export class ReferenceSeries {
  readonly #rules: ReferenceRules;
  readonly #zero: readonly number[];
  /** What lives and deltas that are over came to. */
  #before: readonly number[];
  #life: Life | undefined;
  #intervals: Interval[] | undefined;
  #added: readonly number[];

  constructor(width: number, rules: ReferenceRules) {
    this.#rules = rules;
    this.#zero = Array<number>(width).fill(0);
    this.#before = this.#zero;
    this.#added = this.#zero;
  }

  /** What has been counted. */
  get total(): readonly number[] {
    const now = this.#life === undefined ? this.#zero : minus(this.#held(this.#life), this.#life.base);
    return plus(plus(this.#before, now), this.#added);
  }

  /** Takes a point, and gives what becomes of it. */
  take(point: ReferencePoint): PointOutcome {
    return point.temporality === 'delta' ? this.#delta(point) : this.#cumulative(point);
  }

  /** Within a life the maximum holds. */
  #held(life: Life): readonly number[] {
    return life.points.reduce((held, { value }) => (covers(value, held) ? value : held), this.#zero);
  }

  #newest(): number {
    const times = this.#life?.points.map(({ time }) => time) ?? this.#intervals?.map(({ end }) => end) ?? [];
    return Math.max(0, ...times);
  }

  #open(start: number, point: ReferencePoint, isWhole: boolean): void {
    this.#before = this.total;
    this.#added = this.#zero;
    this.#intervals = undefined;
    const { time, value } = point;
    this.#life = { start, points: [{ time, value }], base: isWhole ? this.#zero : value };
  }

  #cumulative(point: ReferencePoint): PointOutcome {
    const { start, time, value } = point;
    const { tolerance, isAfterHorizon } = this.#rules;
    const life = this.#life;
    const newest = this.#newest();
    const isTold = start !== 0 && start !== time;
    const restart = (): PointOutcome => {
      const isWhole = isTold && start >= newest && isAfterHorizon(time - start);
      this.#open(start, point, isWhole);
      return isWhole || same(value, this.#zero) ? 'merged' : 'baseline';
    };
    if (life === undefined) return this.#intervals !== undefined && time <= newest ? 'late' : restart();
    const held = this.#held(life);
    const first = life.points[0]!.time;
    const isNewer = time > newest;
    const goesOn = covers(value, held);
    if (isTold && life.start === 0 && start > first) return restart();
    if (isTold && life.start !== 0 && start !== life.start) {
      const apart = start - life.start;
      if (apart < -tolerance) return 'epoch_old';
      if (apart > tolerance) return restart();
      if (apart > 0 && isNewer && !goesOn) return restart();
    }
    if (!isNewer) {
      if (same(value, held)) return time === newest ? 'duplicate' : 'late';
      if (!goesOn) return 'late';
      if (time < first) return 'epoch_old';
      life.points.push({ time, value });
      return 'merged_late';
    }
    if (goesOn) {
      life.points.push({ time, value });
      if (start !== 0) life.start = start;
      return 'merged';
    }
    this.#open(start, point, !isTold);
    return isTold ? 'fell' : 'merged';
  }

  #delta(point: ReferencePoint): PointOutcome {
    const { start, time, value } = point;
    const { overlap, remembered } = this.#rules;
    const newest = this.#newest();
    let outcome: PointOutcome = time > newest || this.#intervals === undefined ? 'merged' : 'merged_late';
    if (this.#life !== undefined) {
      // The life counted all until its newest point.
      if (time <= newest) return 'late';
      const from = this.#life.start === 0 ? -Infinity : this.#life.start;
      if (start !== 0 && start < newest) {
        if (overlap === 'drop') return 'overlap';
        outcome = 'overlap_summed';
      }
      this.#before = this.total;
      this.#life = undefined;
      this.#intervals = [{ start: from, end: newest, value: [NaN] }];
    } else if (this.#intervals !== undefined) {
      const last = this.#last(remembered);
      if (last.some((one) => one.start === start && one.end === time && same(one.value, value)))
        return 'duplicate';
      if (last.length === remembered && last.every(({ end }) => time <= end)) return 'too_late';
      if (last.some((one) => start !== 0 && one.start !== 0 && start < one.end && time > one.start)) {
        if (overlap === 'drop') return 'overlap';
        outcome = 'overlap_summed';
      }
    }
    this.#intervals ??= [];
    this.#intervals.push({ start, end: time, value });
    this.#added = plus(this.#added, value);
    return outcome;
  }

  /** Those that end last; of equal ends, those that came last. */
  #last(remembered: number): Interval[] {
    const sorted = this.#intervals!.map((one, i) => ({ one, i })).sort(
      (a, b) => a.one.end - b.one.end || a.i - b.i,
    );
    return sorted.slice(-remembered).map(({ one }) => one);
  }
}
