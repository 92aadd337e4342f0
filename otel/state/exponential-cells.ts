import { chunkBits, chunkLength, Float64Column, Uint32List } from './columns.ts';

/**
 * The pool that buckets of exponential histograms live in: runs of 2^k cells, each at a multiple of its own length, so that a run never
 * crosses from one chunk into the next. What is freed is given out again, halved where a smaller run is wanted; runs are not joined again.
 */
export class ExponentialCells {
  readonly #column = new Float64Column();
  /** By k. */
  readonly #free = Array.from({ length: chunkBits + 1 }, () => new Uint32List());
  #length = 0;

  /** Cell `c` is at `chunks[c >>> chunkBits][c & chunkMask]`. */
  get chunks(): Float64Array[] {
    return this.#column.chunks;
  }

  /** Cells that are in use or free. */
  get length(): number {
    return this.#length;
  }

  /** The first cell of a run for so many buckets, 1 to {@link chunkLength}; its content is unspecified. */
  allocate(buckets: number): number {
    const k = exponentOf(buckets);
    for (let larger = k; larger <= chunkBits; larger++) {
      const free = this.#free[larger]!;
      if (free.size === 0) continue;
      const run = free.items[--free.size]!;
      for (let half = larger - 1; half >= k; half--) this.#free[half]!.push(run + (1 << half));
      return run;
    }
    const run = this.#length;
    this.#length += chunkLength;
    this.#column.grow(this.#length);
    for (let half = chunkBits - 1; half >= k; half--) this.#free[half]!.push(run + (1 << half));
    return run;
  }

  /** Gives back a run that was allocated for so many buckets. */
  release(run: number, buckets: number): void {
    this.#free[exponentOf(buckets)]!.push(run);
  }
}

/** Whether a run for so many buckets has room for so many others, and not more than they need. */
export function isSameRun(buckets: number, others: number): boolean {
  return buckets > 0 && others > 0 && exponentOf(buckets) === exponentOf(others);
}

function exponentOf(buckets: number): number {
  return buckets === 1 ? 0 : 32 - Math.clz32(buckets - 1);
}
