import { finiteTotal, maxCount } from './counts.ts';
import { isPopulated, leadingZeros, lengthThrough, shiftToFit, sumOf } from './exponential-algebra.ts';
import { bucketIndex, maxScale, upperBoundary } from './exponential-mapping.ts';
import { type BucketRun, type ExponentialValue, ReusedBucketRun } from './exponential-value.ts';
import { BucketWindow } from './exponential-window.ts';

/**
 * One exponential histogram that others are added to: its scale falls, and its zero threshold rises, as far as they ask for, and as far as
 * it takes to have at most so many buckets on either side. Both sides have the same scale. All of it is exact: what was added before and
 * what comes are brought to the coarser scale by joining whole buckets, and to the higher zero threshold by moving what lies below to the
 * zero count. A threshold within a bucket that counts something rises to that bucket's upper boundary. Allocates only to grow.
 */
export class ExponentialCounts implements ExponentialValue {
  scale = maxScale;
  zeroThreshold = 0;
  zeroCount = 0;
  sum = 0;
  readonly positive = new BucketWindow();
  readonly negative = new BucketWindow();
  #maxSize = 0;

  /** Counts nothing, in this scale at the finest, from this zero threshold, in at most so many buckets on either side, 2 or more. */
  begin(scale: number, zeroThreshold: number, maxSize: number): void {
    this.scale = scale;
    this.zeroThreshold = zeroThreshold;
    this.zeroCount = 0;
    this.sum = 0;
    this.positive.clear();
    this.negative.clear();
    this.#maxSize = maxSize;
  }

  /** Whether any bucket or the zero count is not zero. */
  get isNothing(): boolean {
    return this.zeroCount === 0 && this.positive.isNothing && this.negative.isNothing;
  }

  /** Everything that it counts. */
  get count(): number {
    const { positive, negative } = this;
    return (
      this.zeroCount + sumOf(positive.counts, 0, positive.length) + sumOf(negative.counts, 0, negative.length)
    );
  }

  /**
   * Adds a histogram, `factor` times: 1, or -1 to take it away. A histogram that counts nothing has no say in scale and threshold, and one
   * without buckets none in the scale: sources give any scale then.
   */
  add(value: ExponentialValue, factor: number): void {
    const { scale, zeroThreshold, zeroCount } = value;
    this.sum += factor * value.sum;
    const { positive, negative } = atHand;
    positive.setTrimmed(value.positive);
    negative.setTrimmed(value.negative);
    const hasBuckets = positive.length > 0 || negative.length > 0;
    if (!hasBuckets && zeroCount === 0) return;
    if (zeroThreshold > this.zeroThreshold && !hasBuckets) this.raiseZeroThreshold(zeroThreshold);
    this.zeroCount += factor * zeroCount;
    if (!hasBuckets) return;
    if (scale < this.scale) this.downscaleTo(scale);
    let by = scale - this.scale;
    if (zeroThreshold > this.zeroThreshold) this.raiseZeroThreshold(zeroThreshold);
    if (zeroThreshold < this.zeroThreshold) {
      let through = bucketIndex(this.zeroThreshold, this.scale);
      const boundary = upperBoundary(through, this.scale);
      if (this.zeroThreshold < boundary) {
        if (isPopulated(positive, by, through) || isPopulated(negative, by, through))
          this.raiseZeroThreshold(boundary);
        else through--;
      }
      this.zeroCount += factor * takeThrough(positive, by, through);
      this.zeroCount += factor * takeThrough(negative, by, through);
    }
    const shift = Math.max(
      this.#shiftFor(this.positive, positive, by),
      this.#shiftFor(this.negative, negative, by),
    );
    if (shift > 0) {
      this.downscaleTo(this.scale - shift);
      by += shift;
    }
    this.positive.add(positive, by, factor);
    this.negative.add(negative, by, factor);
  }

