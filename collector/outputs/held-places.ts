/** How long a sweep waits for those that hold places, before it asks them to end soon. */
const patienceUs = 10e6;

/** Who reads outputs with pauses, so that points must stay in their places; sweeps wait for them. */
export class HeldPlaces {
  readonly #onFree: () => void;
  readonly #onAwaited = new Set<() => void>();
  #holders = 0;
  /** Since when a sweep waits. */
  #awaitedSinceUs: number | undefined;
  /** Who waits for a moment when nobody holds. */
  readonly #whenFree = new Set<() => void>();

  /** @param onFree told when the last one lets go that a sweep waited for */
  constructor(onFree: () => void) {
    this.#onFree = onFree;
  }

  /** Keeps places until the function that it gives is called, once. `onAwaited`: told, more than once perhaps, that a sweep has waited long. */
  hold(onAwaited?: () => void): () => void {
    this.#holders++;
    if (onAwaited !== undefined) this.#onAwaited.add(onAwaited);
    return () => {
      if (onAwaited !== undefined) this.#onAwaited.delete(onAwaited);
      // Readers that take turns at holding would keep the next tick from finding a moment when none does.
      if (--this.#holders > 0) return;
      if (this.#awaitedSinceUs !== undefined) this.#onFree();
      for (const resolve of [...this.#whenFree]) resolve();
    };
  }

  get isFree(): boolean {
    return this.#holders === 0;
  }

  /**
   * Resolves when nobody holds places, or the signal is aborted; somebody may again when the caller goes on. Those that hold them are asked to end soon.
   */
  async whenFree(signal: AbortSignal): Promise<void> {
    if (this.isFree || signal.aborted) return;
    for (const ask of [...this.#onAwaited]) ask();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenFree.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#whenFree.delete(resolve);
  }

  /** Whether a sweep may be made now. If not, it waits. */
  mayMove(nowUs: number): boolean {
    if (this.#holders === 0) {
      this.#awaitedSinceUs = undefined;
      return true;
    }
    this.#awaitedSinceUs ??= nowUs;
    if (nowUs - this.#awaitedSinceUs >= patienceUs) for (const ask of [...this.#onAwaited]) ask();
    return false;
  }
}
