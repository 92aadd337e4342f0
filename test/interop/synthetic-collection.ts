import { AttributeMap, type Attributes, attributes } from '../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import type { InstrumentationScope } from '../../otel/model/scope.ts';
import {
  type Collection,
  type MetricStream,
  noMore,
  noRecordedValue,
  type PointBatch,
  type ResourceMetrics,
} from '../../otel/state/point-batch.ts';

/** A point as plain data: what a test states, and compares with what arrived. */
export interface PlainPoint {
  readonly attributes: Attributes;
  readonly startTimeUs: number;
  readonly timeUs: number;
  readonly flags: number;
  /** Sums and gauges. */
  readonly value?: number;
  /** Histograms. */
  readonly histogram?: { counts: readonly number[]; sum: number; min: number; max: number };
  readonly exponential?: PlainExponential;
  /** Summaries: a value for each quantile of the metric. */
  readonly summary?: { count: number; sum: number; quantileValues: readonly number[] };
}

export interface PlainExponential {
  readonly scale: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly positive: { readonly offset: number; readonly counts: readonly number[] };
  readonly negative: { readonly offset: number; readonly counts: readonly number[] };
}

export interface PlainStream {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly temporality: 'delta' | 'cumulative' | undefined;
  readonly points: readonly PlainPoint[];
}

/** Streams as a Collection, grouped by resource and scope. */
export function collectionOf(streams: readonly PlainStream[], timeUs: number): Collection {
  const resources: ResourceMetrics[] = [];
  for (const [resource, ofResource] of Map.groupBy(streams, (stream) => stream.resource)) {
    const scopes = [...Map.groupBy(ofResource, (stream) => stream.scope)];
    resources.push({
      resource,
      scopes: scopes.map(([scope, ofScope]) => ({ scope, streams: ofScope.map(metricStream) })),
    });
  }
  return { timeUs, resources };
}

function metricStream(stream: PlainStream): MetricStream {
  const { metric, temporality } = stream;
  return {
    metric,
    temporality,
    read: (batch) => {
      readPoints(stream, batch);
      return noMore;
    },
  };
}

function readPoints({ metric, points }: PlainStream, batch: PointBatch): void {
  const { kind, explicitBounds, quantiles } = metric;
  const buckets = kind === 'histogram' ? explicitBounds.length + 1 : 0;
  if (kind === 'exponential_histogram') batch.resetExponential(points.length);
  else if (kind === 'summary') batch.resetSummaries(points.length, quantiles.length);
  else batch.reset(points.length, buckets);
  batch.size = points.length;
  for (const [i, point] of points.entries()) {
    batch.seriesAttributes[i] = {
      attributes: point.attributes,
      otlpNumber: undefined,
      otlpHistogram: undefined,
    };
    batch.startTimeUs[i] = point.startTimeUs;
    batch.timeUs[i] = point.timeUs;
    batch.flags[i] = point.flags;
    batch.values[i] = point.value ?? 0;
    if (point.histogram !== undefined) batch.bucketCounts.set(point.histogram.counts, i * buckets);
    const statistics = point.histogram ?? point.exponential;
    if (statistics !== undefined) {
      batch.sums[i] = statistics.sum;
      batch.mins[i] = statistics.min;
      batch.maxes[i] = statistics.max;
    }
    if (point.exponential !== undefined) readExponential(point.exponential, batch, i);
    if (point.summary === undefined) continue;
    batch.counts[i] = point.summary.count;
    batch.sums[i] = point.summary.sum;
    batch.quantileValues.set(point.summary.quantileValues, i * quantiles.length);
  }
}

