/**
 * The clock that horizons, staleness and the beginnings of epochs are measured by: microseconds since the Unix epoch as they were when it was made,
 * and monotonic from there. It does not follow the wall clock when that is set. While a journal is replayed, it shows what it showed then.
 */
export class StoreClock {
  readonly #originMs = performance.now();
  #originUs = Date.now() * 1000;
  #replayedUs: number | undefined;
  #latestUs = 0;

  readonly nowUs = (): number =>
    this.#replayedUs ?? this.#originUs + Math.round((performance.now() - this.#originMs) * 1000);

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
