import type { GroupProgress } from './group-progress.ts';
import type { MergeOutcome } from './merge-outcome.ts';

const none: ReadonlySet<number> = new Set();

/**
 * Which series of a group a report brings no value of: they have none in it, wait for a first one that can be taken, or theirs was turned away. A
 * histogram among them has no range in this report either. Used again for the next group.
 */
export class Untaken {
  #waiting = none;
  #turnedAway = none;
  #outcome: MergeOutcome | undefined;

  /** Of the group whose first values have been looked at. */
  begin({ unsettled, turnedAway }: GroupProgress, outcome: MergeOutcome): void {
    this.#waiting = unsettled.length === 0 ? none : new Set(unsettled);
    this.#turnedAway = turnedAway;
    this.#outcome = outcome;
  }

  has(number: number): boolean {
    if (this.#waiting.size > 0 && this.#waiting.has(number)) return true;
    if (this.#turnedAway.size > 0 && this.#turnedAway.has(number)) return true;
    return this.#outcome!.rejected.length > 0 && this.#outcome!.isRejected(number);
  }
}
