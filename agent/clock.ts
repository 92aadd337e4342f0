/** Where the agent's times come from. Tests give one of their own. */
export interface Clock {
  /** Wall clock: microseconds since the Unix epoch. For the times of reports; never used to measure how long something took. */
  nowUs(): number;
  /** Monotonic: milliseconds by `performance.now()`, the clock of {@link Epoch.beganMs}. */
  monotonicMs(): number;
  /** Calls once after so many milliseconds. Gives the function that cancels it. */
  setTimeout(run: () => void, delayMs: number): () => void;
}

/** The longest delay that Node's timers take; longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
  monotonicMs: () => performance.now(),
  setTimeout(run, delayMs) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), longestTimerMs));
    return () => clearTimeout(timer);
  },
};
