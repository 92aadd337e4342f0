import { StreamgaugeError } from '../../proto/error.ts';
import { maxAttributeDepth } from '../model/any-value.ts';
import { AttributeMap, type Attributes, type AttributeValue } from '../model/attributes.ts';
import { attributeTags } from './attribute-tags.ts';
import { type Cells, cellsToBytes } from './cells.ts';
import {
  firstFlag,
  fullChunkBytes,
  lastFlag,
  maxPieceBytes,
  maxRememberedLength,
  maxRememberedTexts,
  maxTextBytes,
  type SnapshotChunk,
} from './snapshot-chunk.ts';

/**
 * Writes sections, one after the other, as chunks. Owners do it in generators that yield chunks, so that whoever walks them lets others
 * run in between:
 *
 *     writer.begin(type, key, version);
 *     for (const thing of things) {
 *       writer.string(thing.name);
 *       if (writer.isFull) yield writer.cut();
 *     }
 *     yield writer.end();
 *
 * A {@link SnapshotReader} is asked for the same in the same order, and for the next chunk wherever one may have been cut. The memory of a chunk
 * is used again for the next.
 */
export class SnapshotWriter {
  readonly #fullBytes: number;
  #bytes = Buffer.allocUnsafe(fullChunkBytes + maxPieceBytes + 1024);
  /** What the chunk before is in, which may still be in use when the next one begins. */
  #other = Buffer.allocUnsafe(fullChunkBytes + maxPieceBytes + 1024);
  #length = 0;
  #type = 0;
  #key = 0;
  #chunks = 0;
  readonly #texts = new Map<string, number>();

  /** @param fullBytes a chunk should be cut when it has so many */
  constructor(fullBytes = fullChunkBytes) {
    this.#fullBytes = fullBytes;
  }

  /** Begins a section. `version`: of its format, 0 to 2^53 - 1. */
  begin(type: number, key: number, version: number): void {
    this.#type = type;
    this.#key = key;
    this.#chunks = 0;
    this.#texts.clear();
    this.#head(version);
  }

  /** Whether the chunk should be cut now. */
  get isFull(): boolean {
    return this.#length >= this.#fullBytes;
  }

  /** Ends the chunk; the section goes on in the next. */
  cut(): SnapshotChunk {
    const chunk = this.#finish();
    this.#head(this.#chunks);
    return chunk;
  }

  /** Ends the section with its last chunk. */
  end(): SnapshotChunk {
    this.#bytes[0]! |= lastFlag;
    return this.#finish();
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new StreamgaugeError('bug', `${value} is no whole number from 0 to 2^53 - 1`);
    this.#reserve(8);
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= 0x10000000) {
      bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    let small = rest | 0;
    while (small >= 0x80) {
      bytes[this.#length++] = (small & 0x7f) | 0x80;
      small >>>= 7;
    }
    bytes[this.#length++] = small;
  }

  /** A whole number within ±2^52, zig-zag coded. */
  sint(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Any double, with its sign and as itself where it is not finite. */
  float64(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** 0 to 255. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  boolean(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Any string, also one that is not well-formed. */
  string(value: string): void {
    const { length } = value;
    if (length <= maxRememberedLength && this.#ascii(value)) return;
    const isWellFormed = value.isWellFormed();
    const bytes = isWellFormed ? Buffer.byteLength(value, 'utf8') : length * 2;
    if (bytes > maxTextBytes)
      throw new StreamgaugeError('bug', `a string has ${bytes} bytes; at most ${maxTextBytes} are kept`);
    this.varint(isWellFormed ? bytes * 2 : bytes * 2 + 1);
    this.#reserve(bytes);
    this.#length += this.#bytes.write(value, this.#length, isWellFormed ? 'utf8' : 'utf16le');
  }

  /** A string that may come again in this section: from then on it is a number. */
  text(value: string): void {
    const known = this.#texts.get(value);
    if (known !== undefined) {
      this.varint(known);
      return;
    }
    this.byte(0);
    this.string(value);
    if (value.length <= maxRememberedLength && this.#texts.size < maxRememberedTexts)
      this.#texts.set(value, this.#texts.size + 1);
  }

  attributes(list: Attributes): void {
    this.#entries(list, 0);
  }

  /**
   * Cells of a column, `cells[start, end)`: at most {@link maxPieceBytes} of bytes at a time, so that chunks stay small. How many they are is for the
   * reader to know: see {@link writeCells}.
   */
  cells(cells: Cells, start: number, end: number): void {
    const bytes = (end - start) * cells.BYTES_PER_ELEMENT;
    this.#reserve(bytes);
    cellsToBytes(cells, start, end, this.#bytes, this.#length);
    this.#length += bytes;
  }

  #entries(list: Attributes, depth: number): void {
    this.varint(list.length);
    for (const [key, value] of list) {
      this.text(key);
      this.#value(value, depth);
    }
  }

  #value(value: AttributeValue, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.byte(attributeTags.string);
        this.text(value);
        return;
      case 'boolean':
        this.byte(value ? attributeTags.true : attributeTags.false);
        return;
      case 'bigint':
        this.byte(attributeTags.int);
        this.#reserve(8);
        this.#length = this.#bytes.writeBigInt64LE(value, this.#length);
        return;
      case 'number':
        this.byte(attributeTags.double);
        this.float64(value);
        return;
    }
    if (value === null) this.byte(attributeTags.empty);
    else if (value instanceof Uint8Array) {
      this.byte(attributeTags.bytes);
      this.bytes(value);
    } else {
      if (depth === maxAttributeDepth)
        throw new StreamgaugeError(
          'bug',
          `an attribute is nested more than ${maxAttributeDepth} levels deep`,
        );
      if (value instanceof AttributeMap) {
        this.byte(attributeTags.map);
        this.#entries(value.entries, depth + 1);
        return;
      }
      this.byte(attributeTags.array);
      this.varint(value.length);
      for (const inner of value) this.#value(inner, depth + 1);
    }
  }

  /** Writes a short string if it is ASCII, which most are; else nothing, and gives false. */
  #ascii(value: string): boolean {
    this.#reserve(2 + maxRememberedLength);
    const start = this.#length;
    this.varint(value.length * 2);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) {
        this.#length = start;
        return false;
      }
      bytes[at++] = unit;
    }
    this.#length = at;
    return true;
  }

  #head(number: number): void {
    this.#length = 0;
    this.byte(this.#chunks === 0 ? firstFlag : 0);
    this.varint(number);
  }

  #finish(): SnapshotChunk {
    this.#chunks++;
    const bytes = new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#length);
    [this.#bytes, this.#other] = [this.#other, this.#bytes];
    return { type: this.#type, key: this.#key, bytes };
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
