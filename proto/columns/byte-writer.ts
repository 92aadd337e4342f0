import { toZigzag } from './varint.ts';

/** A growing run of bytes. `bytes` up to `length` is what was written; valid until the next write or reset. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  reset(): void {
    this.length = 0;
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A protobuf varint, of a whole number from 0 to 2^53. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x10000000) {
      this.bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    let small = rest | 0;
    while (small >= 0x80) {
      this.bytes[this.length++] = (small & 0x7f) | 0x80;
      small >>>= 7;
    }
    this.bytes[this.length++] = small;
  }

  /** A protobuf sint64, of a whole number within ±2^53. */
  sint64(value: number): void {
    if (Math.abs(value) < 2 ** 52) {
      this.varint(toZigzag(value));
      return;
    }
    this.reserve(10);
    const exact = BigInt(value);
    let rest = exact < 0n ? -2n * exact - 1n : 2n * exact;
    for (; rest >= 128n; rest >>= 7n) this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.length++] = Number(rest);
  }

  append(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(end - start);
    for (let at = start; at < end; at++) this.bytes[this.length++] = source[at];
  }

  /** A copy of what was written, the caller's own. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
