export interface BackOffOptions {
  /** The first delay, before jitter. Default 1,000. */
  readonly initialMs?: number | undefined;
  /** No delay is longer. Default 30,000. */
  readonly maxMs?: number | undefined;
  /** A stream that was up for so long counts as a success. A shorter one does not, so that a collector that falls over at every start is not hammered. Default 10,000. */
  readonly stableMs?: number | undefined;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * How long to wait before the next attempt: doubled with every failure up to a cap, reset by a stream that held. The delay is drawn
 * from the upper half of its range, so that a fleet cut off at one moment does not come back at one moment.
 */
export class BackOff {
  readonly maxMs: number;
  readonly #initialMs: number;
  readonly #stableMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(options: BackOffOptions = {}) {
    this.#initialMs = options.initialMs ?? 1_000;
    this.maxMs = Math.max(options.maxMs ?? 30_000, this.#initialMs);
    this.#stableMs = options.stableMs ?? 10_000;
    this.#random = options.random ?? Math.random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * The delay after an attempt that ended, in milliseconds.
   * @param upMs how long its stream had been welcome; 0 when it never was
   * @param needsPeople nothing but a changed configuration helps, so the cap applies at once
   */
  next(upMs: number, needsPeople = false): number {
    if (upMs >= this.#stableMs) this.#failures = 0;
    const doubled = this.#initialMs * 2 ** Math.min(this.#failures, 30);
    this.#failures++;
    const ceiling = needsPeople ? this.maxMs : Math.min(doubled, this.maxMs);
    return ceiling * (0.5 + this.#random() / 2);
  }
}
