import { isCounter, reportedAmount } from './counted-amount.ts';
import type { KindState } from './kind-state.ts';
import type { MetricStore } from './metric-store.ts';
import { counting, fromZero, interrupted } from './series-columns.ts';

/**
 * What counters held, but those of the holders at hand, may be older than what was shown of them: the next value of each is a baseline, and so is
 * the first one of any epoch that began before now.
 */
export function interruptSeries(
  store: MetricStore,
  nowUs: number,
  isAtHand: (holder: number) => boolean,
): void {
  store.horizonUs = Math.max(store.horizonUs, nowUs);
  for (const state of store.states) {
    const { status, holder, length } = state.series;
    const inUse = state.series.slotsInUse();
    for (let slot = 1; slot < length; slot++)
      if (inUse[slot] === 1 && isCounter(state, slot) && !isAtHand(holder.get(slot)))
        status.set(slot, status.get(slot) | interrupted);
  }
}

/** The next value of an interrupted series is at hand, to be taken as the first one of an epoch is. Gives how much was held. */
export function resumeInterrupted(state: KindState, slot: number): number {
  const { status } = state.series;
  const held = reportedAmount(state, slot);
  state.beginEpoch(slot);
  status.set(slot, status.get(slot) & ~(interrupted | counting | fromZero));
  return held;
}
