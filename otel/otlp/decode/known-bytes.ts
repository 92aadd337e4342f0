import { randomBytes } from 'node:crypto';
import { keyedHash } from './keyed-hash.ts';

/** Words of a record: see {@link KnownBytes}. */
const stride = 8;
const parentWord = 0;
/** `length << 6 | variant`. */
const shapeWord = 1;
const offsetWord = 2;
const hashWord = 3;
const nextWord = 4;
/** Of one that has children the first of them; of one that has none its stamp. */
const firstWord = 5;
/** In doubles: words 6 and 7. */
const handleDouble = 3;

const recordShift = 12;
const recordMask = (1 << recordShift) - 1;
const arenaShift = 20;
const arenaBytes = 1 << arenaShift;
const arenaMask = arenaBytes - 1;

/** Longer ones are not kept. */
export const maxKnownBytes = 64 * 1024;
/** Variants are below this. */
export const maxVariants = 64;

const smallestTable = 1024;

/**
 * Byte strings that come again and again in requests, the encoded headers and attributes of OTLP, each under a number from 1: its id. A string
 * stands under a parent, the id of the header that it came below, with a variant; all three together are its key. So a series that is
 * known costs a comparison of its bytes if it comes after the one that it came after last time, as it does where senders keep their order, and
 * otherwise a keyed hash and a comparison. Bytes are always compared whole.
 *
 * A record of 32 bytes for each string, in chunks of 4,096, and the bytes in chunks of 1 MiB; nothing is moved when it grows but the table of
 * ids, which is at most two thirds full. Nothing is ever taken out: when it is full its owner clears it, and everything is looked up the slow way
 * once more. It influences nothing but how fast something is found. Benchmark: test/bench/otlp.ts.
 */
export class KnownBytes {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #key0: number;
  readonly #key1: number;
  #words: Int32Array[] = [];
  #doubles: Float64Array[] = [];
  #arena: DataView[] = [];
  #arenaEnd = 0;
  #table = new Uint32Array(smallestTable);
  /** Ids that there are, the first one, which is nobody's, included. */
  #length = 0;

