import { counting, interrupted, present } from '../series-columns.ts';
import { cumulativeStep, lastValueStep } from './cumulative-step.ts';
import type { DeltaIntervals } from './delta-intervals.ts';
import type { PointCell } from './point-cell.ts';
import type { PointEpochs } from './point-epochs.ts';
import type { PointOutcome } from './point-outcome.ts';
import { temporalities } from './point-series.ts';

/** Points that tell what was counted since a start time, and points whose value replaces the one before. */
export class CumulativePoints {
  readonly #epochs: PointEpochs;
  readonly #intervals: DeltaIntervals;

  constructor(epochs: PointEpochs, intervals: DeltaIntervals) {
    this.#epochs = epochs;
    this.#intervals = intervals;
  }

  /** Monotonic sums and histograms. */
  counter(cell: PointCell, slot: number, clock: number, startUs: number, timeUs: number): PointOutcome {
    const epochs = this.#epochs;
    const { series, store, rules } = epochs;
    const { state } = cell;
    const heldUs = store.timesUs[clock]!;
    if (!this.#isGoingOn(cell, slot, clock)) return this.#begin(cell, slot, clock, startUs, timeUs);
    const heldStartUs = series.startsUs.get(clock);
    const step = cumulativeStep(
      cell.order(slot),
      startUs,
      timeUs,
      heldStartUs,
      series.firstsUs.get(clock),
      heldUs,
      rules.startToleranceUs,
    );
    switch (step) {
      case 'advance':
        this.#learnStart(cell, slot, clock, startUs);
        if (this.#isInterrupted(cell, slot)) {
          epochs.resume(cell, slot, clock, timeUs);
          return epochs.setAside === 0 ? 'merged' : 'baseline';
        }
        cell.replace(slot);
        epochs.newest(state, slot, clock, timeUs);
        return 'merged';
      case 'raise':
        if (this.#isInterrupted(cell, slot)) return 'late';
        cell.replace(slot);
        epochs.late(state, slot, clock);
        return 'merged_late';
      case 'reset':
        // Behind an interruption it may have begun, and been shown, before that.
        epochs.open(cell, slot, clock, startUs, timeUs, !this.#isInterrupted(cell, slot), heldUs);
        return epochs.setAside === 0 ? 'merged' : 'baseline';
      case 'restart': {
        // One that began before what was heard last may hold what that counted.
        const isWhole = startUs >= heldUs && epochs.isAfterHorizon(startUs, timeUs);
        epochs.open(cell, slot, clock, startUs, timeUs, isWhole, startUs);
        return epochs.setAside === 0 ? 'merged' : 'baseline';
      }
      case 'fell':
        epochs.open(cell, slot, clock, startUs, timeUs, false, heldUs);
        return 'fell';
      default:
        return step;
    }
  }

  /** Sums that may fall, summaries, and gauges, whose start time is 0. */
  lastValue(cell: PointCell, slot: number, clock: number, startUs: number, timeUs: number): PointOutcome {
    const epochs = this.#epochs;
    const { series, store, rules } = epochs;
    const { state } = cell;
    if (!this.#isGoingOn(cell, slot, clock)) return this.#begin(cell, slot, clock, startUs, timeUs);
    const step = lastValueStep(
      cell.order(slot) === 0,
      (state.series.status.get(slot) & present) !== 0,
      startUs,
      timeUs,
      series.startsUs.get(clock),
      store.timesUs[clock]!,
      rules.startToleranceUs,
    );
    switch (step) {
      case 'advance':
        cell.replace(slot);
        this.#learnStart(cell, slot, clock, startUs);
        epochs.newest(state, slot, clock, timeUs);
        return 'merged';
      case 'restart':
        epochs.open(cell, slot, clock, startUs, timeUs, true, startUs);
        return 'merged';
      default:
        return step;
    }
  }

  #isInterrupted({ state: { series } }: PointCell, slot: number): boolean {
    return (series.status.get(slot) & interrupted) !== 0;
  }

  /** Whether there is a cumulative value that the point can be held against. */
  #isGoingOn(cell: PointCell, slot: number, clock: number): boolean {
    return (
      this.#epochs.series.temporalities.get(clock) === temporalities.cumulative &&
      (cell.state.series.status.get(slot) & counting) !== 0
    );
  }

  /** The first cumulative point of a series, or the first after deltas or a stream's reports, which it may contain. */
  #begin(cell: PointCell, slot: number, clock: number, startUs: number, timeUs: number): PointOutcome {
    const epochs = this.#epochs;
    const { series, store } = epochs;
    const before = series.temporalities.get(clock);
    const heldUs = before === temporalities.none ? 0 : store.timesUs[clock]!;
    if (before !== temporalities.none && timeUs <= heldUs) return 'late';
    this.#intervals.release(series.intervals.get(clock));
    series.intervals.set(clock, 0);
    series.temporalities.set(clock, temporalities.cumulative);
    const isWhole = startUs >= heldUs && epochs.isAfterHorizon(startUs, timeUs);
    epochs.open(cell, slot, clock, startUs, timeUs, isWhole, startUs);
    return epochs.setAside === 0 ? 'merged' : 'baseline';
  }

  #learnStart(cell: PointCell, slot: number, clock: number, startUs: number): void {
    if (startUs === 0) return;
    this.#epochs.series.startsUs.set(clock, startUs);
    const { startTimeUs } = cell.state.series;
    // What outputs show stays within an epoch: another start would mean that counting began anew.
    if (startTimeUs.get(slot) === 0) startTimeUs.set(slot, startUs);
  }
}
