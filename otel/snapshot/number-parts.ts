import type { Uint32List } from '../state/columns.ts';
import { ArrayCopy, GrowingArray } from './array-copy.ts';
import type { SnapshotChunk } from './snapshot-chunk.ts';
import type { SnapshotPart } from './snapshot-part.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import { readCells, writeCells } from './write-cells.ts';

/** One whole number: how many there are of something. */
export class CountPart implements SnapshotPart {
  readonly #what: string;
  readonly #get: () => number;
  readonly #set: (count: number) => void;
  readonly #min: number;
  readonly #max: number;
  #copy = 0;

  /** @param what it is, for errors */
  constructor(what: string, get: () => number, set: (count: number) => void, min = 0, max = 2 ** 28) {
    this.#what = what;
    this.#get = get;
    this.#set = set;
    this.#min = min;
    this.#max = max;
  }

  take(): void {
    this.#copy = this.#get();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    writer.varint(this.#copy);
    if (writer.isFull) yield writer.cut();
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    while (reader.isSpent) yield;
    const count = reader.varint(this.#max, this.#what);
    if (count < this.#min)
      throw reader.error(`${this.#what} are ${count}; at least ${this.#min} are allowed`);
    this.#set(count);
  }
}

/** Whole numbers in their order. */
export class ListPart implements SnapshotPart {
  readonly #what: string;
  readonly #list: () => Uint32List;
  readonly #check: (number: number, reader: SnapshotReader) => void;
  readonly #copy = new ArrayCopy(Uint32Array);

  /** @param check throws a SnapshotError for a number that cannot be in the list */
  constructor(
    what: string,
    list: () => Uint32List,
    check: (number: number, reader: SnapshotReader) => void = () => {},
  ) {
    this.#what = what;
    this.#list = list;
    this.#check = check;
  }

  take(): void {
    const { items, size } = this.#list();
    this.#copy.take(items, size);
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* writeCells(writer, this.#copy, this.#copy.length);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const loaded = new GrowingArray(Uint32Array);
    const size = yield* readCells(reader, loaded, 2 ** 28, this.#what);
    const list = this.#list();
    for (let i = 0; i < size; i++) {
      this.#check(loaded.cells[i]!, reader);
      list.push(loaded.cells[i]!);
    }
  }
}

/** Numbers that are free to be given out again, in the order in which they were given back: each of 1 to `below() - 1`, once. */
export class FreeListPart implements SnapshotPart {
  readonly #what: string;
  readonly #list: ListPart;
  readonly #below: () => number;
  readonly #loaded: (reader: SnapshotReader) => void;
  readonly #marks = new Set<number>();
  #end = 0;

  /** @param loaded called when it is loaded; throws a SnapshotError for what cannot be */
  constructor(
    what: string,
    list: () => Uint32List,
    below: () => number,
    loaded: (reader: SnapshotReader) => void = () => {},
  ) {
    this.#what = what;
    this.#below = below;
    this.#loaded = loaded;
    this.#list = new ListPart(what, list, (number, reader) => this.#mark(number, reader));
  }

  take(): void {
    this.#list.take();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* this.#list.write(writer);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    this.#end = this.#below();
    this.#marks.clear();
    yield* this.#list.load(reader);
    this.#marks.clear();
    this.#loaded(reader);
  }

  #mark(number: number, reader: SnapshotReader): void {
    if (number === 0 || number >= this.#end)
      throw reader.error(`${number} is among ${this.#what}; 1 to ${this.#end - 1} are allowed`);
    if (this.#marks.has(number)) throw reader.error(`${number} is twice among ${this.#what}`);
    this.#marks.add(number);
  }
}
