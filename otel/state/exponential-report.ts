import { isCount, maxCount } from './counts.ts';
import { sumOf } from './exponential-algebra.ts';
import { isIndex, maxScale, minScale } from './exponential-mapping.ts';
import { type BucketRun, type ExponentialValue, ReusedExponentialValue } from './exponential-value.ts';

/** Why counts are not taken: not a finite number, below zero, no whole number or above 2^53, a scale or bucket that is not needed for any double, below what is held. */
export type ExponentialFault = 'not_finite' | 'negative' | 'out_of_range' | 'fell';

/** The exponential histogram at hand, as its source gave it, without zeros at its ends: its buckets stay where they are. Used again for the next. */
export class ExponentialReport extends ReusedExponentialValue {
  /** Everything that it counts. */
  count = 0;
  /** Why it cannot be taken, and the number at fault; of no meaning otherwise. */
  fault: ExponentialFault = 'not_finite';
  faultyValue = 0;

  /** Gives whether it can be taken: scale and buckets are in range, the threshold finite and not negative, the counts what counts are, also together, the sum finite. */
  read(value: ExponentialValue): boolean {
    this.scale = value.scale;
    this.zeroThreshold = value.zeroThreshold;
    this.zeroCount = value.zeroCount;
    this.sum = value.sum;
    this.positive.setTrimmed(value.positive);
    this.negative.setTrimmed(value.negative);
    return (
      this.#isNumber(this.sum) &&
      this.#isThreshold(this.zeroThreshold) &&
      this.#isCount(this.zeroCount) &&
      this.#isScale() &&
      this.#isSide(this.positive) &&
      this.#isSide(this.negative) &&
      this.#isCountable()
    );
  }

  #isScale(): boolean {
    const { scale } = this;
    return (
      (Number.isInteger(scale) && scale >= minScale && scale <= maxScale) || this.#fail('out_of_range', scale)
    );
  }

  #isSide({ offset, counts, start, length }: BucketRun): boolean {
    if (length === 0) return true;
    const last = offset + length - 1;
    if (!isIndex(offset, this.scale)) return this.#fail('out_of_range', offset);
    if (!isIndex(last, this.scale)) return this.#fail('out_of_range', last);
    for (let i = start; i < start + length; i++) if (!this.#isCount(counts[i]!)) return false;
    return true;
  }

  /** Counts that are right each may be too much together. */
  #isCountable(): boolean {
    const { positive, negative } = this;
    this.count =
      this.zeroCount +
      sumOf(positive.counts, positive.start, positive.length) +
      sumOf(negative.counts, negative.start, negative.length);
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
