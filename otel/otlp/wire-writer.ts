/** Bytes of a length that {@link WireWriter.openPadded} reserves: lengths to 2^28 - 1. */
const paddedLengthBytes = 4;
/** Characters; at most 127, so that the length takes one byte. */
const shortString = 64;

/**
 * Writes protobuf fields into one buffer that grows and is used again.
 *
 * Nested messages are written in place and their lengths afterwards. `openPadded` reserves four bytes and writes the length as a
 * varint with leading zero groups, which every decoder reads, so that nothing is copied: for the few large messages of a request.
 * `open` reserves one byte and moves the message when its length needs more, so that the bytes are the shortest: for small messages.
 */
export class WireWriter {
  /** Valid up to `position`. Another object after growth. */
  buffer: Buffer;
  view: DataView;
  position = 0;

  constructor(capacity = 64 * 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.buffer.buffer);
  }

  /** Makes room for so many bytes after the position. */
  ensure(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }

  /** An exact copy of what was written. */
  copy(): Buffer {
    const exact = Buffer.allocUnsafe(this.position);
    this.buffer.copy(exact, 0, 0, this.position);
    return exact;
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.ensure(8);
    if (value <= 0x7f) {
      this.buffer[this.position++] = value;
      return;
    }
    while (value > 0x7f) {
      this.buffer[this.position++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.buffer[this.position++] = value;
  }

  /** An int64; taken modulo 2^64. */
  varint64(value: bigint): void {
    this.ensure(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.buffer[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  double(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.ensure(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }

  /** UTF-8; a lone surrogate becomes U+FFFD. */
  string(value: string): void {
    if (value.length <= shortString && this.#shortAscii(value)) return;
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.ensure(length);
    this.buffer.write(value, this.position, length, 'utf8');
    this.position += length;
  }

  /** Most keys and values are short ASCII, which is faster to copy here than through Node's own call. Gives false when it is not. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    this.ensure(1 + length);
    const start = this.position + 1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      this.buffer[start + i] = code;
    }
    this.buffer[this.position] = length;
    this.position = start + length;
    return true;
  }

  /** A string field, left out when empty. */
  stringField(tag: number, value: string): void {
    if (value === '') return;
    this.varint(tag);
    this.string(value);
  }

  /** Begins a nested message that is small. Gives what `close` wants. */
  open(tag: number): number {
    this.varint(tag);
    this.ensure(1);
    return ++this.position;
  }

  close(start: number): void {
    const length = this.position - start;
    if (length > 0x7f) {
      const extra = varintBytes(length) - 1;
      this.ensure(extra);
      this.buffer.copyWithin(start + extra, start, this.position);
      const end = this.position + extra;
      this.position = start - 1;
      this.varint(length);
      this.position = end;
    } else {
      this.buffer[start - 1] = length;
    }
  }

  /** Begins a nested message of at most 2^28 - 1 bytes. Gives what `closePadded` wants. */
  openPadded(tag: number): number {
    this.varint(tag);
    this.ensure(paddedLengthBytes);
    this.position += paddedLengthBytes;
    return this.position;
  }

  closePadded(start: number): void {
    const length = this.position - start;
    this.buffer[start - 4] = (length & 0x7f) | 0x80;
    this.buffer[start - 3] = ((length >>> 7) & 0x7f) | 0x80;
    this.buffer[start - 2] = ((length >>> 14) & 0x7f) | 0x80;
    this.buffer[start - 1] = (length >>> 21) & 0x7f;
  }
}

/** How many bytes a varint takes, for whole numbers below 2^31. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  return 5;
}

/** How many bytes a varint takes, for whole numbers from 0 to 2^53. */
export function countBytes(value: number): number {
  if (value < 0x10000000) return varintBytes(value);
  if (value < 2 ** 35) return 5;
  if (value < 2 ** 42) return 6;
  return value < 2 ** 49 ? 7 : 8;
}
