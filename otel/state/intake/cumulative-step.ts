/** How a cumulative point stands to what is held of its series. */
export type CumulativeStep =
  /** It is newer and goes on. */
  | 'advance'
  /** It is not newer, but counts more: the maximum holds. */
  | 'raise'
  /** It is newer and fell, and nothing says since when it counts: it began at zero after the held one. */
  | 'reset'
  /** It tells a later start than the held one. */
  | 'restart'
  /** It is newer and fell under the same start. */
  | 'fell'
  | 'duplicate'
  | 'late'
  | 'epoch_old';

/**
 * The rules for what is counted since a start time, for monotonic sums and histograms. After "Resets and Gaps" of OpenTelemetry's data model:
 * a start time that equals the point's time says that the start is not known.
 * @param order of the value against the held one: below 0 when any of it is less, 0 when all of it is equal
 * @param heldStartUs start time of the current epoch as the source tells it, 0 unknown
 * @param firstUs time of the epoch's first point
 * @param heldUs time of its newest point
 */
export function cumulativeStep(
  order: number,
  startUs: number,
  timeUs: number,
  heldStartUs: number,
  firstUs: number,
  heldUs: number,
  startToleranceUs: number,
): CumulativeStep {
  const isNewer = timeUs > heldUs;
  const isUnknown = startUs === 0 || startUs === timeUs;
  if (!isUnknown && startUs !== heldStartUs) {
    if (heldStartUs === 0) {
      // Of an epoch whose start was not known, as long as it can have held the first point.
      if (startUs > firstUs) return 'restart';
    } else if (Math.abs(startUs - heldStartUs) > startToleranceUs)
      return startUs > heldStartUs ? 'restart' : 'epoch_old';
    else if (order < 0 && isNewer && startUs > heldStartUs) return 'restart';
  }
  if (isNewer) {
    if (order >= 0) return 'advance';
    return isUnknown ? 'reset' : 'fell';
  }
  if (order === 0 && timeUs === heldUs) return 'duplicate';
  if (order <= 0) return 'late';
  // Before its first point the epoch had counted less than that: more was counted by another one.
  return timeUs >= firstUs ? 'raise' : 'epoch_old';
}

/** How a value that replaces the one before stands to it: gauges, sums that may fall, summaries. */
export type LastValueStep = 'advance' | 'restart' | 'duplicate' | 'late' | 'epoch_old';

/** As {@link cumulativeStep}. `isPresent`: the held value takes part in outputs; one that left is replaced by any that comes. */
export function lastValueStep(
  isEqual: boolean,
  isPresent: boolean,
  startUs: number,
  timeUs: number,
  heldStartUs: number,
  heldUs: number,
  startToleranceUs: number,
): LastValueStep {
  const isKnown = startUs !== 0 && startUs !== timeUs && heldStartUs !== 0;
  if (isKnown && Math.abs(startUs - heldStartUs) > startToleranceUs)
    return startUs > heldStartUs ? 'restart' : 'epoch_old';
  if (timeUs > heldUs) return 'advance';
  if (timeUs === heldUs) return isEqual ? 'duplicate' : 'advance';
  return isPresent ? 'late' : 'advance';
}
