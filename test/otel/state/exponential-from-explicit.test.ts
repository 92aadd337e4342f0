import test from 'ava';
import fc from 'fast-check';
import { ExponentialCounts } from '../../../otel/state/exponential-counts.ts';
import { ExponentialFromExplicit, isConvertible } from '../../../otel/state/exponential-from-explicit.ts';
import { HistogramState } from '../../../otel/state/histogram.ts';
import { fromZero } from '../../../otel/state/series-columns.ts';
import { modelOf } from './exponential-arbitraries.ts';
import { type ModelHistogram, modelBoundary, modelCount } from './exponential-model.ts';

/** Explicit counts as exponential ones. */
function convert(
  bounds: readonly number[],
  counts: readonly number[],
  sum = 0,
  maxSize = 1024,
): ModelHistogram {
  const histograms = new HistogramState();
  const slot = histograms.allocate(counts.length);
  histograms.series.status.set(slot, histograms.series.status.get(slot) | fromZero);
  histograms.settle(slot, Float64Array.from(counts), 0, sum);
  const to = new ExponentialCounts();
  to.begin(20, 0, maxSize);
  new ExponentialFromExplicit(histograms, () => bounds).addCounted(slot, to);
  return modelOf(to);
}

function only(bounds: readonly number[], bucket: number): ModelHistogram {
  return convert(
    bounds,
    Array.from({ length: bounds.length + 1 }, (_, b) => (b === bucket ? 1 : 0)),
  );
}

/** The buckets that anything is in, as the range of values that they stand for. */
function ranges({ positive, negative, scale }: ModelHistogram): [number, number][] {
  const coarse = Math.min(scale, 6);
  const range = (index: number): [number, number] => {
    const at = Math.floor(index / 2 ** (scale - coarse));
    return [modelBoundary(at - 1, coarse), modelBoundary(at, coarse)];
  };
  return [
    ...[...positive.keys()].map(range),
    ...[...negative.keys()].map(
      (index) =>
        range(index)
          .map((value) => -value)
          .reverse() as [number, number],
    ),
  ];
}

const bounds = fc
  .uniqueArray(
    fc.oneof(
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.constantFrom(0.005, 0.25, 1, 1 + 2 ** -52, 5, 2500),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => list.sort((a, b) => a - b));

test('a finite bucket is off by at most the square root of the ratio of its bounds, and one exponential bucket', (t) => {
  fc.assert(
    fc.property(bounds, fc.nat(11), fc.double({ min: 0, max: 1, noNaN: true }), (list, pick, part) => {
      const bucket = pick % list.length;
      const converted = only(list, bucket);
      t.is(modelCount(converted), 1);
      t.is(converted.zeroThreshold, list[0]);
      if (bucket === 0) {
        t.is(converted.zeroCount, 1);
        return;
      }
      const [lower, upper] = [list[bucket - 1], list[bucket]];
      const measured = Math.min(upper, lower * (upper / lower) ** part);
      const [[low, high]] = ranges(converted);
      const bound = Math.sqrt(upper / lower) * (1 + 1e-12);
      // Whatever is read off the exponential bucket, which is at most one wide.
      for (const estimate of [low, high]) {
        const off = Math.max(estimate / measured, measured / estimate);
        t.true(off <= bound * 2 ** (2 ** -6), `${measured} in (${lower}, ${upper}] is read as ${estimate}`);
      }
    }),
    { numRuns: 200 },
  );
});

test('counts are conserved, and each only grows', (t) => {
  const grown = fc
    .tuple(bounds, fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 13, maxLength: 13 }))
    .map(([list, counts]) => [list, counts.slice(0, list.length + 1)] as const);
  fc.assert(
    fc.property(grown, fc.integer({ min: 2, max: 160 }), ([list, counts], maxSize) => {
      const before = convert(
        list,
        counts.map(([count]) => count),
        3,
        maxSize,
      );
      const after = convert(
        list,
        counts.map(([count, more]) => count + more),
        5,
        maxSize,
      );
      t.is(
        modelCount(before),
        counts.reduce((sum, [count]) => sum + count, 0),
      );
      t.is(after.sum, 5);
      t.true(after.scale <= before.scale);
      t.true(after.zeroCount >= before.zeroCount);
      const by = before.scale - after.scale;
      const joined = new Map<number, number>();
      for (const [index, count] of before.positive) {
        const at = Math.floor(index / 2 ** by);
        joined.set(at, (joined.get(at) ?? 0) + count);
      }
      for (const [index, count] of joined) t.true(count <= after.positive.get(index)!);
    }),
    { numRuns: 200 },
  );
});

test('buckets without an end, around zero and below it', (t) => {
  const mixed = [-10, -2, -1, 3, 12];
  t.deepEqual(
    ranges(only(mixed, 0)).map(([low, high]) => low < -10 && high <= -10 / 1.02),
    [true],
  );
  const [[low, high]] = ranges(only(mixed, 1));
  t.true(low <= -Math.sqrt(20) && high >= -Math.sqrt(20) && high / low > 0.98);
  // The middle of -2 and -1 is within the threshold that 3 takes to be zero.
  t.deepEqual([only(mixed, 2).zeroCount, only(mixed, 3).zeroCount, only(mixed, 3).zeroThreshold], [1, 1, 3]);
  t.deepEqual(
    ranges(only(mixed, 4)).map(([from, to]) => from <= 6 && 6 <= to),
    [true],
  );
  const [[last]] = ranges(only(mixed, 5));
  t.is(last, modelBoundary(Math.floor(Math.log2(12) * 64) - 1, 6));
  // Above a power of two, which is the end of the bucket below.
  t.deepEqual(
    ranges(only([1, 16], 2)).map(([from]) => from),
    [16],
  );
  t.deepEqual([only([0, 5], 0).zeroCount, only([0, 5], 0).zeroThreshold], [1, 5]);
  t.is(modelCount(only([Number.MAX_VALUE], 1)), 1);
  t.is(only([5e-324, 1e-320], 1).scale, 20);
});

test('bounds that tell where measurements lie', (t) => {
  t.deepEqual([[], [0], [-5, 0], [-1], [1], [-1, 0, 1e-300]].map(isConvertible), [
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
});
