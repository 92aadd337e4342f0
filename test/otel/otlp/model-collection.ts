import fc from 'fast-check';
import { AttributeMap, type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import {
  type Collection,
  noMore,
  type PointBatch,
  type SeriesAttributes,
} from '../../../otel/state/point-batch.ts';
import type {
  PlainAttributes,
  PlainValue,
  ReceivedHistogram,
  ReceivedPoint,
} from '../../sinks/received-points.ts';

/** One point in plain words: what a column batch is filled from, and what must be received. */
export interface ModelPoint {
  attributes: PlainAttributes;
  startUs: number;
  timeUs: number;
  flags: number;
  /** Sums and gauges. */
  value: number;
  /** Histograms: one more than bounds. */
  counts: number[];
  sum: number;
  min: number;
  max: number;
}

export interface ModelStream {
  metric: MetricDescription;
  temporality: 'delta' | 'cumulative' | undefined;
  points: ModelPoint[];
}

export interface ModelResource {
  attributes: PlainAttributes;
  scopes: { name: string; streams: ModelStream[] }[];
}

/** The model as the collection that our encoders are given. */
export function collectionOf(model: readonly ModelResource[]): Collection {
  return {
    timeUs: 1,
    resources: model.map((resource) => ({
      resource: { attributes: attributesOf(resource.attributes), schemaUrl: 'https://example.net/r' },
      scopes: resource.scopes.map((scope) => ({
        scope: { name: scope.name, version: '1', attributes: attributes({ a: 'b' }), schemaUrl: '' },
        streams: scope.streams.map((stream) => {
          const series: SeriesAttributes[] = stream.points.map((point) => ({
            attributes: attributesOf(point.attributes),
            otlpNumber: undefined,
            otlpHistogram: undefined,
          }));
          return {
            metric: stream.metric,
            temporality: stream.temporality,
            read: (batch) => {
              fill(batch, stream, series);
              return noMore;
            },
          };
        }),
      })),
    })),
  };
}

function fill(
  batch: PointBatch,
  { metric: { kind, explicitBounds }, points }: ModelStream,
  series: SeriesAttributes[],
): void {
  const buckets = kind === 'histogram' ? explicitBounds.length + 1 : 0;
  batch.reset(points.length, buckets);
  batch.size = points.length;
  for (const [i, point] of points.entries()) {
    batch.seriesAttributes[i] = series[i]!;
    batch.startTimeUs[i] = point.startUs;
    batch.timeUs[i] = point.timeUs;
    batch.flags[i] = point.flags;
    batch.values[i] = point.value;
    if (buckets === 0) continue;
    batch.bucketCounts.set(point.counts, i * buckets);
    batch.sums[i] = point.sum;
    batch.mins[i] = point.min;
    batch.maxes[i] = point.max;
  }
}

export function attributesOf(plain: PlainAttributes): ReturnType<typeof attributes> {
  return attributes(Object.entries(plain).map(([key, value]) => [key, attributeValue(value)] as const));
}

function attributeValue(value: PlainValue): AttributeValue {
  if (Array.isArray(value)) return value.map(attributeValue);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return new AttributeMap(attributesOf(value));
}

/** The rows that a backend must receive. */
export function expectedRows(model: readonly ModelResource[]): ReceivedPoint[] {
  return model.flatMap((resource) =>
    resource.scopes.flatMap((scope) =>
      scope.streams.flatMap((stream) =>
        stream.points.map((point) => ({
          resource: resource.attributes,
          scope: scope.name,
          name: stream.metric.name,
          unit: stream.metric.unit,
          description: stream.metric.description,
          kind: stream.metric.kind,
          temporality: stream.temporality,
          monotonic: stream.metric.kind === 'sum' && stream.metric.isMonotonic,
          attributes: point.attributes,
          start: BigInt(point.startUs) * 1000n,
          time: BigInt(point.timeUs) * 1000n,
          flags: point.flags,
          value: expectedValue(stream.metric, point),
        })),
      ),
    ),
  );
}

function expectedValue(m: MetricDescription, point: ModelPoint): ReceivedPoint['value'] {
  const isRecorded = (point.flags & 1) === 0;
  if (m.kind !== 'histogram') {
    if (!isRecorded) return undefined;
    return m.valueType === 'int' && Number.isInteger(point.value) && Math.abs(point.value) <= 2 ** 53
      ? BigInt(point.value)
      : point.value;
  }
  const value: ReceivedHistogram = {
    count: isRecorded ? point.counts.reduce((a, b) => a + b, 0) : 0,
    sum: m.hasSum && isRecorded ? point.sum : undefined,
    min: m.hasMin && isRecorded ? point.min : undefined,
    max: m.hasMax && isRecorded ? point.max : undefined,
    bucketCounts: isRecorded ? point.counts : [],
    explicitBounds: isRecorded ? [...m.explicitBounds] : [],
  };
  return value;
}

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

/** Collections of every kind that the encoders know, with awkward values of every field. */
export const modelCollections: fc.Arbitrary<ModelResource[]> = fc.array(
  fc.record({
    attributes: plainAttributes,
    scopes: fc.array(
      fc.record({
        name: fc.string({ maxLength: 10 }),
        streams: fc.array(fc.oneof(numbers, histograms), { maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
  }),
  { maxLength: 3 },
);
