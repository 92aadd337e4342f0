import fc from 'fast-check';
import { ExponentialCounts } from '../../../otel/state/exponential-counts.ts';
import type { ExponentialRows } from '../../../otel/state/exponential-rows.ts';
import type { BucketRun, ExponentialValue } from '../../../otel/state/exponential-value.ts';
import { type ModelHistogram, modelBoundary, modelHistogram } from './exponential-model.ts';

const side = fc
  .uniqueArray(fc.tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: 1, max: 50 })), {
    maxLength: 6,
    selector: ([index]) => index,
  })
  .map((cells) => new Map(cells));

export const scales = fc.integer({ min: -2, max: 4 });

/** None, some doubles, and upper boundaries of buckets. */
export const thresholds = fc.oneof(
  fc.constant(0),
  fc.constantFrom(0.01, 0.5, 1, 1.2, 1.5, 3, 7.3),
  fc
    .tuple(fc.integer({ min: -10, max: 10 }), fc.integer({ min: -2, max: 4 }))
    .map(([index, scale]) => modelBoundary(index, scale)),
);

/** Histograms with few buckets near 1, so that they meet. */
export function histograms(
  parts: { scale?: fc.Arbitrary<number>; zeroThreshold?: fc.Arbitrary<number> } = {},
): fc.Arbitrary<ModelHistogram> {
  return fc.record({
    scale: parts.scale ?? scales,
    zeroThreshold: parts.zeroThreshold ?? thresholds,
    zeroCount: fc.nat(20),
    positive: side,
    negative: side,
    sum: fc.integer({ min: -1000, max: 1000 }),
  });
}

/** A side as an offset and a run, with some zeros at its ends and some cells before it that do not belong to it. */
function run(counts: ReadonlyMap<number, number>): BucketRun {
  const low = Math.min(...counts.keys(), 0) - 1;
  const high = Math.max(...counts.keys(), 0) + 2;
  const cells = new Float64Array(3 + high - low).fill(99, 0, 3);
  for (const [index, count] of counts) cells[3 + index - low] = count;
  return counts.size === 0
    ? { offset: 7, counts: cells, start: 3, length: 0 }
    : { offset: low, counts: cells, start: 3, length: high - low };
}

/** A histogram as it is settled, merged or added. */
export function valueOfModel(h: ModelHistogram): ExponentialValue {
  return { ...h, positive: run(h.positive), negative: run(h.negative) };
}

export function countsOf(h: ModelHistogram, maxSize = 10_000): ExponentialCounts {
  const counts = new ExponentialCounts();
  counts.begin(20, 0, maxSize);
  counts.add(valueOfModel(h), 1);
  return counts;
}

export function modelOf(counts: ExponentialCounts): ModelHistogram {
  const { scale, zeroThreshold, zeroCount, sum, positive, negative } = counts;
  const cells = ({ counts, offset, length }: ExponentialCounts['positive']) =>
    new Map(
      [...counts.subarray(0, length)].map((count, i) => [offset + i, count] as const).filter(([, c]) => c),
    );
  return { scale, zeroThreshold, zeroCount, sum, positive: cells(positive), negative: cells(negative) };
}

export function modelOfRow(rows: ExponentialRows, row: number): ModelHistogram {
  if (rows.isNothing(row)) return modelHistogram({ sum: rows.sums.get(row) });
  const counts = new ExponentialCounts();
  counts.begin(20, 0, 10_000);
  rows.addTo(row, counts, 1);
  return modelOf(counts);
}
