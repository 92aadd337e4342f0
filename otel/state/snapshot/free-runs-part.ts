import { ArrayCopy, GrowingArray } from '../../snapshot/array-copy.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import { readCells, writeCells } from '../../snapshot/write-cells.ts';
import { Uint32List } from '../columns.ts';

/** Runs of cells that are free, by how many cells they have. */
export class FreeRunsPart implements SnapshotPart {
  readonly #lists: Map<number, Uint32List>;
  readonly #cells: () => number;
  /** Widths with how many runs each; then the runs. */
  #widths: { width: number; size: number }[] = [];
  readonly #runs = new ArrayCopy(Uint32Array);

  /** @param cells how many there are, free or not */
  constructor(lists: Map<number, Uint32List>, cells: () => number) {
    this.#lists = lists;
    this.#cells = cells;
  }

  take(): void {
    this.#widths = [];
    this.#runs.length = 0;
    for (const [width, { items, size }] of this.#lists) {
      this.#widths.push({ width, size });
      this.#runs.append(items, size);
    }
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    writer.varint(this.#widths.length);
    for (const { width, size } of this.#widths) {
      if (writer.isFull) yield writer.cut();
      writer.varint(width);
      writer.varint(size);
    }
    if (writer.isFull) yield writer.cut();
    yield* writeCells(writer, this.#runs, this.#runs.length);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const cells = this.#cells();
    while (reader.isSpent) yield;
    const widths = new Map<number, number>();
    for (let left = reader.varint(2 ** 28, 'widths of free runs'); left > 0; left--) {
      while (reader.isSpent) yield;
      const width = reader.varint(cells, 'the width of free runs');
      if (widths.has(width)) throw reader.error(`free runs of ${width} cells come twice`);
      widths.set(width, reader.varint(2 ** 28, 'a count of free runs'));
    }
    const runs = new GrowingArray(Uint32Array);
    const count = yield* readCells(reader, runs, 2 ** 28, 'free runs');
    let told = 0;
    for (const size of widths.values()) told += size;
    if (count !== told) throw reader.error(`there are ${count} free runs; ${told} are expected`);
    let at = 0;
    for (const [width, size] of widths) {
      const list = new Uint32List();
      for (const end = at + size; at < end; at++) {
        const run = runs.cells[at]!;
        if (run + width > cells)
          throw reader.error(`a free run is of the cells ${run} to ${run + width - 1}; there are ${cells}`);
        list.push(run);
      }
      this.#lists.set(width, list);
    }
  }
}
