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

/** What a session knew of a sampling group at one moment. */
export interface ProgressCapture {
  /** Never changed, only added to and replaced: the first so many are of that moment. */
  readonly unsettled: readonly number[];
  readonly unsettledCount: number;
  readonly turnedAway: readonly number[];
  readonly withoutValue: GroupProgress['withoutValue'];
  readonly absences: number;
}

export function captureProgress(progress: GroupProgress): ProgressCapture {
  const { unsettled, turnedAway, withoutValue, absences } = progress;
  return {
    unsettled,
    unsettledCount: unsettled.length,
    turnedAway: [...turnedAway],
    withoutValue: withoutValue.slice(),
    absences,
  };
}
