import { maxHeldBuckets } from './exponential-comparison.ts';
import { ExponentialCounts } from './exponential-counts.ts';
import { bucketIndex, maxScale, neighbour } from './exponential-mapping.ts';
import type { HistogramState } from './histogram.ts';

const smallestNormal = 2 ** -1022;

/** Whether histograms with these bounds can be put into exponential buckets: without a bound above zero nothing tells where measurements lie. */
export function isConvertible(explicitBounds: readonly number[]): boolean {
  return (explicitBounds.at(-1) ?? 0) > 0;
}

/**
 * Where the buckets of explicit histograms with the same bounds go: each whole into one exponential bucket, always the same, so that counts
 * stay whole numbers and never fall. docs/aggregation.md states the rule and its error. The bounds are convertible.
 */
export class ExplicitPlacement {
  readonly zeroThreshold: number;
  /** By explicit bucket, the index at the finest scale. */
  readonly #indexes: Int32Array;
  /** By explicit bucket: 1 positive, -1 negative, 0 the zero count. */
  readonly #signs: Int8Array;

  constructor(explicitBounds: readonly number[]) {
    const edges = [-Infinity, ...explicitBounds, Infinity];
    const buckets = edges.length - 1;
    let threshold = 0;
    for (let b = 0; b < buckets; b++) {
      const [lower, upper] = [edges[b]!, edges[b + 1]!];
      if (lower > 0 || upper < 0) continue;
      threshold = Math.max(threshold, upper, lower === -Infinity ? 0 : -lower);
    }
    this.zeroThreshold = threshold;
    this.#indexes = new Int32Array(buckets);
    this.#signs = new Int8Array(buckets);
    for (let b = 0; b < buckets; b++) {
      const [lower, upper] = [edges[b]!, edges[b + 1]!];
      if (lower <= 0 && upper >= 0) continue;
      const [near, far] = upper < 0 ? [-upper, -lower] : [lower, upper];
      // Without an end, just beyond where it begins; otherwise the middle by ratio, as the product of roots, since the product may overflow.
      // Rounding must not take it out of the bucket, which does not hold its lower bound.
      const middle =
        far === Infinity
          ? Math.min(above(Math.max(near, threshold)), Number.MAX_VALUE)
          : Math.max(Math.sqrt(near) * Math.sqrt(far), Math.min(above(near), far));
      if (middle <= threshold) continue;
      this.#signs[b] = upper < 0 ? -1 : 1;
      this.#indexes[b] = bucketIndex(Math.max(middle, smallestNormal), maxScale);
    }
  }

  /** Adds the count of an explicit bucket. */
  add(bucket: number, count: number, to: ExponentialCounts): void {
    const sign = this.#signs[bucket]!;
    if (sign === 0) to.zeroCount += count;
    else to.place(this.#indexes[bucket]!, sign < 0, count);
  }
}

function above(value: number): number {
  return neighbour(value, 1n);
}

/** Explicit histograms as if they were exponential ones. */
export class ExponentialFromExplicit {
  readonly #histograms: HistogramState;
  readonly #boundsOf: (slot: number) => readonly number[];
  readonly #placements = new WeakMap<readonly number[], ExplicitPlacement>();
  readonly #counts = new ExponentialCounts();

  /** `boundsOf` gives the bounds of the histogram in a slot, as the same array for the same metric. */
  constructor(histograms: HistogramState, boundsOf: (slot: number) => readonly number[]) {
    this.#histograms = histograms;
    this.#boundsOf = boundsOf;
  }

  get series(): HistogramState['series'] {
    return this.#histograms.series;
  }

  /** Adds what a series has counted since the store began. */
  addCounted(slot: number, to: ExponentialCounts): void {
    const histograms = this.#histograms;
    const bounds = this.#boundsOf(slot);
    let placement = this.#placements.get(bounds);
    if (placement === undefined) {
      placement = new ExplicitPlacement(bounds);
      this.#placements.set(bounds, placement);
    }
    const counts = this.#counts;
    // No finer than where they go: that is what they would become.
    counts.begin(to.scale, placement.zeroThreshold, maxHeldBuckets);
    const first = histograms.firstCell.get(slot);
    for (let b = 0; b <= bounds.length; b++) {
      const count = histograms.counted(first + b);
      if (count !== 0) placement.add(b, count, counts);
    }
    counts.sum = histograms.sums.get(slot) + histograms.sumOffsets.get(slot);
    to.add(counts, 1);
  }
}
