import { ColumnPart } from '../snapshot/column-part.ts';
import { CountPart, ListPart } from '../snapshot/number-parts.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { chunkBits, chunkLength, chunkMask, Float64Column, Uint32List } from './columns.ts';

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

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.#length;
    return [
      new CountPart('cells of buckets', length, (count) => {
        this.#length = count;
      }),
      new ColumnPart('buckets', this.#column, length),
      ...this.#free.map(
        (list, k) =>
          new ListPart(
            `free runs of ${1 << k} buckets`,
            () => list,
            (run, reader) => {
              if (!this.hasRun(run, 1 << k)) throw reader.error(`${run} is no run of ${1 << k} buckets`);
            },
          ),
      ),
    ];
  }

  /** Whether there is a run for so many buckets. */
  hasRun(run: number, buckets: number): boolean {
    if (buckets > chunkLength) return false;
    const length = 1 << exponentOf(buckets);
    return (run & chunkMask) % length === 0 && run + length <= this.#length;
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
