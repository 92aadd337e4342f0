import type { MetricEntry } from '../../otel/state/definitions.ts';
import { namePattern } from './name-pattern.ts';
import { type PlansFor, passingPlan, type StreamPlan, type ViewAggregation } from './stream-plan.ts';

/** A selector and a stream, after OTel's declarative configuration, in the form the configuration is read into. */
export interface ViewDefinition {
  readonly selector: {
    /** With `*` and `?` as wildcards. */
    readonly instrumentName?: string | undefined;
    readonly instrumentType?: InstrumentType | undefined;
    readonly unit?: string | undefined;
    readonly meterName?: string | undefined;
    readonly meterVersion?: string | undefined;
    readonly meterSchemaUrl?: string | undefined;
  };
  readonly stream: {
    readonly name?: string | undefined;
    readonly description?: string | undefined;
    readonly attributeKeys?:
      | { readonly included?: readonly string[] | undefined; readonly excluded?: readonly string[] | undefined }
      | undefined;
    readonly aggregation?: ViewAggregation | 'drop' | undefined;
    readonly resourceKeys?: readonly string[] | undefined;
  };
}

/** OTel's instrument types. What was counted by a counter and by an observable counter looks the same on the wire, so both names match both. */
export type InstrumentType =
  | 'counter'
  | 'observable_counter'
  | 'up_down_counter'
  | 'observable_up_down_counter'
  | 'gauge'
  | 'observable_gauge'
  | 'histogram';

interface CompiledView {
  readonly matches: (entry: MetricEntry) => boolean;
  /** `undefined`: drop. */
  readonly plan: StreamPlan | undefined;
}

/**
 * Views as a function from a metric to its outputs: each view that matches makes one, in the order of the configuration; a metric that none
 * matches passes as it came.
 */
export function compileViews(views: readonly ViewDefinition[]): PlansFor {
  const compiled = views.map((view, index): CompiledView => ({
    matches: selector(view.selector),
    plan: view.stream.aggregation === 'drop' ? undefined : plan(view.stream, index + 1),
  }));
  return (entry) => {
    const matching = compiled.filter((view) => view.matches(entry));
    if (matching.length === 0) return [passingPlan];
    return matching.flatMap((view) => (view.plan === undefined ? [] : [view.plan]));
  };
}

function selector(by: ViewDefinition['selector']): (entry: MetricEntry) => boolean {
  const name = by.instrumentName === undefined ? undefined : namePattern(by.instrumentName);
  return ({ metric, scope }) => {
    if (name !== undefined && !name.test(metric.name)) return false;
    if (by.instrumentType !== undefined && !isOfType(by.instrumentType, metric)) return false;
    if (by.unit !== undefined && by.unit !== metric.unit) return false;
    if (by.meterName !== undefined && by.meterName !== scope.name) return false;
    if (by.meterVersion !== undefined && by.meterVersion !== scope.version) return false;
    return by.meterSchemaUrl === undefined || by.meterSchemaUrl === scope.schemaUrl;
  };
}

function isOfType(type: InstrumentType, metric: MetricEntry['metric']): boolean {
  switch (type) {
    case 'counter':
    case 'observable_counter':
      return metric.kind === 'sum' && metric.isMonotonic;
    case 'up_down_counter':
    case 'observable_up_down_counter':
      return metric.kind === 'sum' && !metric.isMonotonic;
    case 'gauge':
    case 'observable_gauge':
      return metric.kind === 'gauge';
    case 'histogram':
      return metric.kind === 'histogram' || metric.kind === 'exponential_histogram';
  }
}

function plan(stream: ViewDefinition['stream'], number: number): StreamPlan {
  return {
    number,
    name: stream.name,
    description: stream.description,
    keepsAttribute: attributeFilter(stream.attributeKeys),
    aggregation: (stream.aggregation ?? 'default') as ViewAggregation,
    resourceKeys: stream.resourceKeys,
  };
}

function attributeFilter(
  keys: ViewDefinition['stream']['attributeKeys'],
): ((key: string) => boolean) | undefined {
  if (keys === undefined || (keys.included === undefined && keys.excluded === undefined)) return undefined;
  const included = keys.included?.map(namePattern);
  const excluded = keys.excluded?.map(namePattern) ?? [];
  return (key) =>
    (included === undefined || included.some((pattern) => pattern.test(key))) &&
    !excluded.some((pattern) => pattern.test(key));
}
