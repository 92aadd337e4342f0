import type { Cells } from './cells.ts';
import type { CellRuns } from './write-cells.ts';

/** What the beginning of an array was at one moment. Its memory is kept, and used again for the next copy. */
export class ArrayCopy<T extends Cells> implements CellRuns {
  readonly width: number;
  /** Cells of the copy. */
  length = 0;
  cells: T;
  readonly #make: new (
    length: number,
  ) => T;

  /** @param make the arrays' class, as `Float64Array` */
  constructor(make: new (length: number) => T) {
    this.#make = make;
    this.cells = new make(0);
    this.width = this.cells.BYTES_PER_ELEMENT;
  }

  /** Makes room for so many cells. What was copied before is lost. */
  reserve(length: number): void {
    if (length > this.cells.length) this.cells = new this.#make(length).fill(0) as T;
    this.length = 0;
  }

  /** Copies `from[0, length)`. */
  take(from: T, length: number): void {
    this.length = 0;
    this.append(from, length);
  }

  /** Makes it so many zeros, for the caller to change. */
  clear(length: number): void {
    if (length > this.cells.length) this.cells = new this.#make(Math.max(length, this.cells.length * 2));
    else this.cells.fill(0, 0, length);
    this.length = length;
  }

  /** Copies `from[0, length)` behind what there is. */
  append(from: T, length: number): void {
    const needed = this.length + length;
    if (needed > this.cells.length) {
      const grown = new this.#make(Math.max(needed, this.length * 2));
      grown.set(this.cells.subarray(0, this.length));
      this.cells = grown;
    }
    this.cells.set(length === from.length ? from : from.subarray(0, length), this.length);
    this.length = needed;
  }

  run(index: number, count: number): { cells: Cells; start: number; end: number } {
    return { cells: this.cells, start: index, end: index + count };
  }
}

/** An array that is loaded: it grows with what comes. `cells[0, length)` is what has come. */
export class GrowingArray<T extends Cells> implements CellRuns {
  readonly width: number;
  length = 0;
  cells: T;
  readonly #make: new (
    length: number,
  ) => T;

  constructor(make: new (length: number) => T) {
    this.#make = make;
    this.cells = new make(0);
    this.width = this.cells.BYTES_PER_ELEMENT;
  }

  run(index: number, count: number): { cells: Cells; start: number; end: number } {
    const needed = index + count;
    if (needed > this.cells.length) {
      const grown = new this.#make(Math.max(needed, this.cells.length * 2));
      grown.set(this.cells);
      this.cells = grown;
    }
    this.length = needed;
    return { cells: this.cells, start: index, end: needed };
  }
}
