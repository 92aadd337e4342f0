import fs from 'node:fs';

/** More than any file of /proc that is read whole; what is longer is refused. */
const maxBytes = 16 * 1024 * 1024;

const wrapAt = 2 ** 53;

/**
 * A file of /proc as bytes, with a place in it. One instance serves all sources of a host in turn, so nothing is allocated to
 * read a file again: `bytes[0..end)` is the text and `bytes[end]` a newline, so that no loop below needs to look for the end.
 * What is read is valid until the next `fill`. Numbers are made straight from the digits, never through strings.
 */
export class ProcText {
  bytes: Buffer = Buffer.allocUnsafeSlow(16 * 1024);
  end = 0;
  at = 0;

  /** Reads all of an open file. Throws what `fs.readSync` throws, or when the file is empty or too long. */
  fill(fd: number): void {
    let end = 0;
    for (;;) {
      if (end + 1 >= this.bytes.length) this.#grow(end);
      const read = fs.readSync(fd, this.bytes, end, this.bytes.length - 1 - end, end);
      if (read === 0) break;
      end += read;
    }
    if (end === 0) throw new Error('the file is empty');
    this.#reset(end);
  }

  /** Reads once, from an offset: of a file of /proc at most a page of whole lines. Gives the number of bytes. */
  fillPart(fd: number, offset: number): number {
    const read = fs.readSync(fd, this.bytes, 0, this.bytes.length - 1, offset);
    this.#reset(read);
    return read;
  }

  get more(): boolean {
    return this.at < this.end;
  }

  /** Goes to the start of the next line. */
  nextLine(): void {
    const { bytes } = this;
    let i = this.at;
    while (bytes[i] !== 10) i++;
    this.at = i + 1;
  }

  skipSpaces(): void {
    const { bytes } = this;
    let i = this.at;
    while (bytes[i] === 32 || bytes[i] === 9) i++;
    this.at = i;
  }

  /** Goes to the next space, tab or newline. */
  skipWord(): void {
    const { bytes } = this;
    let i = this.at;
    while (bytes[i] !== 32 && bytes[i] !== 9 && bytes[i] !== 10) i++;
    this.at = i;
  }

  /** Whether these bytes stand here. */
  startsWith(prefix: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
    return true;
  }

  /**
   * The whole number after any spaces, or NaN when there is none; goes behind it. Counters of 2^53 and more (the kernel's go to
   * 2^64) wrap around at 2^53: to a series that is a fall, which opens a new epoch, and every value stays exact.
   */
  integer(): number {
    this.skipSpaces();
    const { bytes } = this;
    const from = this.at;
    let i = from;
    let value = 0;
    for (let digit = bytes[i]! - 48; digit >= 0 && digit <= 9; digit = bytes[++i]! - 48)
      value = value * 10 + digit;
    if (i === from) return Number.NaN;
    this.at = i;
    if (value < wrapAt) return value;
    return Number(BigInt.asUintN(53, BigInt(bytes.toString('latin1', from, i))));
  }

  /** A number with up to two decimals, in hundredths, or NaN when there is none; goes behind it. */
  hundredths(): number {
    const whole = this.integer();
    const { bytes } = this;
    if (bytes[this.at] !== 46) return whole * 100;
    let i = this.at + 1;
    let hundredths = 0;
    for (let weight = 10; weight >= 1; weight /= 10) {
      const digit = bytes[i]! - 48;
      if (digit < 0 || digit > 9) break;
      hundredths += digit * weight;
      i++;
    }
    this.at = i;
    this.skipWord();
    return whole * 100 + hundredths;
  }

  #reset(end: number): void {
    this.bytes[end] = 10;
    this.end = end;
    this.at = 0;
  }

  #grow(held: number): void {
    if (this.bytes.length >= maxBytes)
      throw new Error(`the file is longer than ${maxBytes} bytes, which is not expected of it`);
    const grown = Buffer.allocUnsafeSlow(this.bytes.length * 2);
    this.bytes.copy(grown, 0, 0, held);
    this.bytes = grown;
  }
}
