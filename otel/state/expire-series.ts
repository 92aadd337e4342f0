import { slotOf } from './member-series.ts';
import type { Member } from './members.ts';
import type { MetricStore } from './metric-store.ts';
import { ended, present } from './series-columns.ts';

/**
 * Series of a live member that its stream, `holder`, has not defined or no longer holds leave gauges and up-down sums; those that
 * left longer than `evictionUs` ago are ended, and the horizon moves to where they left.
 */
export function expireSeries(
  store: MetricStore,
  member: Member,
  holder: number,
  nowUs: number,
  evictionUs: number,
): void {
  const beforeS = store.secondsAt(nowUs - evictionUs);
  const silent: number[] = [];
  member.series.forEach((entry) => {
    const { series } = store.stateAt(entry);
    const slot = slotOf(entry);
    const status = series.status.get(slot);
    if (series.holder.get(slot) === holder || (status & ended) !== 0) return;
    if ((status & present) !== 0) store.idle(series, slot, nowUs);
    else if (series.absentAtS.get(slot) < beforeS) silent.push(entry);
  });
  for (const entry of silent.sort((a, b) => a - b)) {
    const state = store.stateAt(entry);
    const slot = slotOf(entry);
    // The second after it left is the first that is surely later.
    const leftUs = store.birthUs + (state.series.absentAtS.get(slot) + 1) * 1e6;
    store.horizonUs = Math.max(store.horizonUs, leftUs);
    store.end(state, slot, nowUs);
  }
}
