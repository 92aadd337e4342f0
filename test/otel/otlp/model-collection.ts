import { AttributeMap, type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../otel/model/metric.ts';
import {
  type Collection,
  noMore,
  type PointBatch,
  type SeriesAttributes,
} from '../../../otel/state/point-batch.ts';
import type {
  PlainAttributes,
  PlainValue,
  ReceivedExponentialHistogram,
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
  /** NaN: the point has none. */
  min: number;
  max: number;
  /** Exponential histograms. */
  exponential?: ModelExponential;
  /** Summaries; the sum is above. */
  count?: number;
  quantileValues?: number[];
}

export interface ModelExponential {
  scale: number;
  zeroThreshold: number;
  zeroCount: number;
  positive: { offset: number; counts: number[] };
  negative: { offset: number; counts: number[] };
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

/** The model as the collection that our encoders are given, whose streams are read in batches of at most so many points. */
export function collectionOf(
  model: readonly ModelResource[],
  pointsPerRead = Number.POSITIVE_INFINITY,
): Collection {
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
            read: (batch, from) => {
              const end = Math.min(stream.points.length, from + pointsPerRead);
              fill(batch, stream, series, from, end);
              return end < stream.points.length ? end : noMore;
            },
          };
        }),
      })),
    })),
  };
}

function fill(
  batch: PointBatch,
  { metric: { kind, explicitBounds, quantiles }, points }: ModelStream,
  series: SeriesAttributes[],
  from: number,
  end: number,
): void {
  const size = end - from;
  const buckets = kind === 'histogram' ? explicitBounds.length + 1 : 0;
  if (kind === 'exponential_histogram') batch.resetExponential(size);
  else if (kind === 'summary') batch.resetSummaries(size, quantiles.length);
  else batch.reset(size, buckets);
  batch.size = size;
  for (let i = 0; i < size; i++) {
    const point = points[from + i]!;
    batch.seriesAttributes[i] = series[from + i]!;
    batch.startTimeUs[i] = point.startUs;
    batch.timeUs[i] = point.timeUs;
    batch.flags[i] = point.flags;
    batch.values[i] = point.value;
    if (buckets > 0) batch.bucketCounts.set(point.counts, i * buckets);
    if (kind !== 'sum' && kind !== 'gauge') {
      batch.sums[i] = point.sum;
      batch.mins[i] = point.min;
      batch.maxes[i] = point.max;
    }
    if (kind === 'summary') {
      batch.counts[i] = point.count ?? 0;
      batch.quantileValues.set(point.quantileValues ?? [], i * quantiles.length);
    }
    if (kind === 'exponential_histogram') fillExponential(batch.exponential, i, point.exponential!);
  }
}

function fillExponential(columns: PointBatch['exponential'], i: number, of: ModelExponential): void {
  columns.scales[i] = of.scale;
  columns.zeroThresholds[i] = of.zeroThreshold;
  columns.zeroCounts[i] = of.zeroCount;
  columns.positiveOffsets[i] = of.positive.offset;
  columns.positiveLengths[i] = of.positive.counts.length;
  columns.positiveStarts[i] = columns.allocate(of.positive.counts.length);
  columns.counts.set(of.positive.counts, columns.positiveStarts[i]);
  columns.negativeOffsets[i] = of.negative.offset;
  columns.negativeLengths[i] = of.negative.counts.length;
  columns.negativeStarts[i] = columns.allocate(of.negative.counts.length);
  columns.counts.set(of.negative.counts, columns.negativeStarts[i]);
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
  switch (m.kind) {
    case 'sum':
    case 'gauge':
      if (!isRecorded) return undefined;
      return m.valueType === 'int' && Number.isInteger(point.value) && Math.abs(point.value) <= 2 ** 53
        ? BigInt(point.value)
        : point.value;
    case 'histogram': {
      const value: ReceivedHistogram = {
        count: isRecorded ? total(point.counts) : 0,
        ...expectedStatistics(m, point),
        bucketCounts: isRecorded ? point.counts : [],
        explicitBounds: isRecorded ? [...m.explicitBounds] : [],
      };
      return value;
    }
    case 'exponential_histogram':
      return expectedExponential(m, point);
    case 'summary':
      if (!isRecorded) return { count: 0, sum: 0, quantiles: [] };
      return {
        count: point.count ?? 0,
        sum: point.sum,
        quantiles: m.quantiles.map((quantile, q) => ({ quantile, value: point.quantileValues![q]! })),
      };
  }
}

function expectedExponential(m: MetricDescription, point: ModelPoint): ReceivedExponentialHistogram {
  const nothing = { offset: 0, counts: [] };
  if ((point.flags & 1) !== 0) {
    const noStatistics = { sum: undefined, min: undefined, max: undefined };
    return {
      count: 0,
      ...noStatistics,
      scale: 0,
      zeroCount: 0,
      zeroThreshold: 0,
      positive: nothing,
      negative: nothing,
    };
  }
  const { scale, zeroCount, zeroThreshold, positive, negative } = point.exponential!;
  return {
    count: zeroCount + total(positive.counts) + total(negative.counts),
    ...expectedStatistics(m, point),
    scale,
    zeroCount,
    zeroThreshold,
    positive: positive.counts.length === 0 ? nothing : positive,
    negative: negative.counts.length === 0 ? nothing : negative,
  };
}

function expectedStatistics(m: MetricDescription, { flags, sum, min, max }: ModelPoint) {
  const isRecorded = (flags & 1) === 0;
  return {
    sum: m.hasSum && isRecorded ? sum : undefined,
    min: m.hasMin && isRecorded && !Number.isNaN(min) ? min : undefined,
    max: m.hasMax && isRecorded && !Number.isNaN(max) ? max : undefined,
  };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
