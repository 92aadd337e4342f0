import { createHash } from 'node:crypto';
import { type Attributes as SdkAttributes, ValueType } from '@opentelemetry/api';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { attributesKey } from '../model/attributes.ts';
import {
  maxDescriptionLength,
  maxExplicitBounds,
  maxMetricNameLength,
  maxUnitLength,
} from '../model/definitions.ts';
import { type MetricDescription, metric, metricKey } from '../model/metric.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import { type InstrumentationScope, scopeKey } from '../model/scope.ts';
import { attributesFromSdk } from '../otlp/from-sdk.ts';
import type { ServiceSeries } from './service-series.ts';

/** One metric of the SDK with the series that its points belong to. */
export class ServiceMetric {
  readonly resource: Resource | undefined;
  readonly scope: InstrumentationScope;
  readonly description: MetricDescription;
  /** Why it cannot be sent; `undefined`: it can. */
  readonly fault: string | undefined;
  /** A synchronous instrument counts from the moment of its first measurement, whatever times its points bear. */
  readonly isSynchronous: boolean;
  /** The series of the last collection by the places of their points, which are the same ones mostly. */
  readonly places: (ServiceSeries | undefined)[] = [];
  /** The SDK hands out the same attributes object for a series at each collection. */
  readonly placeAttributes: SdkAttributes[] = [];
  readonly #key: string;

  constructor(resource: Resource | undefined, scope: InstrumentationScope, data: MetricData) {
    this.resource = resource;
    this.scope = scope;
    this.description = describe(data);
    this.fault = faultOf(this.description);
    const of = resource === undefined ? '' : resourceKey(resource);
    this.#key = `${of}\0${scopeKey(scope)}\0${metricKey(this.description)}\0`;
    this.isSynchronous = synchronous.has((data.descriptor as { type?: unknown }).type);
  }

  /** Equal for points that a collector takes for one series, and for no others: 22 characters. */
  keyOf(attributes: SdkAttributes): string {
    const text = this.#key + attributesKey(attributesFromSdk(attributes));
    return createHash('sha256').update(text).digest('base64url').slice(0, 22);
  }

  /** Whether later data of the same instrument are of this metric still. */
  isOf(resource: Resource | undefined, { dataPointType, dataPoints }: MetricData): boolean {
    if (resource !== this.resource || kinds[dataPointType] !== this.description.kind) return false;
    if (dataPointType !== DataPointType.HISTOGRAM || dataPoints.length === 0) return true;
    const { boundaries } = dataPoints[0]!.value.buckets;
    const { explicitBounds } = this.description;
    return (
      boundaries === explicitBounds ||
      (boundaries.length === explicitBounds.length && boundaries.every((b, i) => b === explicitBounds[i]))
    );
  }
}

const kinds = {
  [DataPointType.SUM]: 'sum',
  [DataPointType.GAUGE]: 'gauge',
  [DataPointType.HISTOGRAM]: 'histogram',
  [DataPointType.EXPONENTIAL_HISTOGRAM]: 'exponential_histogram',
} as const;

/** The SDK's descriptor has a type that its typings do not show. */
const synchronous = new Set<unknown>(['COUNTER', 'UP_DOWN_COUNTER', 'HISTOGRAM']);

function describe(data: MetricData): MetricDescription {
  const { name, unit, description, valueType } = data.descriptor;
  const base = {
    name,
    unit,
    description: description.slice(0, maxDescriptionLength),
    valueType: valueType === ValueType.INT ? 'int' : 'double',
    kind: kinds[data.dataPointType],
  } as const;
  switch (data.dataPointType) {
    case DataPointType.GAUGE:
      return metric(base);
    case DataPointType.SUM:
      return metric({ ...base, isMonotonic: data.isMonotonic });
    case DataPointType.HISTOGRAM: {
      const first = data.dataPoints[0]?.value;
      return metric({
        ...base,
        valueType: 'double',
        explicitBounds: first?.buckets.boundaries ?? [],
        hasSum: first?.sum !== undefined,
        hasMin: true,
        hasMax: true,
      });
    }
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return metric({
        ...base,
        valueType: 'double',
        hasSum: data.dataPoints[0]?.value.sum !== undefined,
        hasMin: true,
        hasMax: true,
      });
  }
}

function faultOf({ name, unit, explicitBounds }: MetricDescription): string | undefined {
  if (name.length === 0 || name.length > maxMetricNameLength)
    return `its name has ${name.length} characters; 1 to ${maxMetricNameLength} are allowed`;
  if (unit.length > maxUnitLength)
    return `its unit has ${unit.length} characters; at most ${maxUnitLength} are allowed`;
  if (explicitBounds.length > maxExplicitBounds)
    return `it has ${explicitBounds.length} bounds; at most ${maxExplicitBounds} are allowed`;
  for (const [i, bound] of explicitBounds.entries())
    if (!Number.isFinite(bound) || (i > 0 && !(bound > explicitBounds[i - 1]!)))
      return 'its bounds are not finite and ascending';
  return undefined;
}
