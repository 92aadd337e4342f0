import type { KindState } from './kind-state.ts';
import { isMonotonic } from './series-columns.ts';

/** Whether the series counts something: sums that only grow, and histograms. All others are recomputed from the present. */
export function isCounter(state: KindState, slot: number): boolean {
  if (state.kind === 'gauge' || state.kind === 'summary') return false;
  return (state.series.status.get(slot) & isMonotonic) !== 0;
}

/** What a counter holds of its present epoch as it was reported: a sum's value, a histogram's count. */
export function reportedAmount(state: KindState, slot: number): number {
  if (state.kind === 'sum') return state.values.get(slot);
  if (state.kind === 'exponential_histogram') return state.values.count(slot);
  return state.kind === 'histogram' ? state.reportedCount(slot) : 0;
}

/** What a counter has counted since the store began, as merging views add it up. */
export function countedAmount(state: KindState, slot: number): number {
  if (state.kind === 'sum') return state.counted(slot);
  if (state.kind === 'exponential_histogram') return state.values.count(slot) + state.offsets.count(slot);
  return state.kind === 'histogram' ? state.countedCount(slot) : 0;
}
