import { type Clock, systemClock } from '../otel/clock.ts';

/**
 * The clock that horizons, staleness and the beginnings of epochs are measured by: microseconds since the Unix epoch as they were when it was made,
 * and monotonic from there. It does not follow the wall clock when that is set. While a journal is replayed, it shows what it showed then.
 */
export class StoreClock {
  readonly #machine: Pick<Clock, 'nowUs' | 'monotonicMs'>;
  readonly #originMs: number;
  #originUs: number;
  #replayedUs: number | undefined;
  #latestUs = 0;

  /** @param machine the machine's clocks */
  constructor(machine: Pick<Clock, 'nowUs' | 'monotonicMs'> = systemClock) {
    this.#machine = machine;
    this.#originMs = machine.monotonicMs();
    this.#originUs = machine.nowUs();
  }

  readonly nowUs = (): number =>
    this.#replayedUs ?? this.#originUs + Math.round((this.#machine.monotonicMs() - this.#originMs) * 1000);

  /** It shows this time until the next one, or until it runs. */
  show(timeUs: number): void {
    this.#replayedUs = timeUs;
    this.#latestUs = Math.max(this.#latestUs, timeUs);
  }

  /** Runs from here on, and never shows a time before one that it has shown: the machine's clock may have been set back since. */
  run(): void {
    this.#replayedUs = undefined;
    this.#originUs += Math.max(0, this.#latestUs + 1 - this.nowUs());
  }
}