  /** Counts one bucket more, whose index is at the finest scale, and which is above the zero threshold. */
  place(index: number, isNegative: boolean, count: number): void {
    const window = isNegative ? this.negative : this.positive;
    let at = index >> (maxScale - this.scale);
    const shift = this.#shiftToReach(window, at, at);
    if (shift > 0) {
      this.downscaleTo(this.scale - shift);
      at >>= shift;
    }
    window.reach(at, at);
    window.counts[at - window.offset]! += count;
  }

  /** Makes it coarser: no scale but one that is at most its own. */
  downscaleTo(scale: number): void {
    const by = this.scale - scale;
    if (by <= 0) return;
    this.positive.downscale(by);
    this.negative.downscale(by);
    this.scale = scale;
  }

  /** Moves what is below to the zero count. No threshold but one that is at least its own. */
  raiseZeroThreshold(threshold: number): void {
    if (threshold <= this.zeroThreshold) return;
    this.zeroThreshold = threshold;
    const { positive, negative } = this;
    if (positive.length === 0 && negative.length === 0) return;
    let through = bucketIndex(threshold, this.scale);
    const boundary = upperBoundary(through, this.scale);
    if (threshold < boundary) {
      if (positive.isPopulated(through) || negative.isPopulated(through)) this.zeroThreshold = boundary;
      else through--;
    }
    this.zeroCount += positive.takeThrough(through) + negative.takeThrough(through);
    // Nor may zeros at the new ends take room from what comes.
    this.trim();
  }

  /** Leaves out the zeros at the ends of both sides. */
  trim(): void {
    this.positive.trim();
    this.negative.trim();
  }

  /** What many have counted together may be more than can be told: then it stays at the highest count. Gives whether it was. */
  limit(): boolean {
    this.sum = finiteTotal(this.sum);
    const zeroCount = Math.min(maxCount, Math.max(0, this.zeroCount));
    let isLimited = this.positive.limit(maxCount);
    isLimited = this.negative.limit(maxCount) || isLimited || zeroCount !== this.zeroCount;
    this.zeroCount = zeroCount;
    if (isLimited) this.trim();
    return isLimited;
  }

  /** Becomes equal to another one. */
  copyFrom(other: ExponentialCounts): void {
    this.begin(other.scale, other.zeroThreshold, other.#maxSize);
    this.zeroCount = other.zeroCount;
    this.sum = other.sum;
    this.positive.copyFrom(other.positive);
    this.negative.copyFrom(other.negative);
  }

  /** By how much the scale has to fall until a window can take a run that is finer by `by`. */
  #shiftFor(window: BucketWindow, { offset, length }: BucketRun, by: number): number {
    return length === 0 ? 0 : this.#shiftToReach(window, offset >> by, (offset + length - 1) >> by);
  }

  #shiftToReach(window: BucketWindow, low: number, high: number): number {
    if (window.length > 0) {
      low = Math.min(low, window.offset);
      high = Math.max(high, window.offset + window.length - 1);
    }
    return shiftToFit(low, high, this.#maxSize);
  }
}

/** The buckets that are being added. Adding is one synchronous step, so that one pair is enough. */
const atHand = { positive: new ReusedBucketRun(), negative: new ReusedBucketRun() };

/** Takes the buckets up to an index of the scale that is coarser by `by` out of a run. Gives what they counted. */
function takeThrough(run: ReusedBucketRun, by: number, index: number): number {
  const taken = lengthThrough(run.offset, run.length, by, index);
  const count = sumOf(run.counts, run.start, taken);
  run.dropFirst(taken);
  // The gap between what went and the first bucket that counts must not take a coarser scale.
  run.dropFirst(leadingZeros(run.counts, run.start, run.length));
  return count;
}

/** Brings two histograms to one scale and one zero threshold, which is the least change that makes them comparable bucket by bucket. */
export function bringTogether(one: ExponentialCounts, other: ExponentialCounts): void {
  const scale = Math.min(one.scale, other.scale);
  one.downscaleTo(scale);
  other.downscaleTo(scale);
  one.raiseZeroThreshold(other.zeroThreshold);
  other.raiseZeroThreshold(one.zeroThreshold);
  // Only to a boundary of their scale, which moves no further.
  one.raiseZeroThreshold(other.zeroThreshold);
}
