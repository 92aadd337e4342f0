import type { GaugeState } from '../../otel/state/gauge.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { SeriesColumns } from '../../otel/state/series-columns.ts';
import type { SumState } from '../../otel/state/sum.ts';
import type { StreamPlan } from '../views/stream-plan.ts';
import type { Collecting } from './reader-cursor.ts';

/** Where values are that stand for the present: gauges and sums that may fall. */
export type PresentState = SumState | GaugeState;

/**
 * What a view says of gauges and up-down sums beyond which are present: how long their member may be silent, and what a gauge that changed
 * within the reader's interval is worth. Where a view says neither, nothing is looked at.
 */
export class Presence {
  readonly #store: MetricStore;
  readonly #stalenessUs: number;
  readonly #overTime: StreamPlan['overTime'];

  constructor(store: MetricStore, { overTime, stalenessMs }: Pick<StreamPlan, 'overTime' | 'stalenessMs'>) {
    this.#store = store;
    this.#overTime = overTime;
    this.#stalenessUs = stalenessMs === undefined ? Infinity : stalenessMs * 1000;
  }

  /** A series goes into the output. */
  attach(state: PresentState, slot: number): void {
    if (this.#overTime !== 'last' && state.kind === 'gauge') state.windows.watch(slot);
  }

  /** Whether the series' member has been silent for longer than this output waits. */
  isSilent(series: SeriesColumns, slot: number, { nowUs }: Collecting): boolean {
    if (this.#stalenessUs === Infinity) return false;
    return nowUs - this.#store.members.at(series.member.get(slot))!.reportedUs > this.#stalenessUs;
  }

  /** What a series is worth to this reader. Asked twice in one collection, it is worth the same. */
  valueOf(state: PresentState, slot: number, { cursor }: Collecting): number {
    const value = state.values.get(slot);
    if (this.#overTime === 'last' || state.kind !== 'gauge') return value;
    return state.windows.reduce(slot, this.#overTime, cursor.index, value);
  }
}
