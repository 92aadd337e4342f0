/**
 * A value that is gathered over a while and then begins anew, for several readers. The value shown is that of the last whole
 * window, which ends at the first reading after its length has passed: no reader takes another one's maximum away, and nobody needs a timer.
 */
export class RecentWindow<T> {
  readonly #take: () => T;
  readonly #lengthMs: number;
  readonly #now: () => number;
  #value: T;
  #tookAtMs: number;

  /**
   * @param take Gives what was gathered and begins anew.
   * @param now Milliseconds of a clock that does not go back.
   */
  constructor(take: () => T, lengthMs: number, now: () => number) {
    this.#take = take;
    this.#lengthMs = lengthMs;
    this.#now = now;
    this.#value = take();
    this.#tookAtMs = now();
  }

  read(): T {
    const now = this.#now();
    if (now - this.#tookAtMs >= this.#lengthMs) {
      this.#value = this.#take();
      this.#tookAtMs = now;
    }
    return this.#value;
  }
}
