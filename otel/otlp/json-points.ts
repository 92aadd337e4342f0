import type { MetricDescription } from '../model/metric.ts';
import { noRecordedValue, type PointBatch } from '../state/point-batch.ts';
import { hasNumber } from './fixed-fields.ts';
import { type JsonDouble, type JsonKeyValue, jsonAttributes, jsonDouble } from './json-value.ts';
import { unixNanosText } from './unix-nanos.ts';

export interface JsonDataPoint {
  readonly attributes: readonly JsonKeyValue[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano?: string;
  readonly flags?: number;
}

export interface JsonNumberDataPoint extends JsonDataPoint {
  readonly asInt?: string;
  readonly asDouble?: JsonDouble;
}

export interface JsonHistogramDataPoint extends JsonDataPoint {
  readonly count?: string;
  readonly sum?: JsonDouble;
  readonly min?: JsonDouble;
  readonly max?: JsonDouble;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly JsonDouble[];
}

export interface JsonBuckets {
  readonly offset: number;
  readonly bucketCounts: readonly string[];
}

export interface JsonExponentialHistogramDataPoint extends JsonDataPoint {
  readonly count?: string;
  readonly sum?: JsonDouble;
  readonly min?: JsonDouble;
  readonly max?: JsonDouble;
  readonly scale?: number;
  readonly zeroCount?: string;
  readonly zeroThreshold?: JsonDouble;
  readonly positive?: JsonBuckets;
  readonly negative?: JsonBuckets;
}

export interface JsonSummaryDataPoint extends JsonDataPoint {
  readonly count?: string;
  readonly sum?: JsonDouble;
  readonly quantileValues?: readonly { readonly quantile: JsonDouble; readonly value: JsonDouble }[];
}

/** Appends the points of a batch, each as OTLP/JSON has it for the metric's kind. */
export function jsonPoints(metric: MetricDescription, batch: PointBatch, to: JsonDataPoint[]): void {
  const value = valuesOf[metric.kind];
  for (let i = 0; i < batch.size; i++) {
    const point = jsonPoint(batch, i);
    const hasValue = (batch.flags[i]! & noRecordedValue) === 0;
    to.push(hasValue ? { ...point, ...value(metric, batch, i) } : point);
  }
}

function jsonPoint(batch: PointBatch, i: number): JsonDataPoint {
  const start = unixNanosText(batch.startTimeUs[i]!);
  const time = unixNanosText(batch.timeUs[i]!);
  const flags = batch.flags[i]!;
  return {
    attributes: jsonAttributes(batch.seriesAttributes[i]!.attributes),
    ...(start !== '0' && { startTimeUnixNano: start }),
    ...(time !== '0' && { timeUnixNano: time }),
    ...(flags !== 0 && { flags }),
  };
}

type Values = (metric: MetricDescription, batch: PointBatch, i: number) => object;

const numberValue: Values = ({ valueType }, batch, i): Omit<JsonNumberDataPoint, keyof JsonDataPoint> => {
  const value = batch.values[i]!;
  const isInt64 = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return valueType === 'int' && isInt64 ? { asInt: integer(value) } : { asDouble: jsonDouble(value) };
};

const histogramValue: Values = (metric, batch, i): Omit<JsonHistogramDataPoint, keyof JsonDataPoint> => {
  const first = i * batch.bucketCount;
  const counts = [...batch.bucketCounts.subarray(first, first + batch.bucketCount)];
  return {
    count: integer(counts.reduce((sum, count) => sum + count, 0)),
    ...statistics(metric, batch, i),
    bucketCounts: counts.map(integer),
    explicitBounds: metric.explicitBounds.map(jsonDouble),
  };
};

const exponentialValue: Values = (
  metric,
  batch,
  i,
): Omit<JsonExponentialHistogramDataPoint, keyof JsonDataPoint> => {
  const { exponential } = batch;
  const zeroThreshold = exponential.zeroThresholds[i]!;
  const positive = exponential.positiveLengths[i]!;
  const negative = exponential.negativeLengths[i]!;
  return {
    count: integer(exponential.countOf(i)),
    ...statistics(metric, batch, i),
    scale: exponential.scales[i]!,
    zeroCount: integer(exponential.zeroCounts[i]!),
    ...(zeroThreshold !== 0 && { zeroThreshold: jsonDouble(zeroThreshold) }),
    ...(positive > 0 && {
      positive: buckets(batch, exponential.positiveOffsets[i]!, exponential.positiveStarts[i]!, positive),
    }),
    ...(negative > 0 && {
      negative: buckets(batch, exponential.negativeOffsets[i]!, exponential.negativeStarts[i]!, negative),
    }),
  };
};

const summaryValue: Values = ({ quantiles }, batch, i): Omit<JsonSummaryDataPoint, keyof JsonDataPoint> => ({
  count: integer(batch.counts[i]!),
  sum: jsonDouble(batch.sums[i]!),
  quantileValues: quantiles.map((quantile, q) => ({
    quantile: jsonDouble(quantile),
    value: jsonDouble(batch.quantileValues[i * batch.quantileCount + q]!),
  })),
});

const valuesOf: Readonly<Record<MetricDescription['kind'], Values>> = {
  sum: numberValue,
  gauge: numberValue,
  histogram: histogramValue,
  exponential_histogram: exponentialValue,
  summary: summaryValue,
};

function statistics(metric: MetricDescription, { sums, mins, maxes }: PointBatch, i: number) {
  return {
    ...(metric.hasSum && { sum: jsonDouble(sums[i]!) }),
    ...(hasNumber(metric.hasMin, mins[i]!) && { min: jsonDouble(mins[i]!) }),
    ...(hasNumber(metric.hasMax, maxes[i]!) && { max: jsonDouble(maxes[i]!) }),
  };
}

function buckets({ exponential }: PointBatch, offset: number, first: number, length: number): JsonBuckets {
  const counts = [...exponential.counts.subarray(first, first + length)];
  return { offset, bucketCounts: counts.map(integer) };
}

/** A whole number, without an exponent. */
function integer(value: number): string {
  return BigInt(value).toString();
}
