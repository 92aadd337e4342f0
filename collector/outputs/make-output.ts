import type { MetricDescription } from '../../otel/model/metric.ts';
import { ExponentialFromExplicit } from '../../otel/state/exponential-from-explicit.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { StreamPlan } from '../views/stream-plan.ts';
import { FoldCounter } from './fold-counter.ts';
import { FoldDistribution } from './fold-distribution.ts';
import {
  defaultExponentialShape,
  type ExponentialShape,
  FoldExponential,
  type HistogramSource,
} from './fold-exponential.ts';
import { FoldHistogram } from './fold-histogram.ts';
import { FoldPoints } from './fold-points.ts';
import { FoldPresent } from './fold-present.ts';
import type { OutputShape } from './output-shape.ts';
import type { OutputStream } from './output-stream.ts';
import { PassExponential } from './pass-exponential.ts';
import { PassGauge } from './pass-gauge.ts';
import { PassHistogram } from './pass-histogram.ts';
import { PassSum } from './pass-sum.ts';
import { PassSummary } from './pass-summary.ts';
import { Presence } from './presence.ts';

/** The output of a shape for a metric. `sinceUs`: nothing begins to count before then, by the store's clock. */
export function makeOutput(
  { metric, way }: OutputShape,
  input: MetricDescription,
  plan: StreamPlan,
  store: MetricStore,
  sinceUs = 0,
): OutputStream {
  const isShared = plan.resourceKeys !== undefined;
  const points = () => foldPoints(plan, store, input, sinceUs);
  switch (way) {
    case 'pass':
      return passing(metric, store, new Presence(store, plan));
    case 'counter':
      return new FoldCounter(metric, store, points(), isShared);
    case 'histogram':
      return new FoldHistogram(metric, store, points(), isShared, boundariesOf(plan));
    case 'exponential':
      return exponential(metric, input, plan, store, points());
    default:
      return new FoldPresent(
        metric,
        store,
        input.kind === 'sum' ? store.sums : store.gauges,
        way,
        points(),
        new Presence(store, plan),
      );
  }
}

function passing(metric: MetricDescription, store: MetricStore, presence: Presence): OutputStream {
  switch (metric.kind) {
    case 'sum':
      return new PassSum(metric, store, presence);
    case 'gauge':
      return new PassGauge(metric, store, presence);
    case 'histogram':
      return new PassHistogram(metric, store);
    case 'exponential_histogram':
      return new PassExponential(metric, store);
    case 'summary':
      return new PassSummary(metric, store);
  }
}

function exponential(
  metric: MetricDescription,
  input: MetricDescription,
  plan: StreamPlan,
  store: MetricStore,
  points: FoldPoints,
): OutputStream {
  const shape = exponentialShapeOf(plan);
  const presence = new Presence(store, plan);
  switch (input.kind) {
    case 'sum':
      return new FoldDistribution(metric, store.sums, points, shape, presence);
    case 'gauge':
      return new FoldDistribution(metric, store.gauges, points, shape, presence);
    default: {
      const isShared = plan.resourceKeys !== undefined;
      return new FoldExponential(metric, store, histogramSource(input, store), points, shape, isShared);
    }
  }
}

function histogramSource({ kind }: MetricDescription, store: MetricStore): HistogramSource {
  if (kind === 'exponential_histogram') return store.exponentialHistograms;
  const { definition } = store.histograms.series;
  const boundsOf = (slot: number) => store.definitions.at(definition.get(slot)).entry.metric.explicitBounds;
  return new ExponentialFromExplicit(store.histograms, boundsOf);
}

function exponentialShapeOf({ aggregation }: StreamPlan): ExponentialShape {
  return typeof aggregation === 'object' && aggregation.kind === 'base2_exponential_bucket_histogram'
    ? aggregation
    : defaultExponentialShape;
}

function boundariesOf({ aggregation }: StreamPlan): readonly number[] | undefined {
  return typeof aggregation === 'object' && aggregation.kind === 'explicit_bucket_histogram'
    ? aggregation.boundaries
    : undefined;
}

/** Where members are joined, totals are kept for good; otherwise they are forgotten with their member, and begin where the horizon stands by then. */
function foldPoints(
  plan: StreamPlan,
  store: MetricStore,
  input: MetricDescription,
  sinceUs: number,
): FoldPoints {
  const { series } = store.stateOf(input.kind);
  const isShared = plan.resourceKeys !== undefined;
  return new FoldPoints({
    outputAttributes: plan.outputAttributes,
    ownerOf: (slot) => store.members.at(series.member.get(slot))!.id,
    limit: plan.cardinalityLimit,
    isShared,
    startUs: Math.max(sinceUs, isShared ? store.birthUs : store.horizonUs),
  });
}
