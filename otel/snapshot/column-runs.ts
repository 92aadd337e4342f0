import { chunkBits, chunkLength, chunkMask } from '../state/columns.ts';
import type { Cells } from './cells.ts';
import type { CellRuns } from './write-cells.ts';

/** A column of otel/state: arrays of one length, one after the other. */
export interface Column<T extends Cells = Cells> {
  readonly chunks: T[];
  grow(length: number): void;
}

/** The cells of a column, for loading it: it grows with what comes. */
export class ColumnRuns implements CellRuns {
  readonly width: number;
  readonly #column: Column;

  constructor(column: Column) {
    this.#column = column;
    this.width = cellWidth(column);
  }

  run(index: number, count: number): { cells: Cells; start: number; end: number } {
    this.#column.grow(index + 1);
    const start = index & chunkMask;
    return {
      cells: this.#column.chunks[index >>> chunkBits]!,
      start,
      end: Math.min(chunkLength, start + count),
    };
  }
}

/** Bytes in a cell of a column, which has one chunk at least from then on. */
export function cellWidth(column: Column): number {
  column.grow(1);
  return column.chunks[0]!.BYTES_PER_ELEMENT;
}
