interface Waiter {
  readonly position: number;
  readonly run: () => void;
}

/** Who waits for which position. Almost all come in ascending order, and are called in it. */
export class CommitWaiters {
  #waiters: Waiter[] = [];
  #first = 0;

  get size(): number {
    return this.#waiters.length - this.#first;
  }

  add(position: number, run: () => void): void {
    const waiters = this.#waiters;
    let at = waiters.length;
    while (at > this.#first && waiters[at - 1]!.position > position) at--;
    if (at === waiters.length) waiters.push({ position, run });
    else waiters.splice(at, 0, { position, run });
  }

  /** Calls all that wait for positions up to this one, each once. What one throws goes to `onError`, and the others are called all the same. */
  release(position: number, onError: (error: unknown) => void): void {
    while (this.#first < this.#waiters.length && this.#waiters[this.#first]!.position <= position) {
      const { run } = this.#waiters[this.#first++]!;
      try {
        run();
      } catch (error) {
        onError(error);
      }
    }
    if (this.#first === this.#waiters.length || this.#first > 1024) {
      this.#waiters = this.#waiters.slice(this.#first);
      this.#first = 0;
    }
  }
}
