import type { HostClock } from './host-context.ts';

/** A reading of many things, in small steps. None of these throws. */
export interface Scan {
  begin(): void;
  /** Does a little. False: all is done. */
  step(): boolean;
  /** Takes the result over. */
  finish(): void;
}

const sliceMs = 2;

/** A scan takes at most this part of the time: 0.1 % of a core. */
const restPerWork = 1000;

/**
 * Runs a scan whose cost grows with the host, so that it neither holds up the event loop nor takes more than 0.1 % of a core: in
 * slices of 2 ms, and not again before 1,000 times its duration has passed. The first runs in one go, so that the first
 * report is complete.
 */
export class SlicedScan {
  readonly #clock: HostClock;
  readonly #scan: Scan;
  #running = false;
  #first = true;
  #workMs = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(clock: HostClock, scan: Scan) {
    this.#clock = clock;
    this.#scan = scan;
  }

  /** Begins a scan, unless one is running or it is too early for another. */
  run(): void {
    if (this.#running || this.#clock.monotonicMs() < this.#notBeforeMs) return;
    this.#running = true;
    this.#workMs = 0;
    this.#slice(this.#first ? Number.POSITIVE_INFINITY : sliceMs, true);
    this.#first = false;
  }

  #slice(lastsMs: number, begins = false): void {
    const fromMs = this.#clock.monotonicMs();
    if (begins) this.#scan.begin();
    let nowMs: number;
    let more: boolean;
    do {
      more = this.#scan.step();
      nowMs = this.#clock.monotonicMs();
    } while (more && nowMs - fromMs < lastsMs);
    this.#workMs += nowMs - fromMs;
    if (more) {
      // Not a reason to keep the process alive.
      setImmediate(() => this.#slice(sliceMs)).unref();
      return;
    }
    this.#scan.finish();
    this.#notBeforeMs = nowMs + this.#workMs * restPerWork;
    this.#running = false;
  }
}
