import type { KindState } from './kind-state.ts';
import type { MetricStore } from './metric-store.ts';
import { ended, fromZero, isMonotonic } from './series-columns.ts';
import type { DefineRefusal, SeriesInput } from './series-input.ts';

/** Whether all that the epoch counts was counted under our eyes: then it counts from zero. */
export function isAfterHorizon({ horizonUs }: MetricStore, { beganAtUs }: SeriesInput): boolean {
  return beganAtUs !== undefined && beganAtUs > horizonUs;
}

/** A series that is held is defined again, with the same epoch or a new one. Gives its slot, or why it is not taken; then nothing has changed. */
export function resumeSeries(
  store: MetricStore,
  state: KindState,
  slot: number,
  input: SeriesInput,
  nowUs: number,
): number | DefineRefusal {
  const { series } = state;
  const { epochs } = store.references;
  if (series.holder.get(slot) === input.holder) return 'held';
  const held = series.epoch.get(slot);
  const epoch = epochs.acquire(input.epoch);
  if (epoch === held) {
    epochs.release(epoch);
    series.status.set(slot, series.status.get(slot) & ~ended);
    // Within an epoch the start time stays: sources tell it by clocks that are set, and another one would mean that counting began anew.
    if (series.startTimeUs.get(slot) === 0) series.startTimeUs.set(slot, input.startTimeUs);
  } else if (epoch === series.previousEpoch.get(slot) && epoch !== 0) {
    epochs.release(epoch);
    return 'epoch_old';
  } else {
    epochs.release(series.previousEpoch.get(slot));
    series.previousEpoch.set(slot, held);
    series.epoch.set(slot, epoch);
    beginEpoch(store, state, slot, input, nowUs);
  }
  series.clock.set(slot, input.clock);
  series.holder.set(slot, input.holder);
  // What is reported on another stream does not go on from the last report on this one.
  if (state.kind === 'gauge') state.windows.leave(slot);
  return slot;
}

function beginEpoch(
  store: MetricStore,
  state: KindState,
  slot: number,
  input: SeriesInput,
  nowUs: number,
): void {
  const { series } = state;
  // Unknown, or that of the epoch before: counting began after the last sample of that epoch.
  const isTold = input.startTimeUs !== 0 && input.startTimeUs !== series.startTimeUs.get(slot);
  series.startTimeUs.set(slot, isTold ? input.startTimeUs : store.timesUs[series.clock.get(slot)]!);
  store.idle(series, slot, nowUs);
  store.beginEpoch(state, slot);
  store.epochsOpened++;
  const status = series.status.get(slot) & isMonotonic;
  series.status.set(slot, isAfterHorizon(store, input) ? status | fromZero : status);
}
