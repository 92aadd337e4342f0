import { maxAttributeDepth } from '../model/any-value.ts';
import { AttributeMap, type Attributes, type AttributeValue, noAttributes } from '../model/attributes.ts';
import { attributeTags } from './attribute-tags.ts';
import { type Cells, cellsFromBytes } from './cells.ts';
import {
  firstFlag,
  lastFlag,
  maxRememberedLength,
  maxRememberedTexts,
  maxTextBytes,
  type SnapshotChunk,
} from './snapshot-chunk.ts';
import { SnapshotError } from './snapshot-error.ts';

/**
 * Reads what a {@link SnapshotWriter} wrote, from any bytes: whatever is wrong is a {@link SnapshotError}. One section at a time. Owners load in generators
 * that yield where a chunk may have been cut, and go on when the next one is here:
 *
 *     for (let left = reader.varint(); left > 0; left--) {
 *       if (reader.isSpent) yield;
 *       things.push(reader.string());
 *     }
 *
 * A count that is read is not to be believed: memory grows with what was read, by at most 64 bytes for each byte of the chunks.
 */
export class SnapshotReader {
  /** The section at hand. */
  type = 0;
  key = 0;
  version = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Chunks of the section so far. */
  #chunks = 0;
  #isLast = true;
  readonly #texts: string[] = [];

  /** Goes on with the next chunk. Gives whether a section begins with it. Nothing of the chunk is kept when the next one comes. */
  take({ type, key, bytes }: SnapshotChunk): boolean {
    const isContinued = !this.#isLast;
    if (isContinued && (type !== this.type || key !== this.key))
      throw this.error(`is cut off: section ${type}/${key} comes before its last chunk`);
    if (!isContinued) {
      this.type = type;
      this.key = key;
      this.#chunks = 0;
      this.#texts.length = 0;
    } else if (this.#at < this.#bytes.length)
      throw this.error(`${this.#bytes.length - this.#at} bytes are left at the end of the chunk`);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = 0;
    const flags = this.byte();
    if (flags > (firstFlag | lastFlag)) throw this.error(`${flags} are no flags of a chunk; 0 to 3 are`);
    const isFirst = (flags & firstFlag) !== 0;
    this.#isLast = (flags & lastFlag) !== 0;
    const number = this.varint();
    if (isFirst === isContinued)
      throw this.error(isFirst ? 'begins again before its end' : 'begins in its middle');
    if (isFirst) this.version = number;
    else if (number !== this.#chunks)
      throw this.error(`is chunk ${number} of the section; chunk ${this.#chunks} is missing`);
    this.#chunks++;
    return isFirst;
  }

  /** Whether the chunk is read to its end. */
  get isSpent(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Whether this is the section's last chunk. */
  get isLast(): boolean {
    return this.#isLast;
  }

  /** What is not read of the chunk yet, in bytes. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** An error about this place. */
  error(message: string): SnapshotError {
    return new SnapshotError(message, { type: this.type, key: this.key, chunk: this.#chunks, at: this.#at });
  }

  /** @throws SnapshotError when the section's format has another version than this one. */
  expectVersion(version: number): void {
    if (this.version !== version)
      throw this.error(`has version ${this.version} of its format; this program reads version ${version}`);
  }

  /** A whole number up to `max`. `what` it is, for the error. */
  varint(max = Number.MAX_SAFE_INTEGER, what = 'a number'): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (this.#at === bytes.length) throw this.error(`${what} is cut off`);
      const byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value <= max) return value;
        throw this.error(`${what} is ${value}; 0 to ${max} is allowed`);
      }
      scale *= 128;
    }
    throw this.error(`${what} is longer than 8 bytes`);
  }

  /** A whole number, zig-zag coded. */
  sint(what = 'a number'): number {
    const u = this.varint(Number.MAX_SAFE_INTEGER, what);
    return u % 2 === 0 ? u / 2 : -(u + 1) / 2;
  }

  float64(): number {
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  boolean(): boolean {
    const value = this.byte();
    if (value > 1) throw this.error(`${value} is neither 0, false, nor 1, true`);
    return value === 1;
  }

  /** The caller's own. */
  bytes(): Uint8Array {
    const length = this.varint(this.left, 'the length of bytes');
    const start = this.#at;
    this.#at += length;
    return new Uint8Array(this.#bytes.subarray(start, this.#at));
  }

  string(): string {
    const coded = this.varint(maxTextBytes * 2 + 1, 'the length of a string');
    const length = Math.floor(coded / 2);
    this.#need(length);
    if (coded % 2 !== 0 && length % 2 !== 0) throw this.error(`a string of UTF-16 has ${length} bytes`);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString(coded % 2 === 0 ? 'utf8' : 'utf16le', start, this.#at);
  }

  /** See {@link SnapshotWriter.text}. */
  text(): string {
    const texts = this.#texts;
    const number = this.varint(texts.length, 'the number of a string');
    if (number > 0) return texts[number - 1]!;
    const value = this.string();
    if (value.length <= maxRememberedLength && texts.length < maxRememberedTexts) texts.push(value);
    return value;
  }

  attributes(): Attributes {
    return this.#entries(0);
  }

  /** Reads `cells[start, end)`, all of which are in the chunk. */
  cells(cells: Cells, start: number, end: number): void {
    const bytes = (end - start) * cells.BYTES_PER_ELEMENT;
    this.#need(bytes);
    cellsFromBytes(cells, start, end, this.#bytes, this.#at);
    this.#at += bytes;
  }

  #entries(depth: number): Attributes {
    // Each has a byte for its key and one for its value at least.
    const count = this.varint(Math.floor(this.left / 2), 'a count of attributes');
    if (count === 0) return noAttributes;
    const list: [string, AttributeValue][] = [];
    let before: string | undefined;
    for (let i = 0; i < count; i++) {
      const key = this.text();
      if (before !== undefined && !(before < key))
        throw this.error(`the key ${JSON.stringify(key)} comes after ${JSON.stringify(before)}; keys ascend`);
      before = key;
      list.push([key, this.#value(depth)]);
    }
    return list;
  }

  #value(depth: number): AttributeValue {
    const tag = this.byte();
    switch (tag) {
      case attributeTags.empty:
        return null;
      case attributeTags.string:
        return this.text();
      case attributeTags.false:
        return false;
      case attributeTags.true:
        return true;
      case attributeTags.int: {
        this.#need(8);
        const value = this.#bytes.readBigInt64LE(this.#at);
        this.#at += 8;
        return value;
      }
      case attributeTags.double:
        return this.float64();
      case attributeTags.bytes:
        return this.bytes();
    }
    if (tag !== attributeTags.array && tag !== attributeTags.map)
      throw this.error(`${tag} is no kind of attribute value; 0 to ${attributeTags.map} are`);
    if (depth === maxAttributeDepth)
      throw this.error(`an attribute is nested more than ${maxAttributeDepth} levels deep`);
    if (tag === attributeTags.map) return new AttributeMap(this.#entries(depth + 1));
    const count = this.varint(this.left, 'the length of an array');
    const list: AttributeValue[] = [];
    for (let i = 0; i < count; i++) list.push(this.#value(depth + 1));
    return list;
  }

  #need(count: number): void {
    if (count > this.left)
      throw this.error(`is cut off: ${count} bytes are needed, ${this.left} are left of the chunk`);
  }
}