function readExponential(from: PlainExponential, { exponential }: PointBatch, i: number): void {
  const { positive, negative } = from;
  exponential.scales[i] = from.scale;
  exponential.zeroThresholds[i] = from.zeroThreshold;
  exponential.zeroCounts[i] = from.zeroCount;
  exponential.positiveOffsets[i] = positive.offset;
  exponential.positiveLengths[i] = positive.counts.length;
  exponential.positiveStarts[i] = exponential.allocate(positive.counts.length);
  exponential.counts.set(positive.counts, exponential.positiveStarts[i]);
  exponential.negativeOffsets[i] = negative.offset;
  exponential.negativeLengths[i] = negative.counts.length;
  exponential.negativeStarts[i] = exponential.allocate(negative.counts.length);
  exponential.counts.set(negative.counts, exponential.negativeStarts[i]);
}

const everyType: Attributes = attributes({
  text: 'Grüße, 世界 "quoted" \\ \n',
  'text.empty': '',
  yes: true,
  no: false,
  int: 42n,
  'int.lowest': -(2n ** 63n),
  'int.highest': 2n ** 63n - 1n,
  double: 0.1,
  'double.whole': 1,
  'double.huge': Number.MAX_VALUE,
  bytes: Uint8Array.of(0, 1, 254, 255),
  list: ['a', 2n, 2.5, false, ['nested']],
  'list.empty': [],
  map: new AttributeMap(attributes({ inner: 'value', deep: new AttributeMap(attributes({ n: 7n })) })),
  nothing: null,
});

const startTimeUs = 1_790_000_000_123_456;
const timeUs = 1_790_000_060_654_321;

const host: Resource = {
  attributes: attributes({ 'service.name': 'interop', 'host.name': 'håst', 'process.pid': 17n }),
  schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
};
const bare: Resource = { attributes: everyType, schemaUrl: '' };
const scope: InstrumentationScope = {
  name: 'interop.scope',
  version: '1.2.3',
  attributes: attributes({ 'scope.attribute': true, order: 3n }),
  schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
};
const noScope: InstrumentationScope = { name: '', version: '', attributes: attributes({}), schemaUrl: '' };

function points(values: readonly number[], startUs = startTimeUs): PlainPoint[] {
  return values.map((value, i) => ({
    attributes: attributes({ index: BigInt(i) }),
    startTimeUs: startUs,
    timeUs: timeUs + i,
    flags: 0,
    value,
  }));
}

const cumulative = { resource: host, scope, temporality: 'cumulative' } as const;

