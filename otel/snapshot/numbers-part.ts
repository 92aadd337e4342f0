import type { SnapshotChunk } from './snapshot-chunk.ts';
import type { SnapshotPart } from './snapshot-part.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/** A few numbers of an object, any doubles, which it gives and takes in one order. */
export class NumbersPart implements SnapshotPart {
  readonly #get: () => readonly number[];
  readonly #set: (numbers: readonly number[], reader: SnapshotReader) => void;
  readonly #count: number;
  #copy: readonly number[] = [];

  /** @param set throws a SnapshotError for numbers that cannot be */
  constructor(
    get: () => readonly number[],
    set: (numbers: readonly number[], reader: SnapshotReader) => void,
  ) {
    this.#get = get;
    this.#set = set;
    this.#count = get().length;
  }

  take(): void {
    this.#copy = this.#get();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    for (const number of this.#copy) writer.float64(number);
    if (writer.isFull) yield writer.cut();
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    while (reader.isSpent) yield;
    this.#set(
      Array.from({ length: this.#count }, () => reader.float64()),
      reader,
    );
  }
}
