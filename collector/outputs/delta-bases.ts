import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { ReaderCursor } from './reader-cursor.ts';
import { readDoubles, writeNumbers } from './snapshot/number-list.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/**
 * What each delta reader was last given of each point of one stream: `width` numbers a point, in a row. Points are by their place in
 * the stream; a place that comes into use starts at zero.
 */
export class DeltaBases {
  readonly #width: number;
  /** Absent while no delta reader has collected. */
  #byReader: (Float64Array | undefined)[] | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** The reader's column, with room for so many points. Valid until the next call. */
  of(cursor: ReaderCursor, points: number): Float64Array {
    this.#byReader ??= [];
    const known = this.#byReader[cursor.index];
    if (known !== undefined && known.length >= points * this.#width) return known;
    const grown = new Float64Array(Math.max(4, points + (points >>> 1)) * this.#width);
    if (known !== undefined) grown.set(known);
    this.#byReader[cursor.index] = grown;
    return grown;
  }

  /** For few points. */
  writeNow(writer: SnapshotWriter, points: number): void {
    const columns = this.#byReader;
    let count = 0;
    if (columns !== undefined) for (const column of columns) if (column !== undefined) count++;
    writer.varint(count);
    for (let reader = 0; count > 0; reader++) {
      const column = columns![reader];
      if (column === undefined) continue;
      const length = usedLength(column, points * this.#width);
      writer.varint(reader);
      // As a picture has it: how many, and a column.
      writer.varint(length);
      writer.varint(length);
      writer.cells(column, 0, length);
      count--;
    }
  }

  /** Of the first so many points. */
  picture(points: number): StreamPicture {
    const columns: [number, Float64Array][] = [];
    this.#byReader?.forEach((column, reader) => {
      if (column === undefined) return;
      columns.push([reader, column.slice(0, usedLength(column, points * this.#width))]);
    });
    return {
      *write(writer) {
        writer.varint(columns.length);
        for (const [reader, column] of columns) {
          writer.varint(reader);
          writer.varint(column.length);
          yield* writeNumbers(writer, column, column.length);
        }
        if (writer.isFull) yield writer.cut();
      },
    };
  }

  /** Takes over what a picture of so many points wrote, when it is new. */
  *load({ reader, readerAt }: StreamLoading, points: number): Generator<void, void> {
    if (reader.isSpent) yield;
    const count = reader.varint(Number.MAX_SAFE_INTEGER, 'a count of readers');
    for (let i = 0; i < count; i++) {
      if (reader.isSpent) yield;
      const index = readerAt(reader.varint());
      const length = reader.varint(points * this.#width, 'the length of bases');
      const cells = yield* readDoubles(reader, length, 'bases');
      if (index === undefined) continue;
      this.#byReader ??= [];
      if (this.#byReader[index] !== undefined) throw reader.error(`bases of reader ${index} come twice`);
      this.#byReader[index] = cells.slice(0, length);
    }
  }

  /** The base of a point that another stream of the same width has, for every reader that there is one of here. */
  take(other: DeltaBases, from: number, to: number): void {
    const width = this.#width;
    this.#byReader?.forEach((column, index) => {
      const before = other.#byReader?.[index];
      for (let i = 0; i < width; i++) column![to * width + i] = before?.[from * width + i] ?? 0;
    });
  }

  /** The reader is no more: another one that gets its number starts at nothing. */
  forget(reader: number): void {
    if (this.#byReader !== undefined && reader in this.#byReader) delete this.#byReader[reader];
  }

  /** A point takes a lower place, whose own has been forgotten. */
  copy(from: number, to: number): void {
    const width = this.#width;
    for (const column of this.#byReader ?? []) {
      if (column === undefined) continue;
      if (from >= column.length / width) column.fill(0, to * width, (to + 1) * width);
      else column.copyWithin(to * width, from * width, (from + 1) * width);
    }
  }

  /** The places from this one on are free. */
  truncate(points: number): void {
    for (const column of this.#byReader ?? []) column?.fill(0, points * this.#width);
  }

  /** The last point takes the place of another one, and its own place is free. */
  move(last: number, to: number): void {
    const width = this.#width;
    for (const column of this.#byReader ?? []) {
      if (column === undefined) continue;
      // Beyond its end, which fill and copyWithin stop at, a column is zero: the reader has not collected since the place came into use.
      if (last >= column.length / width) column.fill(0, to * width, (to + 1) * width);
      else if (last !== to) column.copyWithin(to * width, last * width, (last + 1) * width);
      column.fill(0, last * width, (last + 1) * width);
    }
  }
}

/** Without the zeros at its end, which it has or not by when it grew: equal bases are written alike. */
function usedLength(column: Float64Array, atMost: number): number {
  let length = Math.min(column.length, atMost);
  while (length > 0 && column[length - 1] === 0) length--;
  return length;
}
