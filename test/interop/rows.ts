import { inspect } from 'node:util';
import { AttributeMap, type Attributes, type AttributeValue } from '../../otel/model/attributes.ts';
import type { OtlpExportRequest } from '../sinks/export-request.ts';
import {
  type PlainAttributes,
  type PlainValue,
  plainAttributes,
  type ReceivedPoint,
  receivedPoints,
} from '../sinks/received-points.ts';
import type { PlainPoint, PlainStream } from './synthetic-collection.ts';

/** A data point with everything that OTLP says around it. */
export interface Row extends ReceivedPoint {
  resourceSchemaUrl: string;
  scopeVersion: string;
  scopeAttributes: PlainAttributes;
  scopeSchemaUrl: string;
}

/** All data points that a sink has received, a row each, ordered by {@link identity}. */
export function receivedRows(requests: Iterable<OtlpExportRequest>): Row[] {
  const rows: Row[] = [];
  for (const { resourceMetrics } of requests) {
    for (const { resource, schemaUrl, scopeMetrics } of resourceMetrics) {
      for (const inScope of scopeMetrics) {
        const one = { resourceMetrics: [{ resource, schemaUrl, scopeMetrics: [inScope] }] };
        for (const point of receivedPoints([one])) {
          rows.push({
            ...point,
            resourceSchemaUrl: schemaUrl,
            scopeVersion: inScope.scope?.version ?? '',
            scopeAttributes: plainAttributes(inScope.scope?.attributes ?? []),
            scopeSchemaUrl: inScope.schemaUrl,
          });
        }
      }
    }
  }
  return sorted(rows);
}

/** The rows that these streams must become. */
export function expectedRows(streams: readonly PlainStream[]): Row[] {
  return sorted(streams.flatMap((stream) => stream.points.map((point) => expectedRow(stream, point))));
}

function expectedRow({ resource, scope, metric, temporality }: PlainStream, point: PlainPoint): Row {
  return {
    resource: plain(resource.attributes),
    resourceSchemaUrl: resource.schemaUrl,
    scope: scope.name,
    scopeVersion: scope.version,
    scopeAttributes: plain(scope.attributes),
    scopeSchemaUrl: scope.schemaUrl,
    name: metric.name,
    unit: metric.unit,
    description: metric.description,
    kind: metric.kind,
    temporality,
    monotonic: metric.isMonotonic,
    attributes: plain(point.attributes),
    start: BigInt(point.startTimeUs) * 1000n,
    time: BigInt(point.timeUs) * 1000n,
    flags: point.flags,
    value: expectedValue(metric, point),
  };
}

function expectedValue(metric: PlainStream['metric'], point: PlainPoint): Row['value'] {
  const { value, histogram, exponential, summary } = point;
  if (histogram !== undefined) {
    const { counts, sum, min, max } = histogram;
    return {
      count: counts.reduce((total, count) => total + count, 0),
      sum: metric.hasSum ? sum : undefined,
      min: metric.hasMin ? min : undefined,
      max: metric.hasMax ? max : undefined,
      bucketCounts: [...counts],
      explicitBounds: [...metric.explicitBounds],
    };
  }
  if (exponential !== undefined) {
    const { zeroCount, positive, negative, sum, min, max, ...rest } = exponential;
    const total = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
    return {
      ...rest,
      count: zeroCount + total(positive.counts) + total(negative.counts),
      sum: metric.hasSum ? sum : undefined,
      min: metric.hasMin ? min : undefined,
      max: metric.hasMax ? max : undefined,
      zeroCount,
      positive: { ...positive, counts: [...positive.counts] },
      negative: { ...negative, counts: [...negative.counts] },
    };
  }
  if (summary !== undefined) {
    const { count, sum, quantileValues } = summary;
    const quantiles = metric.quantiles.map((quantile, q) => ({ quantile, value: quantileValues[q] }));
    return { count, sum, quantiles };
  }
  return value !== undefined && metric.valueType === 'int' ? BigInt(value) : value;
}

/** Attributes in the form that sinks give them. */
export function plain(attributes: Attributes): PlainAttributes {
  return Object.fromEntries(attributes.map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: AttributeValue): PlainValue {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return value instanceof AttributeMap ? plain(value.entries) : value.map(plainValue);
}

/** Which series a row is of: equal for its points at different times. */
export function identity(row: Row): string {
  const { resource, scope, name, attributes } = row;
  return inspect([name, scope, attributes, resource], { sorted: true, depth: null, breakLength: Infinity });
}

function sorted(rows: Row[]): Row[] {
  const keyed = rows.map((row) => ({ row, key: identity(row) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : Number(a.row.time - b.row.time)));
  return keyed.map(({ row }) => row);
}
