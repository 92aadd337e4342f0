import type { KindState } from '../../otel/state/metric-store.ts';

/** What a session knows of one sampling group beyond its columns. */
export interface GroupProgress {
  /** Index into the store's times. */
  readonly clock: number;
  /** Series numbers that were defined and have had no value yet. */
  unsettled: number[];
  /** Series that had no recorded value in the last report. */
  readonly withoutValue: { state: KindState; slot: number }[];
}
