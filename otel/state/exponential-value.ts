import { leadingZeros, lengthToLast } from './exponential-algebra.ts';

/** A run of bucket counts, which stay where they are: bucket `offset + i` counts `counts[start + i]`, for i below `length`. */
export interface BucketRun {
  readonly offset: number;
  readonly counts: Float64Array;
  readonly start: number;
  readonly length: number;
}

/** What an exponential histogram counts: in the terms of OTLP's ExponentialHistogramDataPoint, without min and max. */
export interface ExponentialValue {
  readonly scale: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: BucketRun;
  readonly negative: BucketRun;
}

const none = new Float64Array(0);

/** A run that is set anew for each value, so that none is allocated. */
export class ReusedBucketRun implements BucketRun {
  offset = 0;
  counts: Float64Array = none;
  start = 0;
  length = 0;

  set(offset: number, counts: Float64Array, start: number, length: number): void {
    this.offset = offset;
    this.counts = counts;
    this.start = start;
    this.length = length;
  }

  /** Becomes another run without the zeros at its ends. */
  setTrimmed({ offset, counts, start, length }: BucketRun): void {
    const zeros = leadingZeros(counts, start, length);
    this.set(offset + zeros, counts, start + zeros, lengthToLast(counts, start + zeros, length - zeros));
  }

  /** Leaves out so many buckets at its begin. */
  dropFirst(dropped: number): void {
    this.offset += dropped;
    this.start += dropped;
    this.length -= dropped;
  }
}

/** A value that is filled, handed on, and filled again for the next: whoever is given it reads it at once. */
export class ReusedExponentialValue implements ExponentialValue {
  scale = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  sum = 0;
  readonly positive = new ReusedBucketRun();
  readonly negative = new ReusedBucketRun();
}
