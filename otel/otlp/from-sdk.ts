import {
  type HrTime,
  type Attributes as SdkAttributes,
  type AttributeValue as SdkAttributeValue,
  ValueType,
} from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type ExponentialHistogramMetricData,
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

type ConvertibleMetricData = Exclude<MetricData, ExponentialHistogramMetricData>;
type HistogramMetricData = Extract<MetricData, { dataPointType: DataPointType.HISTOGRAM }>;

/** The SDK hands out the same attributes object for a series at each collection, so its OTLP bytes are made once. */
const seriesOf = new WeakMap<SdkAttributes, SeriesAttributes>();

/**
 * What `MetricReader.collect()` of the OpenTelemetry SDK gives, as a collection of ours: sums, gauges and explicit histograms. Holds on to
 * the SDK's arrays and copies nothing until it is read.
 * @param onUnsupported told of each metric of another kind, which is left out
 */
export function collectionFromSdk(
  from: SdkResourceMetrics,
  timeUs: number,
  onUnsupported?: (metricName: string, points: number) => void,
): Collection {
  return { timeUs, resources: [resourceMetricsFromSdk(from, onUnsupported)] };
}

/** As {@link collectionFromSdk}, for joining the metrics to others in one collection. */
export function resourceMetricsFromSdk(
  from: SdkResourceMetrics,
  onUnsupported?: (metricName: string, points: number) => void,
): ResourceMetrics {
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
      streams: metrics.flatMap((data) => {
        if (data.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) return [streamFromSdk(data)];
        onUnsupported?.(data.descriptor.name, data.dataPoints.length);
        return [];
      }),
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

function streamFromSdk(data: ConvertibleMetricData): MetricStream {
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

function describe(data: ConvertibleMetricData): MetricDescription {
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
      const points = data.dataPoints.map((point) => point.value);
      return metric({
        ...base,
        kind: 'histogram',
        explicitBounds: points[0]?.buckets.boundaries ?? [],
        hasSum: points.every((point) => point.sum !== undefined),
        hasMin: points.every((point) => point.min !== undefined),
        hasMax: points.every((point) => point.max !== undefined),
      });
    }
  }
}

function read(data: ConvertibleMetricData, batch: PointBatch): void {
  const { dataPoints } = data;
  const isHistogram = data.dataPointType === DataPointType.HISTOGRAM;
  batch.reset(dataPoints.length, isHistogram ? (data.dataPoints[0]?.value.buckets.counts.length ?? 0) : 0);
  batch.size = dataPoints.length;
  for (let i = 0; i < dataPoints.length; i++) {
    const point = dataPoints[i]!;
    batch.seriesAttributes[i] = seriesAttributes(point.attributes);
    batch.startTimeUs[i] = microseconds(point.startTime);
    batch.timeUs[i] = microseconds(point.endTime);
    batch.flags[i] = 0;
    if (typeof point.value === 'number') batch.values[i] = point.value;
  }
  if (isHistogram) readHistograms(data, batch);
}

function readHistograms(data: HistogramMetricData, batch: PointBatch): void {
  for (let i = 0; i < data.dataPoints.length; i++) {
    const { buckets, sum, min, max } = data.dataPoints[i]!.value;
    batch.bucketCounts.set(buckets.counts, i * batch.bucketCount);
    batch.sums[i] = sum ?? Number.NaN;
    batch.mins[i] = min ?? Number.NaN;
    batch.maxes[i] = max ?? Number.NaN;
  }
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
