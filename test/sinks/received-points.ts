import type {
  OtlpAnyValue,
  OtlpExponentialHistogramDataPoint,
  OtlpExportRequest,
  OtlpKeyValue,
  OtlpMetric,
  OtlpNumberDataPoint,
} from './export-request.ts';

/** An attribute's value in plain JavaScript: ints are bigint, as in otel/model/attributes.ts; maps are objects. */
export type PlainValue =
  | string
  | boolean
  | number
  | bigint
  | null
  | Uint8Array
  | PlainValue[]
  | { [key: string]: PlainValue };

export type PlainAttributes = Record<string, PlainValue>;

export interface ReceivedHistogram {
  count: number;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  bucketCounts: number[];
  explicitBounds: number[];
}

export interface ReceivedBuckets {
  /** 0 without buckets. */
  offset: number;
  counts: number[];
}

export interface ReceivedExponentialHistogram {
  count: number;
  sum: number | undefined;
  min: number | undefined;
  max: number | undefined;
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: ReceivedBuckets;
  negative: ReceivedBuckets;
}

export interface ReceivedSummary {
  count: number;
  sum: number;
  quantiles: { quantile: number; value: number }[];
}

/** One received data point with all that stands around it in OTLP. */
export interface ReceivedPoint {
  resource: PlainAttributes;
  scope: string;
  name: string;
  unit: string;
  description: string;
  kind: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';
  /** `undefined` for gauges and summaries. */
  temporality: 'unspecified' | 'delta' | 'cumulative' | undefined;
  monotonic: boolean;
  attributes: PlainAttributes;
  /** Nanoseconds since the Unix epoch. */
  start: bigint;
  time: bigint;
  flags: number;
  /** Sums and gauges: a bigint for ints, a number for doubles; `undefined` without a recorded value. */
  value: bigint | number | ReceivedHistogram | ReceivedExponentialHistogram | ReceivedSummary | undefined;
}

/** All data points of requests, one row each, in the order in which they came. */
export function receivedPoints(requests: Iterable<OtlpExportRequest>): ReceivedPoint[] {
  const rows: ReceivedPoint[] = [];
  for (const { resourceMetrics } of requests) {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      const resourceAttributes = plainAttributes(resource?.attributes ?? []);
      for (const { scope, metrics } of scopeMetrics) {
        for (const metric of metrics) rows.push(...metricRows(metric, resourceAttributes, scope?.name ?? ''));
      }
    }
  }
  return rows;
}

export function plainAttributes(list: readonly OtlpKeyValue[]): PlainAttributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: OtlpAnyValue | null): PlainValue {
  if (value === null) return null;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return BigInt(value.intValue);
  if (value.doubleValue !== undefined) return value.doubleValue;
  if (value.bytesValue !== undefined) return Uint8Array.from(value.bytesValue);
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(plainValue);
  if (value.kvlistValue !== undefined) return plainAttributes(value.kvlistValue.values);
  return null;
}

function metricRows(metric: OtlpMetric, resource: PlainAttributes, scope: string): ReceivedPoint[] {
  const { name, unit, description } = metric;
  const temporalityOf = (n: number): ReceivedPoint['temporality'] =>
    (['unspecified', 'delta', 'cumulative'] as const)[n];
  const row = (
    kind: ReceivedPoint['kind'],
    temporality: ReceivedPoint['temporality'],
    point: { attributes: OtlpKeyValue[]; startTimeUnixNano: string; timeUnixNano: string; flags: number },
    value: ReceivedPoint['value'],
  ): ReceivedPoint => ({
    resource,
    scope,
    name,
    unit,
    description,
    kind,
    temporality,
    monotonic: metric.sum?.isMonotonic ?? false,
    attributes: plainAttributes(point.attributes),
    start: BigInt(point.startTimeUnixNano),
    time: BigInt(point.timeUnixNano),
    flags: point.flags,
    value,
  });
  if (metric.gauge)
    return metric.gauge.dataPoints.map((point) => row('gauge', undefined, point, numberOf(point)));
  if (metric.sum) {
    const temporality = temporalityOf(metric.sum.aggregationTemporality);
    return metric.sum.dataPoints.map((point) => row('sum', temporality, point, numberOf(point)));
  }
  if (metric.histogram) {
    const temporality = temporalityOf(metric.histogram.aggregationTemporality);
    return metric.histogram.dataPoints.map((point) => {
      const { count, sum, min, max, bucketCounts, explicitBounds } = point;
      const counts = bucketCounts.map(Number);
      const value = { count: Number(count), sum, min, max, bucketCounts: counts, explicitBounds };
      return row('histogram', temporality, point, value);
    });
  }
  if (metric.exponentialHistogram) {
    const temporality = temporalityOf(metric.exponentialHistogram.aggregationTemporality);
    return metric.exponentialHistogram.dataPoints.map((point) =>
      row('exponential_histogram', temporality, point, exponentialOf(point)),
    );
  }
  return (metric.summary?.dataPoints ?? []).map((point) => {
    const quantiles = point.quantileValues.map(({ quantile, value }) => ({ quantile, value }));
    return row('summary', undefined, point, { count: Number(point.count), sum: point.sum, quantiles });
  });
}

function exponentialOf(point: OtlpExponentialHistogramDataPoint): ReceivedExponentialHistogram {
  const { count, sum, min, max, scale, zeroCount, zeroThreshold, positive, negative } = point;
  return {
    count: Number(count),
    sum,
    min,
    max,
    scale,
    zeroCount: Number(zeroCount),
    zeroThreshold,
    positive: bucketsOf(positive),
    negative: bucketsOf(negative),
  };
}

/** Without buckets an offset says nothing, and some send it. */
function bucketsOf(buckets: OtlpExponentialHistogramDataPoint['positive']): ReceivedBuckets {
  const counts = (buckets?.bucketCounts ?? []).map(Number);
  return { offset: counts.length === 0 ? 0 : buckets!.offset, counts };
}

function numberOf(point: OtlpNumberDataPoint): bigint | number | undefined {
  return point.asInt === undefined ? point.asDouble : BigInt(point.asInt);
}
