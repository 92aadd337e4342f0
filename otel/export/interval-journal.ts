/**
 * Told what changes state when a delta reader collects, in its place among everything else that does, so that it can be done again over the same
 * state: see the `replay…` of DeltaIntervals.
 */
export interface IntervalJournal {
  /** An interval begins: the state is collected next, with the same time. */
  began(timeUs: number, maxRequestBytes: number): void;
  /** So many steps were made, since the interval began or since this was told last; nothing else has run in between, or lets go of the state before. */
  steps(count: number): void;
  /** So many requests, oldest first, are not sent again: answered for good, or dropped. */
  answered(count: number): void;
}
