import type { MetricDescription } from '../model/metric.ts';
import {
  batchesOf,
  type Collection,
  type MetricStream,
  noRecordedValue,
  PointBatch,
  type ScopeMetrics,
} from '../state/point-batch.ts';
import type { EncodeOptions } from './encode-requests.ts';
import { type JsonDouble, type JsonKeyValue, jsonAttributes, jsonDouble } from './json-value.ts';
import { unixNanosText } from './unix-nanos.ts';

/** An ExportMetricsServiceRequest in OTLP/JSON: lowerCamelCase, 64-bit integers as strings, enums as integers. */
export interface JsonExportRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly JsonKeyValue[] };
    readonly scopeMetrics: readonly JsonScopeMetrics[];
    readonly schemaUrl?: string;
  }[];
}

export interface JsonScopeMetrics {
  readonly scope: {
    readonly name?: string;
    readonly version?: string;
    readonly attributes?: readonly JsonKeyValue[];
  };
  readonly metrics: readonly JsonMetric[];
  readonly schemaUrl?: string;
}

export interface JsonMetric {
  readonly name: string;
  readonly description?: string;
  readonly unit?: string;
  readonly gauge?: { readonly dataPoints: readonly JsonNumberDataPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly JsonNumberDataPoint[];
    /** 1 is delta, 2 cumulative. */
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly histogram?: {
    readonly dataPoints: readonly JsonHistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
}

interface JsonDataPoint {
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

/**
 * A collection as one OTLP/JSON request, for people and files: `streamgauge agent --once` and the console reader. Metrics without points
 * and what holds no others are left out, as are fields at their defaults.
 */
export function toOtlpJson(
  collection: Collection,
  options: Pick<EncodeOptions, 'onDropped'> = {},
): JsonExportRequest {
  const batch = new PointBatch();
  const resourceMetrics = [];
  for (const { resource, scopes } of collection.resources) {
    const scopeMetrics = scopes
      .map((scope) => jsonScope(scope, batch, options))
      .filter((scope) => scope.metrics.length > 0);
    if (scopeMetrics.length === 0) continue;
    resourceMetrics.push({
      resource: { attributes: jsonAttributes(resource.attributes) },
      scopeMetrics,
      ...(resource.schemaUrl !== '' && { schemaUrl: resource.schemaUrl }),
    });
  }
  return { resourceMetrics };
}

function jsonScope(
  { scope, streams }: ScopeMetrics,
  batch: PointBatch,
  options: Pick<EncodeOptions, 'onDropped'>,
): JsonScopeMetrics {
  const metrics: JsonMetric[] = [];
  for (const stream of streams) {
    for (const { size } of batchesOf(stream, batch)) {
      const metric = jsonMetric(stream, batch);
      if (metric === undefined)
        options.onDropped?.({ metric: stream.metric, points: size, cause: 'unsupported_kind' });
      else metrics.push(metric);
    }
  }
  return {
    scope: {
      ...(scope.name !== '' && { name: scope.name }),
      ...(scope.version !== '' && { version: scope.version }),
      ...(scope.attributes.length > 0 && { attributes: jsonAttributes(scope.attributes) }),
    },
    metrics,
    ...(scope.schemaUrl !== '' && { schemaUrl: scope.schemaUrl }),
  };
}

/** `undefined`: columns of this kind are not known. */
function jsonMetric({ metric, temporality }: MetricStream, batch: PointBatch): JsonMetric | undefined {
  const aggregationTemporality = temporality === 'delta' ? 1 : 2;
  const described = {
    name: metric.name,
    ...(metric.description !== '' && { description: metric.description }),
    ...(metric.unit !== '' && { unit: metric.unit }),
  };
  const indices = Array.from({ length: batch.size }, (_, i) => i);
  switch (metric.kind) {
    case 'gauge':
      return { ...described, gauge: { dataPoints: indices.map((i) => jsonNumber(metric, batch, i)) } };
    case 'sum': {
      const dataPoints = indices.map((i) => jsonNumber(metric, batch, i));
      return { ...described, sum: { dataPoints, aggregationTemporality, isMonotonic: metric.isMonotonic } };
    }
    case 'histogram': {
      const dataPoints = indices.map((i) => jsonHistogram(metric, batch, i));
      return { ...described, histogram: { dataPoints, aggregationTemporality } };
    }
    default:
      return undefined;
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

function hasValue(batch: PointBatch, i: number): boolean {
  return (batch.flags[i]! & noRecordedValue) === 0;
}

function jsonNumber(metric: MetricDescription, batch: PointBatch, i: number): JsonNumberDataPoint {
  const point = jsonPoint(batch, i);
  if (!hasValue(batch, i)) return point;
  const value = batch.values[i]!;
  const isInt64 = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return metric.valueType === 'int' && isInt64
    ? { ...point, asInt: BigInt(value).toString() }
    : { ...point, asDouble: jsonDouble(value) };
}

function jsonHistogram(metric: MetricDescription, batch: PointBatch, i: number): JsonHistogramDataPoint {
  const point = jsonPoint(batch, i);
  if (!hasValue(batch, i)) return point;
  const first = i * batch.bucketCount;
  const counts = [...batch.bucketCounts.subarray(first, first + batch.bucketCount)];
  return {
    ...point,
    count: BigInt(counts.reduce((sum, count) => sum + count, 0)).toString(),
    ...(metric.hasSum && { sum: jsonDouble(batch.sums[i]!) }),
    ...(metric.hasMin && { min: jsonDouble(batch.mins[i]!) }),
    ...(metric.hasMax && { max: jsonDouble(batch.maxes[i]!) }),
    bucketCounts: counts.map((count) => BigInt(count).toString()),
    explicitBounds: metric.explicitBounds.map(jsonDouble),
  };
}
