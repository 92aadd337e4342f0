import { isCount, maxCount } from './counts.ts';
import { leadingZeros, lengthToLast, sumOf } from './exponential-algebra.ts';
import type { ExponentialCounts } from './exponential-counts.ts';
import { isIndex, maxScale, minScale } from './exponential-mapping.ts';

/** Why counts are not taken: not a finite number, below zero, no whole number or above 2^53, a scale or bucket that is not needed for any double, below what is held. */
export type ExponentialFault = 'not_finite' | 'negative' | 'out_of_range' | 'fell';

const none = new Float64Array(0);

/**
 * The exponential histogram at hand, as its source gave it: its buckets stay where they are. Positive bucket `positiveOffset + i` counts
 * `positive[positiveStart + i]`, for i below `positiveLength`; likewise the negative ones. Used again for the next.
 */
export class ExponentialReport {
  scale = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  positiveOffset = 0;
  positive: Float64Array = none;
  positiveStart = 0;
  positiveLength = 0;
  negativeOffset = 0;
  negative: Float64Array = none;
  negativeStart = 0;
  negativeLength = 0;
  sum = 0;
  /** Everything that it counts. */
  count = 0;
  /** Why it cannot be taken, and the number at fault; of no meaning otherwise. */
  fault: ExponentialFault = 'not_finite';
  faultyValue = 0;

  /** Gives whether it can be taken: scale and buckets are in range, the threshold finite and not negative, the counts what counts are, also together, the sum finite. */
  read(
    scale: number,
    zeroThreshold: number,
    zeroCount: number,
    positiveOffset: number,
    positive: Float64Array,
    positiveStart: number,
    positiveLength: number,
    negativeOffset: number,
    negative: Float64Array,
    negativeStart: number,
    negativeLength: number,
    sum: number,
  ): boolean {
    this.scale = scale;
    this.zeroThreshold = zeroThreshold;
    this.zeroCount = zeroCount;
    this.sum = sum;
    let zeros = leadingZeros(positive, positiveStart, positiveLength);
    this.positive = positive;
    this.positiveOffset = positiveOffset + zeros;
    this.positiveStart = positiveStart + zeros;
    this.positiveLength = lengthToLast(positive, this.positiveStart, positiveLength - zeros);
    zeros = leadingZeros(negative, negativeStart, negativeLength);
    this.negative = negative;
    this.negativeOffset = negativeOffset + zeros;
    this.negativeStart = negativeStart + zeros;
    this.negativeLength = lengthToLast(negative, this.negativeStart, negativeLength - zeros);
    return (
      this.#isNumber(sum) &&
      this.#isThreshold(zeroThreshold) &&
      this.#isCount(zeroCount) &&
      this.#isScale() &&
      this.#isSide(this.positiveOffset, positive, this.positiveStart, this.positiveLength) &&
      this.#isSide(this.negativeOffset, negative, this.negativeStart, this.negativeLength) &&
      this.#isCountable()
    );
  }

  addTo(to: ExponentialCounts): void {
    to.add(
      this.scale,
      this.zeroThreshold,
      this.zeroCount,
      this.positiveOffset,
      this.positive,
      this.positiveStart,
      this.positiveLength,
      this.negativeOffset,
      this.negative,
      this.negativeStart,
      this.negativeLength,
      this.sum,
      1,
    );
  }

  #isScale(): boolean {
    const { scale } = this;
    return (
      (Number.isInteger(scale) && scale >= minScale && scale <= maxScale) || this.#fail('out_of_range', scale)
    );
  }

  #isSide(offset: number, counts: Float64Array, start: number, length: number): boolean {
    if (length === 0) return true;
    const last = offset + length - 1;
    if (!isIndex(offset, this.scale)) return this.#fail('out_of_range', offset);
    if (!isIndex(last, this.scale)) return this.#fail('out_of_range', last);
    for (let i = start; i < start + length; i++) if (!this.#isCount(counts[i]!)) return false;
    return true;
  }

  /** Counts that are right each may be too much together. */
  #isCountable(): boolean {
    this.count =
      this.zeroCount +
      sumOf(this.positive, this.positiveStart, this.positiveLength) +
      sumOf(this.negative, this.negativeStart, this.negativeLength);
    return this.count <= maxCount || this.#fail('out_of_range', this.count);
  }

  #isNumber(value: number): boolean {
    return Number.isFinite(value) || this.#fail('not_finite', value);
  }

  #isThreshold(value: number): boolean {
    if (value >= 0 && value < Infinity) return true;
    return this.#fail(Number.isFinite(value) ? 'negative' : 'not_finite', value);
  }

  #isCount(value: number): boolean {
    if (isCount(value)) return true;
    if (!Number.isFinite(value)) return this.#fail('not_finite', value);
    return this.#fail(value < 0 ? 'negative' : 'out_of_range', value);
  }

  #fail(fault: ExponentialFault, value: number): false {
    this.fault = fault;
    this.faultyValue = value;
    return false;
  }
}
