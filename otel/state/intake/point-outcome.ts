/**
 * What became of a point. docs/aggregation.md tells the rules.
 *
 * Taken:
 * - `merged`: it is the newest of its series.
 * - `merged_late`: its time is not after the held one, and it counts all the same.
 * - `baseline`: it begins an epoch of which it cannot be known what was counted before: its value is set aside.
 * - `fell`: it is below the one before under the same start time, so the source contradicts itself: its value is set aside.
 * - `overlap_summed`: its interval overlaps one that was counted; it was added, by policy.
 * - `without_value`: the series has no value at this time.
 *
 * Nothing new:
 * - `duplicate`: the same start, time and value are held.
 * - `late`: what is held is newer, and contains it or replaces it.
 *
 * Refused:
 * - `overlap`: its interval overlaps one that was counted.
 * - `too_late`: its interval ends before all that are remembered, so it may have been counted already.
 * - `epoch_old`: it is of an epoch before the held one.
 * - `not_finite`: a sum or count that is not a finite number, or would become so; a count that would become more than 2^53.
 * - `negative`: a monotonic sum or a count below zero.
 * - `shape`: it has not as many buckets as its metric's bounds ask for, or not as many values as quantiles; buckets that no double needs; a count that is no whole number up to 2^53.
 * - `time`: its time is missing, or before its start time.
 * - `unknown_series`: the series has been freed, or a stream reports it now: define it again.
 */
export type PointOutcome =
  | 'merged'
  | 'merged_late'
  | 'baseline'
  | 'fell'
  | 'overlap_summed'
  | 'without_value'
  | 'duplicate'
  | 'late'
  | 'overlap'
  | 'too_late'
  | 'epoch_old'
  | 'not_finite'
  | 'negative'
  | 'shape'
  | 'time'
  | 'unknown_series';

/** `taken`: it is in the state. `nothing_new`: it was there already, or a newer one is. `refused`: it is not counted. */
export type PointFate = 'taken' | 'nothing_new' | 'refused';

export const pointFates: Readonly<Record<PointOutcome, PointFate>> = {
  merged: 'taken',
  merged_late: 'taken',
  baseline: 'taken',
  fell: 'taken',
  overlap_summed: 'taken',
  without_value: 'taken',
  duplicate: 'nothing_new',
  late: 'nothing_new',
  overlap: 'refused',
  too_late: 'refused',
  epoch_old: 'refused',
  not_finite: 'refused',
  negative: 'refused',
  shape: 'refused',
  time: 'refused',
  unknown_series: 'refused',
};
