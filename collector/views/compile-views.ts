import {
  type InstrumentType,
  joinsSeries,
  type ViewConfig,
  type ViewSelector,
  type ViewStream,
} from '../../otel/config/metric-views.ts';
import { namePattern } from '../../otel/config/name-pattern.ts';
import type { MetricEntry } from '../../otel/state/definitions.ts';
import { outputAttributes } from './output-attributes.ts';
import { outputName } from './output-name.ts';
import { planIdentity } from './plan-identity.ts';
import { defaultCardinalityLimit, type PlansFor, passingPlan, type StreamPlan } from './stream-plan.ts';

interface CompiledView {
  readonly matches: (entry: MetricEntry) => boolean;
  /** `undefined`: drop. */
  readonly plan: StreamPlan | undefined;
}

/**
 * Views as a function from a metric to its outputs: each view that matches makes one, in the order of the configuration; a metric that none
 * matches passes as it came. `stalenessMs`: how long a member may be silent where a view does not say.
 */
export function compileViews(views: readonly ViewConfig[], stalenessMs = 0): PlansFor {
  const longestMs = longestStalenessMs(views, stalenessMs);
  // What all wait for need not be looked at for each series.
  const own = (ms: number) => (ms < longestMs ? ms : undefined);
  const compiled = views.map(
    ({ selector, stream }, index): CompiledView => ({
      matches: matcher(selector),
      plan: plan(stream, index + 1, own(stream.stalenessMs ?? stalenessMs)),
    }),
  );
  const passing = { ...passingPlan, stalenessMs: own(stalenessMs) };
  return (entry) => {
    const matching = compiled.filter((view) => view.matches(entry));
    if (matching.length === 0) return [passing];
    return matching.flatMap((view) => (view.plan === undefined ? [] : [view.plan]));
  };
}

/** How long a member may be silent at most before it leaves every output. */
export function longestStalenessMs(views: readonly ViewConfig[], stalenessMs: number): number {
  return Math.max(stalenessMs, ...views.map(({ stream }) => stream.stalenessMs ?? 0));
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

function plan(stream: ViewStream, number: number, stalenessMs: number | undefined): StreamPlan | undefined {
  const { aggregation } = stream;
  if (aggregation === 'drop') return undefined;
  return {
    number,
    identity: planIdentity(stream),
    nameOf: outputName(stream),
    description: stream.description,
    outputAttributes: outputAttributes(stream),
    cardinalityLimit: stream.cardinalityLimit ?? (joinsSeries(stream) ? defaultCardinalityLimit : undefined),
    aggregation,
    members: stream.members,
    overTime: stream.overTime ?? 'last',
    stalenessMs,
    resourceKeys: stream.resourceKeys,
  };
}
