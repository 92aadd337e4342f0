import { resumeInterrupted } from '../interrupted-series.ts';
import type { KindState } from '../kind-state.ts';
import type { MetricStore } from '../metric-store.ts';
import {
  counting,
  fromZero,
  isMonotonic,
  present,
  type SeriesColumns,
  withoutValue,
} from '../series-columns.ts';
import type { PointCell } from './point-cell.ts';
import type { PointRules } from './point-rules.ts';
import type { PointSeries } from './point-series.ts';

/** What the rules for each temporality share: when the point at hand arrived, how an epoch opens, and what marks a series as seen. */
export class PointEpochs {
  readonly store: MetricStore;
  readonly series: PointSeries;
  /** In force. */
  rules: PointRules;
  /** What the point at hand had set aside: a sum's value, a histogram's count. */
  setAside = 0;
  #arrivalUs = -1;
  #arrivalS = 0;

  constructor(store: MetricStore, series: PointSeries, rules: PointRules) {
    this.store = store;
    this.series = series;
    this.rules = rules;
  }

  /** The next point arrived at this time, by the store's clock. */
  arrive(arrivalUs: number): void {
    this.setAside = 0;
    if (arrivalUs === this.#arrivalUs) return;
    this.#arrivalUs = arrivalUs;
    this.#arrivalS = this.store.secondsAt(arrivalUs);
  }

  /** Whether a life that began at this start, by the source's clock, began after the horizon. No clocks are compared: the point's age is of one clock. */
  isAfterHorizon(startUs: number, timeUs: number): boolean {
    if (startUs === 0 || startUs === timeUs) return false;
    const beganAtUs = this.#arrivalUs - (timeUs - startUs) - this.rules.delayMarginUs;
    return beganAtUs > this.store.horizonUs;
  }

  /**
   * Opens an epoch and takes its first value. `isWhole`: that counts from zero; otherwise it is a baseline. `shownStartUs` is the start time
   * that passing outputs show.
   */
  open(
    cell: PointCell,
    slot: number,
    clock: number,
    startUs: number,
    timeUs: number,
    isWhole: boolean,
    shownStartUs: number,
  ): void {
    const { state } = cell;
    const { series } = state;
    const status = series.status.get(slot);
    if ((status & counting) !== 0) this.store.epochsOpened++;
    this.store.beginEpoch(state, slot);
    const kept = status & (isMonotonic | present);
    series.status.set(slot, isWhole ? kept | fromZero : kept);
    series.startTimeUs.set(slot, shownStartUs);
    this.series.startsUs.set(clock, startUs);
    this.series.firstsUs.set(clock, timeUs);
    this.setAside = cell.settle(slot);
    this.store.setAside(state, slot, this.setAside);
    this.newest(state, slot, clock, timeUs);
  }

  /**
   * What was counted since the held value may have been shown already: the next one of the same life is a baseline, of which what is held has been booked.
   */
  resume(cell: PointCell, slot: number, clock: number, timeUs: number): void {
    const { state } = cell;
    const held = resumeInterrupted(state, slot);
    this.setAside = Math.max(0, cell.settle(slot) - held);
    this.store.setAside(state, slot, this.setAside);
    this.newest(state, slot, clock, timeUs);
  }

  /** The series' newest point was taken. */
  newest(state: KindState, slot: number, clock: number, timeUs: number): void {
    this.store.timesUs[clock] = timeUs;
    const { series } = state;
    series.status.set(slot, (series.status.get(slot) | present) & ~withoutValue);
    this.#seen(series, slot, clock);
  }

  /** A point was taken that is not the newest. */
  late(state: KindState, slot: number, clock: number): void {
    const { series } = state;
    series.status.set(slot, series.status.get(slot) | present);
    this.#seen(series, slot, clock);
  }

  #seen(series: SeriesColumns, slot: number, clock: number): void {
    this.series.seenAtS.set(clock, this.#arrivalS);
    const member = this.store.members.at(series.member.get(slot))!;
    member.lastReportUs = this.#arrivalUs;
    member.reportedUs = this.#arrivalUs;
    member.isPresent = true;
  }
}
