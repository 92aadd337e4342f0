import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import { type Collection, type MetricStream, noMore, PointBatch } from '../state/point-batch.ts';
import {
  type JsonDataPoint,
  type JsonExponentialHistogramDataPoint,
  type JsonHistogramDataPoint,
  type JsonNumberDataPoint,
  type JsonSummaryDataPoint,
  jsonPoints,
} from './json-points.ts';
import { type JsonKeyValue, jsonAttributes } from './json-value.ts';

/** An ExportMetricsServiceRequest in OTLP/JSON: lowerCamelCase, 64-bit integers as strings, enums as integers. */
export interface JsonExportRequest {
  readonly resourceMetrics: readonly JsonResourceMetrics[];
}

export interface JsonResourceMetrics {
  readonly resource: { readonly attributes: readonly JsonKeyValue[] };
  readonly scopeMetrics: readonly JsonScopeMetrics[];
  readonly schemaUrl?: string;
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
  readonly exponentialHistogram?: {
    readonly dataPoints: readonly JsonExponentialHistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
  readonly summary?: { readonly dataPoints: readonly JsonSummaryDataPoint[] };
}

/**
 * A collection as one OTLP/JSON request, for people and files, as `streamgauge agent --once` prints it. Metrics without points
 * and what holds no others are left out, as are fields at their defaults.
 */
export function toOtlpJson(collection: Collection): JsonExportRequest {
  for (const step of jsonInSteps(collection, Number.POSITIVE_INFINITY))
    if (step !== undefined) return step.request;
  return { resourceMetrics: [] };
}

/**
 * A collection as requests of about `maxPoints` points (none is longer by more than one read of a stream), in steps: `undefined` where it has merely done
 * some work, so that a caller can let others run in between.
 */
export function* jsonInSteps(
  collection: Collection,
  maxPoints: number,
): Generator<{ readonly request: JsonExportRequest; readonly points: number } | undefined, void> {
  const batch = new PointBatch();
  let open = new OpenJson();
  for (const { resource, scopes } of collection.resources) {
    for (const { scope, streams } of scopes) {
      for (const stream of streams) {
        for (let at = 0; at !== noMore; ) {
          at = stream.read(batch, at);
          if (batch.size > 0) open.add(resource, scope, stream, batch);
          if (open.points >= maxPoints) {
            yield open;
            open = new OpenJson();
          } else yield undefined;
        }
        open.endStream();
      }
      open.endScope();
    }
    open.endResource();
  }
  if (open.points > 0) yield open;
}

/** The request being made. What it holds is opened with the first point under it. */
class OpenJson {
  readonly request = { resourceMetrics: [] as JsonResourceMetrics[] };
  points = 0;
  #scopes: JsonScopeMetrics[] | undefined;
  #metrics: JsonMetric[] | undefined;
  #dataPoints: JsonDataPoint[] | undefined;

  add(resource: Resource, scope: InstrumentationScope, stream: MetricStream, batch: PointBatch): void {
    if (this.#scopes === undefined) {
      this.#scopes = [];
      this.request.resourceMetrics.push(jsonResource(resource, this.#scopes));
    }
    if (this.#metrics === undefined) {
      this.#metrics = [];
      this.#scopes.push(jsonScope(scope, this.#metrics));
    }
    if (this.#dataPoints === undefined) {
      this.#dataPoints = [];
      this.#metrics.push(jsonMetric(stream, this.#dataPoints));
    }
    jsonPoints(stream.metric, batch, this.#dataPoints);
    this.points += batch.size;
  }

  endStream(): void {
    this.#dataPoints = undefined;
  }

  endScope(): void {
    this.#metrics = undefined;
  }

  endResource(): void {
    this.#scopes = undefined;
  }
}

function jsonResource(
  { attributes, schemaUrl }: Resource,
  scopeMetrics: JsonScopeMetrics[],
): JsonResourceMetrics {
  return {
    resource: { attributes: jsonAttributes(attributes) },
    scopeMetrics,
    ...(schemaUrl !== '' && { schemaUrl }),
  };
}

function jsonScope(scope: InstrumentationScope, metrics: JsonMetric[]): JsonScopeMetrics {
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

/** @param dataPoints of the metric's kind; filled afterwards */
function jsonMetric({ metric, temporality }: MetricStream, dataPoints: JsonDataPoint[]): JsonMetric {
  const aggregationTemporality = temporality === 'delta' ? 1 : 2;
  const data = dataOf(metric, dataPoints, aggregationTemporality);
  return {
    name: metric.name,
    ...(metric.description !== '' && { description: metric.description }),
    ...(metric.unit !== '' && { unit: metric.unit }),
    ...data,
  };
}

function dataOf(
  { kind, isMonotonic }: MetricDescription,
  dataPoints: JsonDataPoint[],
  aggregationTemporality: number,
): Partial<JsonMetric> {
  switch (kind) {
    case 'gauge':
      return { gauge: { dataPoints } };
    case 'sum':
      return { sum: { dataPoints, aggregationTemporality, isMonotonic } };
    case 'histogram':
      return { histogram: { dataPoints, aggregationTemporality } };
    case 'exponential_histogram':
      return {
        exponentialHistogram: {
          dataPoints: dataPoints as JsonExponentialHistogramDataPoint[],
          aggregationTemporality,
        },
      };
    case 'summary':
      return { summary: { dataPoints: dataPoints as JsonSummaryDataPoint[] } };
  }
}
