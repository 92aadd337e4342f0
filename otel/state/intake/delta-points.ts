import { counting, interrupted } from '../series-columns.ts';
import type { DeltaIntervals } from './delta-intervals.ts';
import type { PointCell } from './point-cell.ts';
import type { PointEpochs } from './point-epochs.ts';
import type { PointOutcome } from './point-outcome.ts';
import { temporalities } from './point-series.ts';

/** Points that tell what was counted in an interval: the state is their sum. */
export class DeltaPoints {
  readonly #epochs: PointEpochs;
  readonly #intervals: DeltaIntervals;

  constructor(epochs: PointEpochs, intervals: DeltaIntervals) {
    this.#epochs = epochs;
    this.#intervals = intervals;
  }

  take(cell: PointCell, slot: number, clock: number, startUs: number, timeUs: number): PointOutcome {
    const epochs = this.#epochs;
    const { series, store, rules } = epochs;
    const { state } = cell;
    const isGoingOn =
      series.temporalities.get(clock) === temporalities.delta &&
      (state.series.status.get(slot) & counting) !== 0;
    if (!isGoingOn) return this.#begin(cell, slot, clock, startUs, timeUs);
    const ring = series.intervals.get(clock);
    const value = cell.fingerprint();
    const heldUs = store.timesUs[clock]!;
    const step = this.#intervals.step(ring, heldUs, startUs, timeUs, value);
    if (step === 'duplicate' || step === 'too_late') return step;
    if (step === 'overlap' && rules.overlap === 'drop') return 'overlap';
    if (!cell.add(slot)) return 'not_finite';
    // An interval that has not come before holds nothing that was shown.
    const { status } = state.series;
    if ((status.get(slot) & interrupted) !== 0) status.set(slot, status.get(slot) & ~interrupted);
    this.#intervals.remember(ring, startUs, timeUs, value);
    if (timeUs > heldUs) epochs.newest(state, slot, clock, timeUs);
    else epochs.late(state, slot, clock);
    if (step === 'overlap') return 'overlap_summed';
    return step === 'late' ? 'merged_late' : 'merged';
  }

  /** The first delta of a series, which counts whole: nothing came before it. Or the first after cumulative points or a stream's reports, which may contain it. */
  #begin(cell: PointCell, slot: number, clock: number, startUs: number, timeUs: number): PointOutcome {
    const epochs = this.#epochs;
    const { series, store, rules } = epochs;
    const before = series.temporalities.get(clock);
    const isFirst = before === temporalities.none;
    const heldUs = isFirst ? 0 : store.timesUs[clock]!;
    if (!isFirst && timeUs <= heldUs) return 'late';
    const overlaps = startUs !== 0 && startUs < heldUs;
    if (overlaps && rules.overlap === 'drop') return 'overlap';
    const heldStartUs = series.startsUs.get(clock);
    if (series.intervals.get(clock) === 0) series.intervals.set(clock, this.#intervals.allocate());
    const ring = series.intervals.get(clock);
    // What was counted until then, in one interval of unknown beginning.
    if (!isFirst) this.#intervals.remember(ring, heldStartUs === 0 ? -Infinity : heldStartUs, heldUs, NaN);
    this.#intervals.remember(ring, startUs, timeUs, cell.fingerprint());
    series.temporalities.set(clock, temporalities.delta);
    epochs.open(cell, slot, clock, 0, timeUs, true, startUs);
    return overlaps ? 'overlap_summed' : 'merged';
  }
}
