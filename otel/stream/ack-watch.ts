import type { Clock } from '../clock.ts';

/**
 * Tells a collector that is gone, or out of reach without the connection's knowledge, by the Ack that does not come: every report is
 * acknowledged within the delay that Hello states, so an agent that reports needs no pings beside.
 */
export class AckWatch {
  readonly #clock: Clock;
  readonly #overdueMs: number;
  readonly #onOverdue: () => void;
  /** Cancels the timer; `undefined` while no report waits for its Ack. */
  #cancel: (() => void) | undefined;

  /** @param onOverdue called once when a report has waited for so long */
  constructor(clock: Clock, overdueMs: number, onOverdue: () => void) {
    this.#clock = clock;
    this.#overdueMs = overdueMs;
    this.#onOverdue = onOverdue;
  }

  /** A report was sent. */
  sent(): void {
    this.#cancel ??= this.#clock.setTimeout(this.#onOverdue, this.#overdueMs);
  }

  /** An Ack came. @param all it is that of the last report; otherwise the others wait from now on */
  acknowledged(all: boolean): void {
    this.stop();
    if (!all) this.sent();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