/** Every kind, value type, temporality and type of attribute, with values at the limits of each. */
export const everyKind: readonly PlainStream[] = [
  {
    ...cumulative,
    metric: metric({
      name: 'sum.int',
      kind: 'sum',
      isMonotonic: true,
      valueType: 'int',
      unit: 'By',
      description: 'Bytes of something',
    }),
    points: points([0, 1, 2 ** 32, 2 ** 53]),
  },
  {
    ...cumulative,
    metric: metric({ name: 'sum.double', kind: 'sum', isMonotonic: true, unit: 's' }),
    points: [
      ...points([0, 0.1, 1e300, 5e-324]),
      { attributes: everyType, startTimeUs, timeUs, flags: 0, value: 1.5 },
    ],
  },
  {
    ...cumulative,
    metric: metric({ name: 'sum.updown', kind: 'sum', valueType: 'int', unit: '{thing}' }),
    points: points([-1, -(2 ** 53), 12]),
  },
  {
    ...cumulative,
    temporality: 'delta',
    metric: metric({ name: 'sum.delta', kind: 'sum', isMonotonic: true }),
    points: points([3, 0.25]),
  },
  {
    ...cumulative,
    scope: noScope,
    temporality: undefined,
    metric: metric({ name: 'gauge.double', kind: 'gauge', unit: '1' }),
    points: [
      ...points([0, -273.15, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 0),
      { attributes: attributes({ gone: true }), startTimeUs: 0, timeUs, flags: noRecordedValue },
    ],
  },
  {
    ...cumulative,
    resource: bare,
    temporality: undefined,
    metric: metric({ name: 'gauge.int', kind: 'gauge', valueType: 'int' }),
    points: points([7, -7], 0),
  },
  {
    ...cumulative,
    resource: bare,
    metric: metric({
      name: 'histogram.full',
      kind: 'histogram',
      unit: 's',
      explicitBounds: [-1, 0, 0.5, 10],
      hasSum: true,
      hasMin: true,
      hasMax: true,
    }),
    points: [
      {
        attributes: attributes({ route: '/a' }),
        startTimeUs,
        timeUs,
        flags: 0,
        histogram: { counts: [1, 0, 2, 3, 2 ** 40], sum: 77.25, min: -3, max: 12.5 },
      },
      {
        attributes: everyType,
        startTimeUs,
        timeUs,
        flags: 0,
        histogram: { counts: [0, 0, 0, 0, 1], sum: 11, min: 11, max: 11 },
      },
    ],
  },
  {
    ...cumulative,
    resource: bare,
    temporality: 'delta',
    metric: metric({ name: 'histogram.bare', kind: 'histogram', explicitBounds: [] }),
    points: [
      {
        attributes: attributes({}),
        startTimeUs,
        timeUs,
        flags: 0,
        histogram: { counts: [5], sum: 0, min: 0, max: 0 },
      },
    ],
  },
  {
    ...cumulative,
    resource: bare,
    metric: metric({
      name: 'exponential.full',
      kind: 'exponential_histogram',
      unit: 'By',
      description: 'Sizes of something',
      hasSum: true,
      hasMin: true,
      hasMax: true,
    }),
    points: [
      {
        attributes: attributes({ route: '/a' }),
        startTimeUs,
        timeUs,
        flags: 0,
        exponential: {
          scale: 3,
          zeroThreshold: 1e-9,
          zeroCount: 4,
          sum: -12.25,
          min: -7.5,
          max: 1024,
          positive: { offset: -5, counts: [1, 0, 127, 128, 2 ** 35, 0, 2 ** 49] },
          negative: { offset: 20, counts: [300, 2] },
        },
      },
      {
        attributes: everyType,
        startTimeUs,
        timeUs,
        flags: 0,
        exponential: {
          scale: -2,
          zeroThreshold: 0,
          zeroCount: 0,
          sum: 33,
          min: 1,
          max: 30,
          positive: { offset: 0, counts: [2, 1] },
          negative: { offset: 0, counts: [] },
        },
      },
    ],
  },
  {
    ...cumulative,
    resource: bare,
    temporality: 'delta',
    metric: metric({ name: 'exponential.bare', kind: 'exponential_histogram' }),
    points: [
      {
        attributes: attributes({}),
        startTimeUs,
        timeUs,
        flags: 0,
        exponential: {
          scale: 20,
          zeroThreshold: 0,
          zeroCount: 7,
          sum: 0,
          min: 0,
          max: 0,
          positive: { offset: 0, counts: [] },
          negative: { offset: 0, counts: [] },
        },
      },
    ],
  },
  {
    ...cumulative,
    temporality: undefined,
    metric: metric({
      name: 'summary.wait',
      kind: 'summary',
      unit: 's',
      description: 'Waiting',
      quantiles: [0, 0.5, 0.99, 1],
    }),
    points: [
      {
        attributes: attributes({ queue: 'a' }),
        startTimeUs,
        timeUs,
        flags: 0,
        summary: { count: 2 ** 40, sum: 0.1, quantileValues: [0, 0.25, Number.NaN, 1e300] },
      },
      {
        attributes: everyType,
        startTimeUs,
        timeUs,
        flags: 0,
        summary: { count: 1, sum: 5, quantileValues: [5, 5, 5, 5] },
      },
    ],
  },
];

/** One counter per series, far more than a request of a few KiB holds, so that it has to be split. */
export function manyCounters(series: number): PlainStream[] {
  return [
    {
      ...cumulative,
      metric: metric({ name: 'many.counters', kind: 'sum', isMonotonic: true, valueType: 'int' }),
      points: points(Array.from({ length: series }, (_, i) => i * 3)),
    },
  ];
}
