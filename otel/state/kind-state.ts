import type { MetricDescription } from '../model/metric.ts';
import type { ExponentialHistogramState } from './exponential-histogram.ts';
import type { GaugeState } from './gauge.ts';
import type { HistogramState } from './histogram.ts';
import type { SumState } from './sum.ts';
import type { SummaryState } from './summary.ts';

/** The state of all series of one kind of metric. Each has slots of its own. */
export type KindState = SumState | GaugeState | HistogramState | ExponentialHistogramState | SummaryState;

/** A free slot for a series of this metric, which is of the state's kind. */
export function allocateSlot(state: KindState, metric: MetricDescription): number {
  if (state.kind === 'sum') return state.allocate(metric.isMonotonic);
  if (state.kind === 'gauge') return state.allocate();
  if (state.kind === 'exponential_histogram') return state.allocate();
  if (state.kind === 'summary') return state.allocate(metric.quantiles.length);
  return state.allocate(metric.explicitBounds.length + 1);
}
