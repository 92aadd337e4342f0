import { InvalidDataError } from '../../proto/error.ts';
import type { MetricDefinition, ResourceDefinition, ScopeDefinition } from '../../proto/messages/define.ts';
import { attributesFromWire, attributesToWire } from './any-value.ts';
import { type MetricDescription, metric } from './metric.ts';
import type { Resource } from './resource.ts';
import type { InstrumentationScope } from './scope.ts';

/** OpenTelemetry's limit for instrument names. */
export const maxMetricNameLength = 255;
/** Longer units and descriptions help nobody. */
export const maxUnitLength = 255;
export const maxDescriptionLength = 4096;
/** Bounds of one histogram; the SDKs' default has 15. Each is a value in every series and report. */
export const maxExplicitBounds = 1024;
export const maxQuantiles = 64;

/**
 * What a Define says of a metric, checked. Fields that do not belong to its kind are left at their defaults.
 * @param path of the definition, for errors: `metrics[2]`
 * @throws InvalidDataError naming the field, what was found and what is allowed
 */
export function metricFromDefinition(definition: MetricDefinition, path: string): MetricDescription {
  const { name, unit, description, kind } = definition;
  checkLength(name, 1, maxMetricNameLength, `${path}.name`);
  checkLength(unit, 0, maxUnitLength, `${path}.unit`);
  checkLength(description, 0, maxDescriptionLength, `${path}.description`);
  switch (kind) {
    case 'sum':
      return metric({
        name,
        unit,
        description,
        kind,
        isMonotonic: definition.isMonotonic,
        valueType: valueType(definition, path),
      });
    case 'gauge':
      return metric({ name, unit, description, kind, valueType: valueType(definition, path) });
    case 'histogram': {
      const { hasSum, hasMin, hasMax, explicitBounds } = definition;
      checkAscending(explicitBounds, maxExplicitBounds, `${path}.explicit_bounds`);
      return metric({ name, unit, description, kind, hasSum, hasMin, hasMax, explicitBounds });
    }
    case 'exponential_histogram': {
      const { hasSum, hasMin, hasMax } = definition;
      return metric({ name, unit, description, kind, hasSum, hasMin, hasMax });
    }
    case 'summary':
      return metric({ name, unit, description, kind, quantiles: quantiles(definition, path) });
    default:
      throw new InvalidDataError('is not one of sum, gauge, histogram, exponential_histogram and summary', {
        fieldPath: `${path}.kind`,
      });
  }
}

/** @param scope the number of the metric's scope in the stream */
export function metricToDefinition(m: MetricDescription, number: number, scope: number): MetricDefinition {
  return { ...m, number, scope };
}

/** @throws InvalidDataError naming the attribute at fault */
export function scopeFromDefinition(definition: ScopeDefinition, path: string): InstrumentationScope {
  const { name, version, schemaUrl } = definition;
  return {
    name,
    version,
    attributes: attributesFromWire(definition.attributes, `${path}.attributes`),
    schemaUrl,
  };
}

export function scopeToDefinition(scope: InstrumentationScope, number: number): ScopeDefinition {
  const { name, version, schemaUrl } = scope;
  return { number, name, version, attributes: attributesToWire(scope.attributes), schemaUrl };
}

/** @throws InvalidDataError naming the attribute at fault */
export function resourceFromDefinition(
  definition: Pick<ResourceDefinition, 'attributes' | 'schemaUrl'>,
  path: string,
): Resource {
  return {
    attributes: attributesFromWire(definition.attributes, `${path}.attributes`),
    schemaUrl: definition.schemaUrl,
  };
}

export function resourceToDefinition(resource: Resource, number: number): ResourceDefinition {
  return { number, attributes: attributesToWire(resource.attributes), schemaUrl: resource.schemaUrl };
}

function checkLength(text: string, min: number, max: number, fieldPath: string): void {
  if (text.length < min || text.length > max)
    throw new InvalidDataError(`has ${text.length} characters; ${min} to ${max} are allowed`, { fieldPath });
}

function valueType(definition: MetricDefinition, path: string): 'int' | 'double' {
  if (definition.valueType === 'unspecified')
    throw new InvalidDataError('is not one of int and double', { fieldPath: `${path}.value_type` });
  return definition.valueType;
}

function quantiles(definition: MetricDefinition, path: string): readonly number[] {
  const fieldPath = `${path}.quantiles`;
  checkAscending(definition.quantiles, maxQuantiles, fieldPath);
  for (const [i, quantile] of definition.quantiles.entries())
    if (quantile < 0 || quantile > 1)
      throw new InvalidDataError(`is ${quantile}; 0 to 1 is allowed`, { fieldPath: `${fieldPath}[${i}]` });
  return definition.quantiles;
}

function checkAscending(list: readonly number[], max: number, fieldPath: string): void {
  if (list.length > max)
    throw new InvalidDataError(`has ${list.length} numbers; at most ${max} are allowed`, { fieldPath });
  for (const [i, bound] of list.entries()) {
    if (!Number.isFinite(bound))
      throw new InvalidDataError(`is ${bound}; finite numbers are allowed`, {
        fieldPath: `${fieldPath}[${i}]`,
      });
    if (i > 0 && !(bound > list[i - 1]))
      throw new InvalidDataError(`is ${bound} after ${list[i - 1]}; the numbers ascend`, {
        fieldPath: `${fieldPath}[${i}]`,
      });
  }
}
