const smallestBytes = 32 * 1024;

/**
 * Buffers that large messages are gathered in, used again and again: what is allocated for each message costs the system a page fault for each page, and V8,
 * which counts this memory, a collection of garbage every few dozen messages. That was a third of what a request of a thousand points cost
 * (`npm run bench otlp`).
 */
export class MessageRooms {
  /** By their size, a power of two. */
  readonly #free = new Map<number, Buffer[]>();
  readonly #maxFreeBytes: number;
  #freeBytes = 0;

  /** @param maxFreeBytes of buffers that wait to be used again */
  constructor(maxFreeBytes: number) {
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** A buffer of at least so many bytes, which hold anything. */
  take(bytes: number): Buffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(smallestBytes, bytes)));
    const known = this.#free.get(size)?.pop();
    if (known === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return known;
  }

  /** Nobody uses the buffer any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (this.#freeBytes + size > this.#maxFreeBytes) return;
    this.#freeBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }
}
