import { chunkBits, chunkLength, chunkMask } from '../state/columns.ts';
import type { Cells } from './cells.ts';
import { type Column, cellWidth } from './column-runs.ts';
import type { CellRuns } from './write-cells.ts';

/** What a column was at one moment. Its memory is kept, and used again for the next copy. */
export class ColumnCopy implements CellRuns {
  readonly width: number;
  /** Cells of the copy. */
  length = 0;
  readonly #column: Column;
  readonly #chunks: Cells[] = [];

  constructor(column: Column) {
    this.#column = column;
    this.width = cellWidth(column);
  }

  /** Makes room for so many cells, bit by bit, as room that is new costs far more than to copy into it. Copies nothing that counts. */
  *reserve(length: number): Generator<void, void> {
    const { chunks } = this.#column;
    const count = (length + chunkLength - 1) >>> chunkBits;
    while (this.#chunks.length < count) {
      this.#chunks.push(chunks[this.#chunks.length]!.slice());
      yield;
    }
  }

  /** Copies the first `length` cells, which the column has. */
  take(length: number): void {
    const { chunks } = this.#column;
    const count = (length + chunkLength - 1) >>> chunkBits;
    for (let i = 0; i < count; i++) {
      const chunk = chunks[i]!;
      const copy = this.#chunks[i];
      if (copy === undefined) this.#chunks[i] = chunk.slice();
      else if (i === count - 1) copy.set(chunk.subarray(0, length - i * chunkLength));
      else copy.set(chunk);
    }
    this.length = length;
  }

  run(index: number, count: number): { cells: Cells; start: number; end: number } {
    const start = index & chunkMask;
    return { cells: this.#chunks[index >>> chunkBits]!, start, end: Math.min(chunkLength, start + count) };
  }
}
