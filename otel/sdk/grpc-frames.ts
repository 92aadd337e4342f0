/** What a collector sends is small: a message above this is none of ours. */
const maxMessageBytes = 4 * 1024 * 1024;
const prefixBytes = 5;
const nothing = Buffer.alloc(0);

/** Takes gRPC's messages out of the bytes of a stream: each has a byte that says whether it is compressed, four for its length, and its content. */
export class GrpcFrames {
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that the next step needs: of a prefix, or of a whole message. */
  #needed = prefixBytes;

  /**
   * Takes bytes in and hands each whole message on, in order.
   * @returns what is wrong with the bytes; `undefined`: nothing
   */
  push(bytes: Buffer, onMessage: (message: Buffer) => void): string | undefined {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    while (this.#heldBytes >= this.#needed) {
      const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
      const length = all.readUInt32BE(1);
      if (all[0] !== 0) return 'the collector sent a compressed message, which it was not offered';
      if (length > maxMessageBytes)
        return `the collector sent a message of ${length} bytes; at most ${maxMessageBytes} are taken`;
      const end = prefixBytes + length;
      if (all.length < end) {
        this.#held = [all];
        this.#needed = end;
        return undefined;
      }
      const rest = all.subarray(end);
      this.#held = rest.length === 0 ? [] : [rest];
      this.#heldBytes = rest.length;
      this.#needed = prefixBytes;
      onMessage(length === 0 ? nothing : all.subarray(prefixBytes, end));
    }
    return undefined;
  }
}
