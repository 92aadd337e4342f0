import type { SnapshotChunk } from './snapshot-chunk.ts';
import type { SnapshotPart } from './snapshot-part.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/** Objects in a list, each with parts of its own. What is in the list before loading is loaded first; what is missing is made. */
export class RepeatedPart<T> implements SnapshotPart {
  readonly #what: string;
  readonly #list: T[];
  readonly #make: () => T;
  readonly #partsOf: (item: T) => readonly SnapshotPart[];
  readonly #max: number;
  readonly #known = new Map<T, readonly SnapshotPart[]>();
  #taken: (readonly SnapshotPart[])[] = [];

  constructor(
    what: string,
    list: T[],
    make: () => T,
    partsOf: (item: T) => readonly SnapshotPart[],
    max: number,
  ) {
    this.#what = what;
    this.#list = list;
    this.#make = make;
    this.#partsOf = partsOf;
    this.#max = max;
  }

  *reserve(): Generator<void, void> {
    for (const parts of this.#parts())
      for (const part of parts) if (part.reserve !== undefined) yield* part.reserve();
  }

  take(): void {
    this.#taken = this.#parts();
    for (const parts of this.#taken) for (const part of parts) part.take();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    writer.varint(this.#taken.length);
    for (const parts of this.#taken) for (const part of parts) yield* part.write(writer);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    while (reader.isSpent) yield;
    const count = reader.varint(this.#max, this.#what);
    for (let i = 0; i < count; i++) {
      const item = this.#list[i] ?? this.#make();
      this.#list[i] = item;
      for (const part of this.#partsOf(item)) yield* part.load(reader);
    }
  }

  /** The parts of each, the same each time. */
  #parts(): (readonly SnapshotPart[])[] {
    for (const item of this.#known.keys()) if (!this.#list.includes(item)) this.#known.delete(item);
    return this.#list.map((item) => {
      let parts = this.#known.get(item);
      if (parts === undefined) {
        parts = this.#partsOf(item);
        this.#known.set(item, parts);
      }
      return parts;
    });
  }
}
