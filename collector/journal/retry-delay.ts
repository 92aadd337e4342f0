const firstMs = 50;
const longestMs = 2000;

/** How long to wait before the disk is tried again: twice as long each time, up to two seconds, since space may return at any moment. */
export class RetryDelay {
  #nextMs = firstMs;

  next(): number {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(longestMs, delayMs * 2);
    return delayMs;
  }

  reset(): void {
    this.#nextMs = firstMs;
  }
}
