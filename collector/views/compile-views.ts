import type {
  AttributeKeys,
  InstrumentType,
  ViewConfig,
  ViewSelector,
  ViewStream,
} from '../../otel/config/metric-views.ts';
import type { Attributes } from '../../otel/model/attributes.ts';
import type { MetricEntry } from '../../otel/state/definitions.ts';
import { namePattern } from './name-pattern.ts';
import { type PlansFor, passingPlan, type StreamPlan } from './stream-plan.ts';

interface CompiledView {
  readonly matches: (entry: MetricEntry) => boolean;
  /** `undefined`: drop. */
  readonly plan: StreamPlan | undefined;
}

/**
 * Views as a function from a metric to its outputs: each view that matches makes one, in the order of the configuration; a metric that none
 * matches passes as it came.
 */
export function compileViews(views: readonly ViewConfig[]): PlansFor {
  const compiled = views.map(
    ({ selector, stream }, index): CompiledView => ({
      matches: matcher(selector),
      plan: plan(stream, index + 1),
    }),
  );
  return (entry) => {
    const matching = compiled.filter((view) => view.matches(entry));
    if (matching.length === 0) return [passingPlan];
    return matching.flatMap((view) => (view.plan === undefined ? [] : [view.plan]));
  };
}

function matcher(by: ViewSelector): (entry: MetricEntry) => boolean {
  // OpenTelemetry's instrument names ignore case; attribute keys do not.
  const name =
    by.instrumentName === undefined ? undefined : namePattern(by.instrumentName, { ignoreCase: true });
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
    default:
      return metric.kind === 'histogram' || metric.kind === 'exponential_histogram';
  }
}

function plan(stream: ViewStream, number: number): StreamPlan | undefined {
  const { aggregation } = stream;
  if (aggregation === 'drop') return undefined;
  return {
    number,
    name: stream.name,
    description: stream.description,
    outputAttributes: attributeFilter(stream.attributeKeys),
    cardinalityLimit: undefined,
    aggregation,
    resourceKeys: stream.resourceKeys,
  };
}

function attributeFilter(
  keys: AttributeKeys | undefined,
): ((attributes: Attributes) => Attributes) | undefined {
  if (keys === undefined || (keys.included === undefined && keys.excluded === undefined)) return undefined;
  const patterns = (list: readonly string[] | undefined) =>
    list?.map((pattern) => namePattern(pattern, { ignoreCase: false }));
  const included = patterns(keys.included);
  const excluded = patterns(keys.excluded) ?? [];
  const keeps = (key: string) =>
    (included === undefined || included.some((pattern) => pattern.test(key))) &&
    !excluded.some((pattern) => pattern.test(key));
  return (attributes) => attributes.filter(([key]) => keeps(key));
}
