import type { Clock } from '../../otel/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #startUs: number;
  readonly #timers = new Set<Timer>();

  constructor(nowMs = 5_000.25, startUs = 1_800_000_000_000_000) {
    this.#nowMs = nowMs;
    this.#startUs = startUs;
  }

  nowUs(): number {
    return this.#startUs + Math.round(this.#nowMs * 1000);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimeout(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How long until each timer that is set, ascending. */
  get delays(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Lets so much time pass, with every timer at its moment. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers)
        if (timer.atMs <= end && timer.atMs < (next?.atMs ?? Infinity)) next = timer;
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = end;
  }

  /** Lets the time pass while the process stands still: the timers fire late, once, at its end. */
  suspend(ms: number): void {
    this.#nowMs += ms;
    this.advance(0);
  }
}
