import { isCounter, reportedAmount } from './counted-amount.ts';
import { allocateSlot } from './kind-state.ts';
import { entryOf, isForeign, slotOf } from './member-series.ts';
import type { Member } from './members.ts';
import type { MetricStore, SeriesListener } from './metric-store.ts';
import { ended, present } from './series-columns.ts';

/**
 * The member's resource changed: each of its own series ends where it was and goes on, under the same epoch and from the same
 * value, where it is now. What has ended stays where it was.
 */
export function moveSeries(
  store: MetricStore,
  member: Member,
  nowUs: number,
  onSeries: SeriesListener,
): void {
  for (const entry of member.series.sorted()) {
    if (isForeign(entry)) continue;
    member.series.delete(entry);
    const state = store.stateAt(entry);
    const slot = slotOf(entry);
    const { series } = state;
    const status = series.status.get(slot);
    if ((status & ended) !== 0) continue;
    store.end(state, slot, nowUs);
    const definition = store.definitions.at(series.definition.get(slot));
    const moved = allocateSlot(state, definition.entry.metric);
    store.references.copy(series, slot, moved, member.resource);
    series.member.set(moved, member.index);
    series.clock.set(moved, series.clock.get(slot));
    series.holder.set(moved, 0);
    series.startTimeUs.set(moved, series.startTimeUs.get(slot));
    series.absentAtS.set(moved, series.absentAtS.get(slot));
    state.moveTo(slot, moved);
    series.status.set(moved, status & ~present);
    // The same state is held twice from here on, and was reported once.
    if (isCounter(state, moved)) store.ledgerOf(state, moved).earlier -= reportedAmount(state, moved);
    member.series.add(entryOf(state.kind, moved));
    member.slots++;
    member.definitionBytes += definition.bytes;
    onSeries(state, moved, definition, member.resource);
  }
}
