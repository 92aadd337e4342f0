import type { ExponentialHistogram, Histogram } from '@opentelemetry/sdk-metrics';
import type { ServiceLife } from './service-life.ts';

/** One range of an exponential histogram's buckets. */
export interface HeldRange {
  offset: number;
  /** Grows, and is not shrunk: `length` buckets of it count. */
  counts: Float64Array;
  length: number;
}

/** The state of an explicit histogram. */
export interface HeldHistogram {
  readonly bucketCounts: Float64Array;
  count: number;
  sum: number;
  /** NaN: nothing was measured. Likewise `max`. */
  min: number;
  max: number;
}

/** The state of an exponential histogram; its zero threshold is 0, since the SDK counts exact zeroes only. */
export interface HeldExponential {
  scale: number;
  count: number;
  zeroCount: number;
  readonly positive: HeldRange;
  readonly negative: HeldRange;
  sum: number;
  min: number;
  max: number;
}

/** One series of the service with its newest state, which is changed in place. Sums and gauges have theirs in the state's column, by slot. */
export interface ServiceSeries {
  readonly slot: number;
  readonly key: string;
  /** What Define says of it. Another life of it is another object. */
  life: ServiceLife;
  /** The start time of the SDK's points of this life, microseconds. */
  startUs: number;
  /** Lives so far. */
  lives: number;
  readonly histogram: HeldHistogram | undefined;
  readonly exponential: HeldExponential | undefined;
  /** The collection, and the call of `export`, that held it last. */
  seenIn: number;
  takenIn: number;
  /** It made room for others. */
  isForgotten: boolean;
}

export function emptyHistogram(buckets: number): HeldHistogram {
  return { bucketCounts: new Float64Array(buckets), count: 0, sum: 0, min: Number.NaN, max: Number.NaN };
}

export function emptyExponential(): HeldExponential {
  const range = (): HeldRange => ({ offset: 0, counts: new Float64Array(0), length: 0 });
  return {
    scale: 0,
    count: 0,
    zeroCount: 0,
    positive: range(),
    negative: range(),
    sum: 0,
    min: Number.NaN,
    max: Number.NaN,
  };
}

/** Copies the SDK's value, whose arrays it may use again. */
export function holdHistogram(held: HeldHistogram, { buckets, count, sum, min, max }: Histogram): void {
  held.bucketCounts.set(buckets.counts);
  held.count = count;
  held.sum = sum ?? Number.NaN;
  held.min = min ?? Number.NaN;
  held.max = max ?? Number.NaN;
}

/** Copies the SDK's value, whose arrays it may use again. */
export function holdExponential(held: HeldExponential, value: ExponentialHistogram): void {
  held.scale = value.scale;
  held.count = value.count;
  held.zeroCount = value.zeroCount;
  holdRange(held.positive, value.positive);
  holdRange(held.negative, value.negative);
  held.sum = value.sum ?? Number.NaN;
  held.min = Number.isFinite(value.min) ? value.min! : Number.NaN;
  held.max = Number.isFinite(value.max) ? value.max! : Number.NaN;
}

function holdRange(
  held: HeldRange,
  { offset, bucketCounts }: { readonly offset: number; readonly bucketCounts: readonly number[] },
): void {
  if (bucketCounts.length > held.counts.length) held.counts = new Float64Array(bucketCounts.length);
  held.counts.set(bucketCounts);
  held.length = bucketCounts.length;
  held.offset = bucketCounts.length === 0 ? 0 : offset;
}
