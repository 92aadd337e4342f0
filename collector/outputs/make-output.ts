import type { MetricDescription } from '../../otel/model/metric.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { StreamPlan } from '../views/stream-plan.ts';
import { FoldCounter } from './fold-counter.ts';
import { FoldHistogram } from './fold-histogram.ts';
import { FoldPoints } from './fold-points.ts';
import { FoldPresent } from './fold-present.ts';
import type { OutputShape } from './output-shape.ts';
import type { OutputStream } from './output-stream.ts';
import { PassGauge } from './pass-gauge.ts';
import { PassHistogram } from './pass-histogram.ts';
import { PassSum } from './pass-sum.ts';
import { PassSummary } from './pass-summary.ts';

/** The output of a shape for a metric. `undefined` where nothing makes it. */
export function makeOutput(
  { metric, way }: OutputShape,
  input: MetricDescription,
  plan: StreamPlan,
  store: MetricStore,
): OutputStream | undefined {
  const isShared = plan.resourceKeys !== undefined;
  const points = () => foldPoints(plan, store, input);
  switch (way) {
    case 'pass':
      return passing(metric, store);
    case 'counter':
      return new FoldCounter(metric, store, points(), isShared);
    case 'histogram':
      return new FoldHistogram(metric, store, points(), isShared);
    case 'exponential':
      return undefined;
    default:
      return new FoldPresent(metric, store, input.kind === 'sum' ? store.sums : store.gauges, way, points());
  }
}

function passing(metric: MetricDescription, store: MetricStore): OutputStream | undefined {
  switch (metric.kind) {
    case 'sum':
      return new PassSum(metric, store);
    case 'gauge':
      return new PassGauge(metric, store);
    case 'histogram':
      return new PassHistogram(metric, store);
    case 'summary':
      return new PassSummary(metric, store);
    default:
      return undefined;
  }
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
