import { ColumnCopy } from './column-copy.ts';
import { type Column, ColumnRuns } from './column-runs.ts';
import type { SnapshotChunk } from './snapshot-chunk.ts';
import type { SnapshotPart } from './snapshot-part.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import { readCells, writeCells } from './write-cells.ts';

/** A column whose length another part tells, which comes before it, or it tells itself. */
export class ColumnPart implements SnapshotPart {
  readonly #what: string;
  readonly #column: Column;
  readonly #length: () => number;
  readonly #maxLength: number | undefined;
  readonly #copy: ColumnCopy;

  /**
   * @param what it is, for errors: `starts`
   * @param length how many of its cells are of use
   * @param maxLength when given, as many as come are loaded, up to so many; else as many as `length` says
   */
  constructor(what: string, column: Column, length: () => number, maxLength?: number) {
    this.#what = what;
    this.#column = column;
    this.#length = length;
    this.#maxLength = maxLength;
    this.#copy = new ColumnCopy(column);
  }

  *reserve(): Generator<void, void> {
    yield* this.#copy.reserve(this.#length());
  }

  take(): void {
    this.#copy.take(this.#length());
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* writeCells(writer, this.#copy, this.#copy.length);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const expected = this.#length();
    const max = this.#maxLength ?? expected;
    const length = yield* readCells(reader, new ColumnRuns(this.#column), max, this.#what);
    if (this.#maxLength === undefined && length !== expected)
      throw reader.error(`${this.#what} have ${length} cells; ${expected} are expected`);
  }
}
