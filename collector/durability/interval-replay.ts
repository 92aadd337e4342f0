/** Who makes the delta intervals of a reader again. */
export interface IntervalReplay {
  /** An interval ended at this time, by the wall clock: microseconds. It collects. */
  replayBegan(wallUs: number): void;
  /** It was read on by so many steps. */
  replaySteps(count: number): void;
  /** So many requests of the oldest interval were answered for good. */
  replayAnswered(count: number): void;
  /** The reader is no more: what waited was lost then, and booked. */
  replayGone(): void;
  /** An interval that is half-made is read to its end at once. See `DeltaIntervals.finishNow`. */
  finishNow(told: (steps: number) => void, committed: () => Promise<void>): void;
}
