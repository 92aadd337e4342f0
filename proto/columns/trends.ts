import type { Drifts } from './drifts.ts';

/** What a drift must have been shown to save before it is told, in bytes: telling it takes four to seven, and taking it back two. */
const worthTelling = 6;
/** Steps in one report beyond this are no trend. */
const largest = 2 ** 26;

/**
 * What an encoder has noticed about the cells of a column: for each the drift that it has told, another one that may be better, and how many
 * bytes that one would have saved so far. The candidate is how far the cell moved once; as soon as it has cost more than it
 * saved, the next move is the candidate. A heuristic of the sender, of which the receiver sees the drifts only. Nine bytes a cell.
 */
export class Trends {
  #drifts: Int32Array;
  #candidates: Int32Array;
  #saved: Uint8Array;

  constructor(size: number, told: Drifts) {
    this.#drifts = new Int32Array(size);
    this.#candidates = new Int32Array(size);
    this.#saved = new Uint8Array(size);
    for (let i = 0; i < told.count; i++) {
      this.#drifts[told.cells[i]] = told.steps[i];
      this.#candidates[told.cells[i]] = told.steps[i];
    }
  }

  get size(): number {
    return this.#drifts.length;
  }

  /** The drift that a cell was told to have. */
  driftOf(cell: number): number {
    return this.#drifts[cell];
  }

  candidateOf(cell: number): number {
    return this.#candidates[cell];
  }

  /** The cell's drift did what was expected of it. */
  stood(cell: number): void {
    if (this.#candidates[cell] !== this.#drifts[cell]) this.moved(cell, 0);
  }

  /** The cell is so many steps away from where its drift has led; gives whether its candidate should be told. */
  moved(cell: number, beside: number): boolean {
    const drift = this.#drifts[cell];
    const candidate = this.#candidates[cell];
    if (candidate !== drift) {
      const saved = this.#saved[cell] + cost(beside) - cost(drift + beside - candidate);
      if (saved >= worthTelling) return true;
      if (saved >= 0) {
        this.#saved[cell] = saved;
        return false;
      }
    }
    const moved = drift + beside;
    this.#candidates[cell] = moved > -largest && moved < largest ? moved : drift;
    this.#saved[cell] = 0;
    return false;
  }

  /** The cell was told to have this drift. */
  told(cell: number, drift: number): void {
    this.#drifts[cell] = drift;
    this.#candidates[cell] = drift;
    this.#saved[cell] = 0;
  }
}

/** The bytes of a value so many steps from its base; none where it is left out. */
function cost(difference: number): number {
  if (difference === 0) return 0;
  const size = difference < 0 ? ~difference : difference;
  return size < 32 ? 1 : size < 4096 ? 2 : size < 524_288 ? 3 : 4;
}
