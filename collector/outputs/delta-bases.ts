import type { ReaderCursor } from './reader-cursor.ts';

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