  /** @param key eight bytes that senders must not know */
  constructor(maxEntries: number, key: Uint8Array = randomBytes(8)) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = Math.min(2 ** 32 - arenaBytes, maxEntries * 256);
    const words = new DataView(key.buffer, key.byteOffset, 8);
    this.#key0 = words.getInt32(0, true);
    this.#key1 = words.getInt32(4, true);
    this.clear();
  }

  /** Strings that are known. */
  get size(): number {
    return this.#length - 1;
  }

  /** Time to {@link KnownBytes.clear}: until then it goes on growing. */
  get isFull(): boolean {
    return this.#length > this.#maxEntries || this.#arenaEnd > this.#maxBytes;
  }

  /** Forgets everything: ids that were given stand for nothing. */
  clear(): void {
    this.#words = [];
    this.#doubles = [];
    this.#arena = [];
    this.#arenaEnd = 0;
    this.#table = new Uint32Array(smallestTable);
    this.#length = 0;
    this.#newRecord();
  }

  /**
   * The id of a string, which is put in when it is new, or 0 when it is too long to be kept.
   * @param parent an id, or 0
   * @param after the id that came before under the same parent; 0: this is the first one
   */
  idOf(parent: number, variant: number, bytes: DataView, start: number, end: number, after: number): number {
    const length = end - start;
    const shape = (length << 6) | variant;
    const words = this.#words;
    const hintId = after === 0 ? parent : after;
    const hintWords = words[hintId >>> recordShift]!;
    const hintAt = (hintId & recordMask) * stride + (after === 0 ? firstWord : nextWord);
    const hint = hintWords[hintAt]!;
    if (hint !== 0) {
      const record = words[hint >>> recordShift]!;
      const at = (hint & recordMask) * stride;
      if (
        record[at + parentWord] === parent &&
        record[at + shapeWord] === shape &&
        this.#isEqual(record[at + offsetWord]!, bytes, start, length)
      )
        return hint;
    }
    if (length > maxKnownBytes) return 0;
    const id = this.#search(parent, shape, variant, bytes, start, end);
    hintWords[hintAt] = id;
    return id;
  }

  /** What the owner keeps of a string that has no children: a number, with the stamp under which it holds; 0: none yet. */
  handleOf(id: number): number {
    return this.#doubles[id >>> recordShift]![(id & recordMask) * (stride / 2) + handleDouble]!;
  }

  stampOf(id: number): number {
    return this.#words[id >>> recordShift]![(id & recordMask) * stride + firstWord]!;
  }

  keep(id: number, handle: number, stamp: number): void {
    this.#doubles[id >>> recordShift]![(id & recordMask) * (stride / 2) + handleDouble] = handle;
    this.#words[id >>> recordShift]![(id & recordMask) * stride + firstWord] = stamp;
  }

  #search(
    parent: number,
    shape: number,
    variant: number,
    bytes: DataView,
    start: number,
    end: number,
  ): number {
    const head = Math.imul(parent, maxVariants) + variant;
    const hash = keyedHash(this.#key0, this.#key1, head, bytes, start, end);
    let table = this.#table;
    let mask = table.length - 1;
    let place = hash & mask;
    for (let id = table[place]!; id !== 0; id = table[place]!) {
      const record = this.#words[id >>> recordShift]!;
      const at = (id & recordMask) * stride;
      if (
        record[at + hashWord] === hash &&
        record[at + parentWord] === parent &&
        record[at + shapeWord] === shape &&
        this.#isEqual(record[at + offsetWord]!, bytes, start, end - start)
      )
        return id;
      place = (place + 1) & mask;
    }
    if (this.#length * 3 > table.length * 2) {
      this.#resize();
      table = this.#table;
      mask = table.length - 1;
      place = hash & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
    }
    const id = this.#newRecord();
    table[place] = id;
    const record = this.#words[id >>> recordShift]!;
    const at = (id & recordMask) * stride;
    record[at + parentWord] = parent;
    record[at + shapeWord] = shape;
    record[at + hashWord] = hash;
    record[at + offsetWord] = this.#put(bytes, start, end - start);
    return id;
  }

  /** A string lies within one chunk. */
  #put(bytes: DataView, start: number, length: number): number {
    let offset = this.#arenaEnd;
    if ((offset & arenaMask) + length > arenaBytes || offset >>> arenaShift >= this.#arena.length) {
      offset = this.#arena.length * arenaBytes;
      this.#arena.push(new DataView(new ArrayBuffer(arenaBytes)));
    }
    const chunk = this.#arena[offset >>> arenaShift]!;
    new Uint8Array(chunk.buffer, offset & arenaMask, length).set(
      new Uint8Array(bytes.buffer, bytes.byteOffset + start, length),
    );
    this.#arenaEnd = offset + length;
    return offset | 0;
  }

  /** By words: four times as fast as by bytes, and a call of the runtime's own costs more for what is this short. */
  #isEqual(offset: number, bytes: DataView, start: number, length: number): boolean {
    const chunk = this.#arena[offset >>> arenaShift]!;
    let at = offset & arenaMask;
    let from = start;
    const end = start + length;
    for (; from <= end - 4; from += 4, at += 4)
      if (chunk.getInt32(at, true) !== bytes.getInt32(from, true)) return false;
    for (; from < end; from++, at++) if (chunk.getUint8(at) !== bytes.getUint8(from)) return false;
    return true;
  }

  #newRecord(): number {
    const id = this.#length++;
    if (id >>> recordShift === this.#words.length) {
      const chunk = new ArrayBuffer((recordMask + 1) * stride * 4);
      this.#words.push(new Int32Array(chunk));
      this.#doubles.push(new Float64Array(chunk));
    }
    return id;
  }

  #resize(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let id = 1; id < this.#length; id++) {
      let place = this.#words[id >>> recordShift]![(id & recordMask) * stride + hashWord]! & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = id;
    }
    this.#table = table;
  }
}
