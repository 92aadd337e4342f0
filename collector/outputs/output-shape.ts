import type { MemberReduction } from '../../otel/config/metric-views.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import { isConvertible } from '../../otel/state/exponential-from-explicit.ts';
import { isMerging, type StreamPlan } from '../views/stream-plan.ts';
import type { Reduction } from './fold-present.ts';

/** What a plan makes of a metric, and how. */
export interface OutputShape {
  /** What leaves. Its value type, which of sum, min and max it has, and its description change with what joins. */
  readonly metric: MetricDescription;
  /** As it came; added since the start, as counters or bucket by bucket; in exponential buckets; or reduced from what is present. */
  readonly way: 'pass' | 'counter' | 'histogram' | 'exponential' | Reduction;
}

/**
 * What a plan makes of a metric. `undefined` where the aggregation has no meaning for its kind.
 *
 * Whatever is summed is a sum, and monotonic only if the input is; how many there are is a sum that may fall; every other reduction of present
 * values is a gauge, since such values of several resources must not be added.
 */
export function outputShape(input: MetricDescription, plan: StreamPlan): OutputShape | undefined {
  const named = describe(input, plan);
  if (!isMerging(plan)) return { metric: named, way: 'pass' };
  switch (input.kind) {
    case 'sum':
    case 'gauge':
      return shapeOfNumbers(named, plan);
    case 'histogram':
    case 'exponential_histogram':
      return shapeOfHistograms(named, plan);
    default:
      // Quantiles of several summaries say nothing of all together, and one by itself is handed on whatever the limit.
      return isLimitAlone(plan) ? { metric: named, way: 'pass' } : undefined;
  }
}

/** Whether a limit is all that makes a plan one that may join. */
function isLimitAlone(plan: StreamPlan): boolean {
  return !isMerging({ ...plan, cardinalityLimit: undefined });
}

function shapeOfNumbers(named: MetricDescription, plan: StreamPlan): OutputShape | undefined {
  const reduction = reductionOf(named, plan);
  const isCounter = named.kind === 'sum' && named.isMonotonic;
  switch (reduction) {
    case undefined:
      return undefined;
    case 'sum':
      return { metric: { ...named, kind: 'sum' }, way: isCounter ? 'counter' : 'sum' };
    case 'count':
      return {
        metric: { ...named, kind: 'sum', isMonotonic: false, unit: '{series}', valueType: 'int' },
        way: 'count',
      };
    case 'distribution':
      return {
        metric: exponential({ ...named, hasSum: true, hasMin: true, hasMax: true }, plan),
        way: 'exponential',
      };
    case 'mean':
      return { metric: { ...named, kind: 'gauge', isMonotonic: false, valueType: 'double' }, way: 'mean' };
    default:
      return { metric: { ...named, kind: 'gauge', isMonotonic: false }, way: reduction };
  }
}

function reductionOf(
  { kind, isMonotonic }: MetricDescription,
  { aggregation, members }: StreamPlan,
): MemberReduction | undefined {
  if (aggregation === 'sum') return 'sum';
  if (aggregation === 'last_value') return 'last';
  const isDistribution =
    typeof aggregation === 'object' && aggregation.kind === 'base2_exponential_bucket_histogram';
  if (typeof aggregation === 'object' && !isDistribution) return undefined;
  const reduction = isDistribution ? 'distribution' : (members ?? (kind === 'sum' ? 'sum' : 'last'));
  // Counters of several members began at different times: the greatest says how long one has run, not what it does.
  return isMonotonic && reduction !== 'sum' && reduction !== 'count' ? undefined : reduction;
}

function shapeOfHistograms(named: MetricDescription, plan: StreamPlan): OutputShape | undefined {
  const { aggregation, members } = plan;
  if (members !== undefined && members !== 'sum') return undefined;
  if (aggregation === 'default')
    return { metric: named, way: named.kind === 'histogram' ? 'histogram' : 'exponential' };
  if (typeof aggregation === 'string') return undefined;
  if (aggregation.kind === 'base2_exponential_bucket_histogram') {
    if (named.kind === 'histogram' && !isConvertible(named.explicitBounds)) return undefined;
    return { metric: exponential(named, plan), way: 'exponential' };
  }
  if (named.kind !== 'histogram') return undefined;
  const { boundaries = named.explicitBounds } = aggregation;
  const isExact = hasAll(named.explicitBounds, boundaries);
  return {
    metric: { ...named, explicitBounds: isExact ? boundaries : named.explicitBounds },
    way: 'histogram',
  };
}

function exponential(named: MetricDescription, { aggregation }: StreamPlan): MetricDescription {
  const holdsMinMax =
    aggregation === 'default' ||
    (typeof aggregation === 'object' &&
      aggregation.kind === 'base2_exponential_bucket_histogram' &&
      aggregation.recordMinMax);
  return {
    ...named,
    kind: 'exponential_histogram',
    isMonotonic: false,
    explicitBounds: [],
    hasMin: named.hasMin && holdsMinMax,
    hasMax: named.hasMax && holdsMinMax,
  };
}

/** Whether all of the bounds are among the others: then those buckets make up these. Both ascend. */
export function hasAll(bounds: readonly number[], wanted: readonly number[]): boolean {
  let at = 0;
  for (const bound of bounds) if (bound === wanted[at]) at++;
  return at === wanted.length;
}

function describe(input: MetricDescription, plan: StreamPlan): MetricDescription {
  const isMeanOverTime = input.kind === 'gauge' && plan.overTime === 'mean';
  if (plan.nameOf === undefined && plan.description === undefined && !isMeanOverTime) return input;
  return {
    ...input,
    valueType: isMeanOverTime ? 'double' : input.valueType,
    name: plan.nameOf?.(input.name) ?? input.name,
    description: plan.description ?? input.description,
  };
}
