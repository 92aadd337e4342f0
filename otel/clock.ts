/** Where times come from. Tests give one of their own. */
export interface Clock {
  /** Wall clock: microseconds since the Unix epoch. For the times of points; never used to measure how long something took. */
  nowUs(): number;
  /** Monotonic: milliseconds, in a program those of `performance.now()`. */
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

/** The same, with timers that do not keep the process alive: for who lives in another's process. */
export const unreferencedClock: Clock = {
  ...systemClock,
  setTimeout(run, delayMs) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), longestTimerMs)).unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds, or as soon as one of the signals is aborted. Never rejects. */
export function pause(clock: Clock, delayMs: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some((signal) => signal.aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.setTimeout(end, delayMs);
    for (const signal of signals) signal.addEventListener('abort', end);
  });
}
