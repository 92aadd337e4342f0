import {
  type HrTime,
  type Attributes as SdkAttributes,
  type AttributeValue as SdkAttributeValue,
  ValueType,
} from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics as SdkResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { AttributeMap, type Attributes, type AttributeValue, attributes } from '../model/attributes.ts';
import { type MetricDescription, metric } from '../model/metric.ts';
import {
  type Collection,
  type MetricStream,
  noMore,
  type PointBatch,
  type ResourceMetrics,
  type SeriesAttributes,
} from '../state/point-batch.ts';

type HistogramMetricData = Extract<MetricData, { dataPointType: DataPointType.HISTOGRAM }>;
type ExponentialMetricData = Extract<MetricData, { dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM }>;

/** The SDK hands out the same attributes object for a series at each collection, so its OTLP bytes are made once. */
const seriesOf = new WeakMap<SdkAttributes, SeriesAttributes>();

/**
 * What `MetricReader.collect()` of the OpenTelemetry SDK gives, as a collection of ours. Holds on to the SDK's arrays and copies nothing
 * until it is read.
 */
export function collectionFromSdk(from: SdkResourceMetrics, timeUs: number): Collection {
  return { timeUs, resources: [resourceMetricsFromSdk(from)] };
}

/** As {@link collectionFromSdk}, for joining the metrics to others in one collection. */
export function resourceMetricsFromSdk(from: SdkResourceMetrics): ResourceMetrics {
  return {
    resource: {
      attributes: attributesFromSdk(from.resource.attributes),
      schemaUrl: from.resource.schemaUrl ?? '',
    },
    scopes: from.scopeMetrics.map(({ scope, metrics }) => ({
      scope: {
        name: scope.name,
        version: scope.version ?? '',
        attributes: [],
        schemaUrl: scope.schemaUrl ?? '',
      },
      streams: metrics.map(streamFromSdk),
    })),
  };
}

/** Attributes of the SDK: whole numbers within the safe range become ints, as the SDK's own exporters do. `undefined` values are left out. */
export function attributesFromSdk(from: SdkAttributes): Attributes {
  const pairs: [string, AttributeValue][] = [];
  for (const [key, value] of Object.entries(from))
    if (value !== undefined) pairs.push([key, valueFromSdk(value)]);
  return attributes(pairs);
}

function valueFromSdk(value: SdkAttributeValue): AttributeValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(valueFromSdk);
  return new AttributeMap(attributesFromSdk(value as SdkAttributes));
}

function streamFromSdk(data: MetricData): MetricStream {
  const temporality = data.aggregationTemporality === AggregationTemporality.DELTA ? 'delta' : 'cumulative';
  return {
    metric: describe(data),
    temporality: data.dataPointType === DataPointType.GAUGE ? undefined : temporality,
    read: (batch) => {
      read(data, batch);
      return noMore;
    },
  };
}

function describe(data: MetricData): MetricDescription {
  const { name, unit, description, valueType } = data.descriptor;
  const base = {
    name,
    unit,
    description,
    valueType: valueType === ValueType.INT ? 'int' : 'double',
  } as const;
  switch (data.dataPointType) {
    case DataPointType.GAUGE:
      return metric({ ...base, kind: 'gauge' });
    case DataPointType.SUM:
      return metric({ ...base, kind: 'sum', isMonotonic: data.isMonotonic });
    case DataPointType.HISTOGRAM: {
      const explicitBounds = data.dataPoints[0]?.value.buckets.boundaries ?? [];
      return metric({ ...base, kind: 'histogram', explicitBounds, ...statisticsOf(data) });
    }
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return metric({ ...base, kind: 'exponential_histogram', ...statisticsOf(data) });
  }
}

function statisticsOf({ dataPoints }: HistogramMetricData | ExponentialMetricData) {
  return {
    hasSum: dataPoints.every(({ value }) => value.sum !== undefined),
    hasMin: dataPoints.some(({ value }) => value.min !== undefined),
    hasMax: dataPoints.some(({ value }) => value.max !== undefined),
  };
}

function read(data: MetricData, batch: PointBatch): void {
  const { dataPoints } = data;
  if (data.dataPointType === DataPointType.HISTOGRAM) readHistograms(data, batch);
  else if (data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) readExponential(data, batch);
  else {
    batch.reset(dataPoints.length);
    for (let i = 0; i < dataPoints.length; i++) batch.values[i] = data.dataPoints[i]!.value;
  }
  batch.size = dataPoints.length;
  for (let i = 0; i < dataPoints.length; i++) {
    const point = dataPoints[i]!;
    batch.seriesAttributes[i] = seriesAttributes(point.attributes);
    batch.startTimeUs[i] = microseconds(point.startTime);
    batch.timeUs[i] = microseconds(point.endTime);
    batch.flags[i] = 0;
  }
}

function readHistograms({ dataPoints }: HistogramMetricData, batch: PointBatch): void {
  batch.reset(dataPoints.length, dataPoints[0]?.value.buckets.counts.length ?? 0);
  for (let i = 0; i < dataPoints.length; i++) {
    const { value } = dataPoints[i]!;
    batch.bucketCounts.set(value.buckets.counts, i * batch.bucketCount);
    readStatistics(value, batch, i);
  }
}

/** The SDK counts exact zeroes only, so the threshold is 0. */
function readExponential({ dataPoints }: ExponentialMetricData, batch: PointBatch): void {
  batch.resetExponential(dataPoints.length);
  const { exponential } = batch;
  for (let i = 0; i < dataPoints.length; i++) {
    const { value } = dataPoints[i]!;
    const { positive, negative } = value;
    exponential.scales[i] = value.scale;
    exponential.zeroThresholds[i] = 0;
    exponential.zeroCounts[i] = value.zeroCount;
    exponential.positiveOffsets[i] = positive.offset;
    exponential.positiveLengths[i] = positive.bucketCounts.length;
    exponential.positiveStarts[i] = exponential.allocate(positive.bucketCounts.length);
    exponential.counts.set(positive.bucketCounts, exponential.positiveStarts[i]);
    exponential.negativeOffsets[i] = negative.offset;
    exponential.negativeLengths[i] = negative.bucketCounts.length;
    exponential.negativeStarts[i] = exponential.allocate(negative.bucketCounts.length);
    exponential.counts.set(negative.bucketCounts, exponential.negativeStarts[i]);
    readStatistics(value, batch, i);
  }
}

function readStatistics(
  { sum, min, max }: { sum?: number; min?: number; max?: number },
  batch: PointBatch,
  i: number,
): void {
  batch.sums[i] = sum ?? Number.NaN;
  batch.mins[i] = min ?? Number.NaN;
  batch.maxes[i] = max ?? Number.NaN;
}

function seriesAttributes(from: SdkAttributes): SeriesAttributes {
  let series = seriesOf.get(from);
  if (series === undefined) {
    series = { attributes: attributesFromSdk(from), otlpNumber: undefined, otlpHistogram: undefined };
    seriesOf.set(from, series);
  }
  return series;
}

function microseconds([seconds, nanos]: HrTime): number {
  return seconds * 1_000_000 + nanos / 1000;
}
