import { type MetricDescription, metric } from '../../otel/model/metric.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { isMerging, type StreamPlan } from '../views/stream-plan.ts';
import { FoldCounter } from './fold-counter.ts';
import { FoldHistogram } from './fold-histogram.ts';
import { FoldPoints } from './fold-points.ts';
import { FoldPresent } from './fold-present.ts';
import type { OutputStream } from './output-stream.ts';
import { PassGauge } from './pass-gauge.ts';
import { PassHistogram } from './pass-histogram.ts';
import { PassSum } from './pass-sum.ts';
import { PassSummary } from './pass-summary.ts';

/** What a plan makes of a metric. `undefined` where the aggregation has no meaning for the kind: then the metric has no such output. */
export function makeOutput(
  input: MetricDescription,
  plan: StreamPlan,
  store: MetricStore,
): OutputStream | undefined {
  const output = describe(input, plan);
  const isShared = plan.resourceKeys !== undefined;
  const points = () => foldPoints(plan, store, input);
  // Quantiles of several summaries say nothing of all together.
  if (input.kind === 'summary') return isMerging(plan) ? undefined : new PassSummary(output, store);
  if (input.kind === 'histogram') {
    if (plan.aggregation !== 'default') return undefined;
    return isMerging(plan)
      ? new FoldHistogram(output, store, points(), isShared)
      : new PassHistogram(output, store);
  }
  if (!isMerging(plan))
    return input.kind === 'sum' ? new PassSum(output, store) : new PassGauge(output, store);
  const from = input.kind === 'sum' ? store.sums : store.gauges;
  if (output.kind === 'gauge') return new FoldPresent(output, store, from, 'last_value', points());
  if (output.isMonotonic) return new FoldCounter(output, store, points(), isShared);
  return new FoldPresent(output, store, from, 'sum', points());
}

/** Where members are joined, totals are kept for good; otherwise they are forgotten with their member, and begin where the horizon stands by then. */
function foldPoints(plan: StreamPlan, store: MetricStore, input: MetricDescription): FoldPoints {
  const { series } = store.stateOf(input.kind);
  const isShared = plan.resourceKeys !== undefined;
  return new FoldPoints({
    outputAttributes: plan.outputAttributes,
    ownerOf: (slot) => store.members.at(series.member.get(slot))!.id,
    limit: plan.cardinalityLimit,
    isShared,
    startUs: isShared ? store.birthUs : store.horizonUs,
  });
}

/** The output's name and kind. Whatever is summed is a sum, and monotonic only if the input is; the last value of anything is a gauge. */
function describe(input: MetricDescription, plan: StreamPlan): MetricDescription {
  // Every member has such an output: they share the description.
  if (plan.name === undefined && plan.description === undefined && plan.aggregation === 'default')
    return input;
  const output = metric({
    ...input,
    name: plan.name ?? input.name,
    description: plan.description ?? input.description,
  });
  if (input.kind === 'histogram') return output;
  if (plan.aggregation === 'sum') return { ...output, kind: 'sum' };
  if (plan.aggregation === 'last_value') return { ...output, kind: 'gauge', isMonotonic: false };
  return output;
}
