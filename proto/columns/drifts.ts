import { InvalidDataError } from '../error.ts';
import { moved } from './modes.ts';
import type { NumberColumn } from './number-column.ts';
import type { Trends } from './trends.ts';

/**
 * Cells of one column that may drift at a time. Moving them is work for which a report holds no bytes, so a peer can ask for this much of it and
 * no more.
 */
export const maxDrifts = 256;

/**
 * The cells of a column that drift: each report moves them by so many steps of their mode before anything it says of them, so a
 * counter that grows steadily costs nothing while it does. Both ends of a stream hold the same. Ascending and parallel up to
 * `count`; a column of which no cell has ever drifted holds no memory for it.
 */
export class Drifts {
  count = 0;
  cells: Uint32Array = new Uint32Array(0);
  /** Whole numbers of steps, never 0. */
  steps: Float64Array = new Float64Array(0);
  /** What the encoder has noticed; `undefined` at a decoder, and after cells have moved to other places. */
  trends: Trends | undefined = undefined;

  /** Moves the base of each cell. */
  move(column: NumberColumn): void {
    const { cells, steps, count } = this;
    const { values, modes } = column;
    for (let i = 0; i < count; i++) {
      const cell = cells[i];
      values[cell] = moved(values[cell], steps[i], modes[cell]);
    }
  }

  /** Puts the cells among those that a decode has changed, `count` of them and ascending, and gives how many there are then. */
  join(changed: Uint32Array, count: number): number {
    const { cells } = this;
    let more = 0;
    for (let i = 0, at = 0; i < this.count; i++) {
      while (at < count && changed[at] < cells[i]) at++;
      if (at === count || changed[at] !== cells[i]) more++;
    }
    // From the end, so that nothing is overwritten before it has its place.
    let to = count + more;
    for (let i = this.count - 1, at = count - 1; i >= 0; i--) {
      while (at >= 0 && changed[at] > cells[i]) changed[--to] = changed[at--];
      changed[--to] = cells[i];
      if (at >= 0 && changed[at] === cells[i]) at--;
    }
    return count + more;
  }

  /** By how many steps a cell drifts from the next report on; 0: not at all. @throws InvalidDataError above {@link maxDrifts} cells */
  set(cell: number, steps: number): void {
    const place = this.#placeOf(cell);
    const isListed = place < this.count && this.cells[place] === cell;
    if (steps === 0) {
      if (isListed) this.#shift(place + 1, place);
      return;
    }
    if (!isListed) {
      if (this.count === maxDrifts)
        throw new InvalidDataError(`more than ${maxDrifts} values of a column drift`);
      this.#shift(place, place + 1);
    }
    this.cells[place] = cell;
    this.steps[place] = steps;
  }

  /** The column's series have moved: each cell is now where `to` says, in the order of the cells, or gone where that is -1. */
  replaced(to: ArrayLike<number>): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (to[i] < 0) continue;
      this.cells[kept] = to[i];
      this.steps[kept++] = this.steps[i];
    }
    this.count = kept;
    this.trends = undefined;
  }

  /** The place of the first cell that is not below this one. */
  #placeOf(cell: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.cells[middle] < cell) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Moves what stands from `start` on to `to`, one place up or down. */
  #shift(start: number, to: number): void {
    const count = this.count + to - start;
    if (count > this.cells.length) {
      const room = Math.min(maxDrifts, Math.max(8, 2 * count));
      const cells = new Uint32Array(room);
      const steps = new Float64Array(room);
      cells.set(this.cells);
      steps.set(this.steps);
      this.cells = cells;
      this.steps = steps;
    }
    this.cells.copyWithin(to, start, this.count);
    this.steps.copyWithin(to, start, this.count);
    this.count = count;
  }
}
