import { type Clock, pause } from '../clock.ts';

/** When a reader exports: on a grid that an export which comes late does not move. */
export class ExportTimes {
  readonly #clock: Clock;
  #intervalMs: number;
  #dueMs = Number.POSITIVE_INFINITY;
  /** Aborted, and made anew, when it may be due sooner. */
  #changed = new AbortController();

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** The next one, by the monotonic clock: milliseconds. */
  get dueMs(): number {
    return this.#dueMs;
  }

  get isDue(): boolean {
    return this.#clock.monotonicMs() >= this.#dueMs;
  }

  begin(afterMs: number): void {
    this.#dueMs = this.#clock.monotonicMs() + afterMs;
  }

  /** Another interval from the next export on, which is due within it. */
  change(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#dueMs = Math.min(this.#dueMs, this.#clock.monotonicMs() + intervalMs);
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Resolves when an export is due, or one of the signals is aborted. */
  async wait(...signals: readonly AbortSignal[]): Promise<void> {
    while (!this.isDue && !signals.some(({ aborted }) => aborted))
      await pause(this.#clock, this.#dueMs - this.#clock.monotonicMs(), this.#changed.signal, ...signals);
  }

  /** What was due is being exported: leaves out what has passed. */
  next(): void {
    this.#dueMs = nextOnGrid(this.#dueMs, this.#clock.monotonicMs(), this.#intervalMs);
  }
}

function nextOnGrid(dueMs: number, nowMs: number, intervalMs: number): number {
  const late = Math.floor((nowMs - dueMs) / intervalMs);
  return dueMs + (Math.max(0, late) + 1) * intervalMs;
}
