/** One is filled while the other is sent. */
const mostKept = 2;
/** Full requests differ by less than a point: rounded up, the memory of one does for another. */
const granule = 4096;

/**
 * Memory for the bytes of requests, used again: memory outside the heap that is allocated and forgotten by the megabyte makes the
 * garbage collector go through the whole heap several times an export.
 */
export class RequestBuffers {
  readonly #free: Uint8Array[] = [];

  /** So many bytes, of unspecified content. */
  take(length: number): Uint8Array {
    const at = this.#free.findIndex((buffer) => buffer.length >= length);
    const [buffer] = at === -1 ? [] : this.#free.splice(at, 1);
    return (buffer ?? Buffer.allocUnsafeSlow(Math.ceil(length / granule) * granule)).subarray(0, length);
  }

  /** Gives back what was taken, when nobody reads it any more. Two are kept, the largest. */
  give(bytes: Uint8Array): void {
    this.#free.push(new Uint8Array(bytes.buffer));
    this.#free.sort((a, b) => b.length - a.length);
    if (this.#free.length > mostKept) this.#free.pop();
  }
}
