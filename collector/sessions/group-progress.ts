import type { KindState } from '../../otel/state/kind-state.ts';

/** What a session knows of one sampling group beyond its columns. */
export interface GroupProgress {
  /** Index into the store's times. */
  readonly clock: number;
  /** Series numbers that were defined and of which no value was taken yet: the next report is looked at for each of them. */
  unsettled: number[];
  /** Those whose first value was turned away: they are looked at again when it changes, so that a report costs no more than what it holds. */
  readonly turnedAway: Set<number>;
  /** Series that had no recorded value in the last report. */
  withoutValue: { readonly state: KindState; readonly slot: number }[];
  /** How often the member had left when the group was last reported. */
  absences: number;
}
