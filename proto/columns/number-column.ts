import type { Drifts } from './drifts.ts';
import { noMode } from './modes.ts';

const noFloats = new Float64Array(0);
const noWords = new Uint32Array(0);
const noBytes = new Uint8Array(0);
/** A column with room for fewer cells is not worth shrinking. */
const smallestShrunk = 1024;

/**
 * One column of a sampling group, as both ends of a stream hold it: the base that differences are taken from.
 *
 * Layout: a cell is an index below `size`. A sum or gauge has one cell, a histogram one for each bucket. Cells are in ascending
 * order of their series' numbers, and all arrays are parallel. The arrays are replaced when the column grows and moved when
 * series are removed: read them from the column each time. A cell costs 21 bytes (25 with `offsets`). `changed` is valid until
 * the next decode, append or remove. `test/bench/columns.ts` measures the codecs.
 */
export class NumberColumn {
  size = 0;
  /** The last value of each cell; 0 before the first. */
  values: Float64Array = noFloats;
  /** The same bytes as `values`, two words for each cell. */
  words: Uint32Array = noWords;
  /** How each cell is coded at present; see modes.ts. */
  modes: Uint8Array = noBytes;
  /** The number of each cell's series. */
  numbers: Uint32Array = noWords;
  /** What the owner attached to each cell's series: the collector's state slot, for one. */
  attached: Uint32Array = noWords;
  /** The indexes of the cells that the last decode gave a value, those that drifted included, ascending, up to `changedCount`. */
  changed: Uint32Array = noWords;
  changedCount = 0;
  /** The first cell of each cell's series. `undefined` while every series has one cell, its own. */
  offsets: Uint32Array | undefined = undefined;
  /** The mode that the encoder should prefer, from the series' step. `undefined` while no series has one. */
  preferred: Uint8Array | undefined = undefined;
  /** The cells that drift. `undefined`: none may. */
  readonly drifts: Drifts | undefined;

  /** @param drifts where cells may drift, which is for columns whose series have one cell each */
  constructor(drifts?: Drifts) {
    this.drifts = drifts;
  }

  /**
   * Adds a series with `width` cells of value 0 and gives its first cell. The number must be greater than all in the column.
   * `preferredMode` is a hint for encoding.
   */
  append(seriesNumber: number, attached: number, width = 1, preferredMode = noMode): number {
    const first = this.size;
    const size = first + width;
    if (size > this.values.length) this.#grow(size);
    if (width !== 1 && this.offsets === undefined) {
      this.offsets = new Uint32Array(this.values.length);
      for (let cell = 0; cell < first; cell++) this.offsets[cell] = cell;
    }
    if (preferredMode !== noMode && this.preferred === undefined)
      this.preferred = new Uint8Array(this.values.length).fill(noMode);
    this.values.fill(0, first, size);
    this.modes.fill(0, first, size);
    this.numbers.fill(seriesNumber, first, size);
    this.attached.fill(attached, first, size);
    this.offsets?.fill(first, first, size);
    this.preferred?.fill(preferredMode, first, size);
    this.size = size;
    this.changedCount = 0;
    return first;
  }

  /** The first cell of a series, or -1. */
  indexOf(seriesNumber: number): number {
    const { numbers } = this;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (numbers[middle] < seriesNumber) low = middle + 1;
      else high = middle;
    }
    return low < this.size && numbers[low] === seriesNumber ? low : -1;
  }

  /** Removes the series with these numbers, which ascend; numbers that are not here are passed over. */
  remove(seriesNumbers: ArrayLike<number>): void {
    this.changedCount = 0;
    const { numbers, size, drifts } = this;
    const drifting =
      drifts === undefined ? [] : drifts.cells.subarray(0, drifts.count).map((cell) => numbers[cell]);
    let next = 0;
    let to = 0;
    let cell = 0;
    while (cell < size) {
      const number = numbers[cell];
      let stop = cell + 1;
      while (stop < size && numbers[stop] === number) stop++;
      while (next < seriesNumbers.length && seriesNumbers[next] < number) next++;
      if (next >= seriesNumbers.length || seriesNumbers[next] !== number) {
        if (to !== cell) this.#move(cell, stop, to);
        to += stop - cell;
      }
      cell = stop;
    }
    this.size = to;
    drifts?.replaced(Array.from(drifting, (number) => this.indexOf(number)));
    this.#shrink();
  }

  /**
   * Puts `width` cells in the place of those from `start` to `end`; the cells after them move. The new ones hold 0 in mode 0; whose they
   * are, `numbers` and `attached`, is for the caller to say. For columns that are laid out anew, whose series have no step or `offsets`.
   */
  splice(start: number, end: number, width: number): void {
    const size = this.size - (end - start) + width;
    if (size > this.values.length) this.#grow(size);
    if (start + width !== end) {
      const tail = this.size;
      this.values.copyWithin(start + width, end, tail);
      this.modes.copyWithin(start + width, end, tail);
      this.numbers.copyWithin(start + width, end, tail);
      this.attached.copyWithin(start + width, end, tail);
    }
    this.values.fill(0, start, start + width);
    this.modes.fill(0, start, start + width);
    this.size = size;
    this.changedCount = 0;
    this.#shrink();
  }

  #move(start: number, end: number, to: number): void {
    this.values.copyWithin(to, start, end);
    this.modes.copyWithin(to, start, end);
    this.numbers.copyWithin(to, start, end);
    this.attached.copyWithin(to, start, end);
    this.preferred?.copyWithin(to, start, end);
    this.offsets?.fill(to, to, to + end - start);
  }

  #grow(size: number): void {
    // Half as much again: streams are many, and most define all their series at once.
    this.#resize(Math.max(size, this.size + (this.size >>> 1), 8));
  }

  /** Gives back what a column that was much larger took, so that a stream's memory stays within its cells. */
  #shrink(): void {
    if (this.values.length > smallestShrunk && this.size < this.values.length >>> 2)
      this.#resize(this.size + (this.size >>> 1) + 8);
  }

  #resize(room: number): void {
    const { size } = this;
    const values = new Float64Array(room);
    values.set(this.values.subarray(0, size));
    this.values = values;
    this.words = new Uint32Array(values.buffer);
    this.modes = copied(this.modes, size, new Uint8Array(room));
    this.numbers = copied(this.numbers, size, new Uint32Array(room));
    this.attached = copied(this.attached, size, new Uint32Array(room));
    this.changed = new Uint32Array(room);
    if (this.offsets !== undefined) this.offsets = copied(this.offsets, size, new Uint32Array(room));
    if (this.preferred !== undefined) this.preferred = copied(this.preferred, size, new Uint8Array(room));
  }
}

function copied<T extends Uint8Array | Uint32Array>(from: T, size: number, to: T): T {
  to.set(from.subarray(0, size));
  return to;
}
