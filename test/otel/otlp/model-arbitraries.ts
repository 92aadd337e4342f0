import fc from 'fast-check';
import { metric } from '../../../otel/model/metric.ts';
import type { PlainAttributes, PlainValue } from '../../sinks/received-points.ts';
import type { ModelExponential, ModelPoint, ModelResource, ModelStream } from './model-collection.ts';

const key = fc
  .oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 80 }))
  .filter((text) => text !== '__proto__');
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 200 }));
const { map: plainAttributes } = fc.letrec<{ value: PlainValue; map: PlainAttributes }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    text,
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 200 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));

const timeUs = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1_700_000_000_000_000, max: 2 ** 53 }),
  fc.maxSafeNat(),
);
const int = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 53, -(2 ** 53), 0, -1, 2 ** 32, -(2 ** 32)));

function pointOf(value: fc.Arbitrary<number>, buckets: number): fc.Arbitrary<ModelPoint> {
  return fc.record({
    attributes: plainAttributes,
    startUs: timeUs,
    timeUs,
    flags: fc.constantFrom(0, 0, 0, 1, 2, 129),
    value,
    counts: fc.array(
      fc.nat({ max: 2 ** 31 - 1 }).map((n) => n * 1000),
      { minLength: buckets, maxLength: buckets },
    ),
    sum: fc.double(),
    min: fc.double(),
    max: fc.double(),
  });
}

const names = {
  name: fc.string({ minLength: 1, maxLength: 40 }),
  unit: fc.constantFrom('', 'By'),
  description: text,
};
const numbers: fc.Arbitrary<ModelStream> = fc
  .record({
    ...names,
    kind: fc.constantFrom('sum', 'gauge'),
    valueType: fc.constantFrom('int', 'double'),
    isMonotonic: fc.boolean(),
    temporality: fc.constantFrom('delta', 'cumulative'),
  })
  .chain(({ temporality, ...description }) =>
    fc
      .array(pointOf(description.valueType === 'int' ? int : fc.double(), 0), { maxLength: 6 })
      .map((points) => ({
        metric: metric(description),
        temporality: description.kind === 'gauge' ? undefined : temporality,
        points,
      })),
  );
const histograms: fc.Arbitrary<ModelStream> = fc
  .record({
    ...names,
    explicitBounds: fc
      .uniqueArray(fc.integer({ min: -1000, max: 1000 }), { maxLength: 20 })
      .map((bounds) => bounds.sort((a, b) => a - b)),
    hasSum: fc.boolean(),
    hasMin: fc.boolean(),
    hasMax: fc.boolean(),
    temporality: fc.constantFrom('delta', 'cumulative'),
  })
  .chain(({ temporality, ...description }) =>
    fc
      .array(pointOf(fc.constant(0), description.explicitBounds.length + 1), { maxLength: 4 })
      .map((points) => ({
        metric: metric({ ...description, kind: 'histogram' }),
        temporality,
        points,
      })),
  );

/** Whole numbers of every length as a varint, few enough that their sum is exact. */
const count = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 44 }).chain((bits) => fc.integer({ min: 0, max: 2 ** bits })),
);
const range = fc.record({
  offset: fc.oneof(fc.integer({ min: -2000, max: 2000 }), fc.constantFrom(0, -(2 ** 31), 2 ** 31 - 1)),
  counts: fc.array(count, { maxLength: 40 }),
});
const exponential: fc.Arbitrary<ModelExponential> = fc.record({
  scale: fc.integer({ min: -10, max: 20 }),
  zeroThreshold: fc.oneof(fc.constant(0), fc.double({ min: 0, noNaN: true })),
  zeroCount: count,
  positive: range,
  negative: range,
});
const exponentials: fc.Arbitrary<ModelStream> = fc
  .record({
    ...names,
    hasSum: fc.boolean(),
    hasMin: fc.boolean(),
    hasMax: fc.boolean(),
    temporality: fc.constantFrom('delta', 'cumulative'),
  })
  .chain(({ temporality, ...description }) =>
    fc.array(fc.tuple(pointOf(fc.constant(0), 0), exponential), { maxLength: 4 }).map((points) => ({
      metric: metric({ ...description, kind: 'exponential_histogram' }),
      temporality,
      points: points.map(([point, value]) => ({ ...point, exponential: value })),
    })),
  );
const summaries: fc.Arbitrary<ModelStream> = fc
  .record({
    ...names,
    quantiles: fc
      .uniqueArray(fc.integer({ min: 0, max: 1000 }), { maxLength: 5 })
      .map((permille) => permille.sort((a, b) => a - b).map((n) => n / 1000)),
  })
  .chain((description) => {
    const { length } = description.quantiles;
    const values = fc.array(fc.double(), { minLength: length, maxLength: length });
    return fc.array(fc.tuple(pointOf(fc.constant(0), 0), count, values), { maxLength: 4 }).map((points) => ({
      metric: metric({ ...description, kind: 'summary' }),
      temporality: undefined,
      points: points.map(([point, n, quantileValues]) => ({ ...point, count: n, quantileValues })),
    }));
  });

/** Collections of every kind, with awkward values of every field. */
export const modelCollections: fc.Arbitrary<ModelResource[]> = fc.array(
  fc.record({
    attributes: plainAttributes,
    scopes: fc.array(
      fc.record({
        name: fc.string({ maxLength: 10 }),
        streams: fc.array(fc.oneof(numbers, histograms, exponentials, summaries), { maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
  }),
  { maxLength: 3 },
);
