import type { ExponentialValue } from '../../../otel/state/exponential-value.ts';

/** The index of the first bucket, and the counts from there on. */
type Side = readonly [offset: number, counts: Iterable<number>];

/** An exponential histogram as a source gives it; what is left out is 0 or empty. */
export function exponentialValue(
  of: Partial<Pick<ExponentialValue, 'scale' | 'zeroThreshold' | 'zeroCount' | 'sum'>> & {
    readonly positive?: Side;
    readonly negative?: Side;
  },
): ExponentialValue {
  const run = ([offset, list]: Side) => {
    const counts = Float64Array.from(list);
    return { offset, counts, start: 0, length: counts.length };
  };
  const { scale = 0, zeroThreshold = 0, zeroCount = 0, sum = 0, positive = [0, []], negative = [0, []] } = of;
  return { scale, zeroThreshold, zeroCount, sum, positive: run(positive), negative: run(negative) };
}
