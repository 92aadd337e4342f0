import type { KindState } from '../../otel/state/kind-state.ts';

/** What a session knows of one sampling group beyond its columns. */
export interface GroupProgress {
  /** Index into the store's times. */
  readonly clock: number;
  /** Series numbers that were defined and of which no value was taken yet. */
  unsettled: number[];
  /** Series that had no recorded value in the last report. */
  withoutValue: { readonly state: KindState; readonly slot: number }[];
  /** How often the member had left when the group was last reported. */
  absences: number;
}
