import { ColumnPart } from '../snapshot/column-part.ts';
import { CountPart } from '../snapshot/number-parts.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { chunkBits, chunkMask, Float64Column, Uint32Column, Uint32List } from './columns.ts';
import { isCount } from './counts.ts';
import { counting, fromZero, isMonotonic, SeriesColumns } from './series-columns.ts';
import { FreeRunsPart } from './snapshot/free-runs-part.ts';

/**
 * Explicit-bucket histograms. Each has a run of cells, one for each bucket, in `values` and `offsets`, which mean what they mean
 * for sums; `firstCell` gives where a slot's run begins, `widths` how many buckets it has. The sums of what was measured have
 * columns of their own by slot. `mins` and `maxes` span the reports of the current epoch; NaN when none was reported.
 */
export class HistogramState {
  readonly kind = 'histogram';
  readonly series = new SeriesColumns();
  readonly values = new Float64Column();
  readonly offsets = new Float64Column();
  readonly firstCell = new Uint32Column();
  readonly widths = new Uint32Column();
  readonly sums = new Float64Column();
  readonly sumOffsets = new Float64Column();
  readonly mins = new Float64Column();
  readonly maxes = new Float64Column();
  readonly #freeRuns = new Map<number, Uint32List>();
  #cells = 1;

  constructor() {
    this.#grow();
    this.#growCells();
  }

  allocate(width: number): number {
    const slot = this.series.allocate();
    this.#grow();
    const run = this.#allocateRun(width);
    this.firstCell.set(slot, run);
    this.widths.set(slot, width);
    for (let cell = run; cell < run + width; cell++) {
      this.values.set(cell, 0);
      this.offsets.set(cell, 0);
    }
    this.sums.set(slot, 0);
    this.sumOffsets.set(slot, 0);
    this.mins.set(slot, NaN);
    this.maxes.set(slot, NaN);
    this.series.status.set(slot, isMonotonic);
    return slot;
  }

  release(slot: number): void {
    const width = this.widths.get(slot);
    let free = this.#freeRuns.get(width);
    if (free === undefined) {
      free = new Uint32List();
      this.#freeRuns.set(width, free);
    }
    free.push(this.firstCell.get(slot));
    this.series.release(slot);
  }

  beginEpoch(slot: number): void {
    const first = this.firstCell.get(slot);
    const counted = (this.series.status.get(slot) & counting) !== 0;
    for (let cell = first; cell < first + this.widths.get(slot); cell++) {
      if (counted) this.offsets.set(cell, this.offsets.get(cell) + this.values.get(cell));
      this.values.set(cell, 0);
    }
    if (counted) this.sumOffsets.set(slot, this.sumOffsets.get(slot) + this.sums.get(slot));
    this.sums.set(slot, 0);
    this.mins.set(slot, NaN);
    this.maxes.set(slot, NaN);
  }

  /**
   * Takes the first bucket counts, `buckets[at..at + width)`, and sum after a definition. Gives the count that was set aside as a
   * baseline, or `undefined` when a bucket is below the held one of the same epoch, or no count, and nothing was taken.
   */
  settle(slot: number, buckets: Float64Array, at: number, sum: number): number | undefined {
    const status = this.series.status.get(slot);
    const first = this.firstCell.get(slot);
    const width = this.widths.get(slot);
    // Before the first counts of an epoch the held ones are zero.
    for (let i = 0; i < width; i++) {
      const count = buckets[at + i]!;
      if (!isCount(count) || count < this.values.get(first + i)) return undefined;
    }
    const isBaseline = (status & (counting | fromZero)) === 0;
    let baseline = 0;
    for (let i = 0; i < width; i++) {
      const count = buckets[at + i]!;
      this.values.set(first + i, count);
      if (!isBaseline) continue;
      this.offsets.set(first + i, this.offsets.get(first + i) - count);
      baseline += count;
    }
    this.sums.set(slot, sum);
    if (isBaseline) this.sumOffsets.set(slot, this.sumOffsets.get(slot) - sum);
    this.series.status.set(slot, status | counting);
    return baseline;
  }

  /** Another slot goes on from this one's counts, having counted nothing yet. */
  moveTo(slot: number, moved: number): void {
    if ((this.series.status.get(slot) & counting) === 0) return;
    const from = this.firstCell.get(slot);
    const to = this.firstCell.get(moved);
    for (let i = 0; i < this.widths.get(slot); i++) {
      this.values.set(to + i, this.values.get(from + i));
      this.offsets.set(to + i, -this.values.get(from + i));
    }
    this.sums.set(moved, this.sums.get(slot));
    this.sumOffsets.set(moved, -this.sums.get(slot));
    this.mins.set(moved, this.mins.get(slot));
    this.maxes.set(moved, this.maxes.get(slot));
  }

  /** Widens the range that the current epoch has seen. NaN: nothing was measured. */
  takeMin(slot: number, min: number): void {
    if (Number.isNaN(min) || this.mins.get(slot) <= min) return;
    this.mins.set(slot, min);
  }

  takeMax(slot: number, max: number): void {
    if (Number.isNaN(max) || this.maxes.get(slot) >= max) return;
    this.maxes.set(slot, max);
  }

  /** How much was reported of the present epoch. */
  reportedCount(slot: number): number {
    const first = this.firstCell.get(slot);
    let count = 0;
    for (let cell = first; cell < first + this.widths.get(slot); cell++) count += this.values.get(cell);
    return count;
  }

  /** How much has been counted since the store began. */
  countedCount(slot: number): number {
    const first = this.firstCell.get(slot);
    let count = 0;
    for (let cell = first; cell < first + this.widths.get(slot); cell++) count += this.counted(cell);
    return count;
  }

  /** What a bucket's cell has counted since the store began. */
  counted(cell: number): number {
    const chunk = cell >>> chunkBits;
    const at = cell & chunkMask;
    return this.values.chunks[chunk]![at]! + this.offsets.chunks[chunk]![at]!;
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.series.length;
    const cells = () => this.#cells;
    return [
      ...this.series.snapshotParts(),
      new ColumnPart('first cells', this.firstCell, length),
      new ColumnPart('widths', this.widths, length),
      new ColumnPart('sums', this.sums, length),
      new ColumnPart('offsets of sums', this.sumOffsets, length),
      new ColumnPart('minima', this.mins, length),
      new ColumnPart('maxima', this.maxes, length),
      new CountPart('cells', cells, (count) => {
        this.#cells = count;
      }),
      new ColumnPart('values', this.values, cells),
      new ColumnPart('offsets', this.offsets, cells),
      new FreeRunsPart(this.#freeRuns, cells),
    ];
  }

  /** Whether a slot's run is of so many cells, all of which there are. */
  hasRun(slot: number, width: number): boolean {
    return this.widths.get(slot) === width && this.firstCell.get(slot) + width <= this.#cells;
  }

  #allocateRun(width: number): number {
    const free = this.#freeRuns.get(width);
    if (free !== undefined && free.size > 0) return free.items[--free.size]!;
    const run = this.#cells;
    this.#cells += width;
    this.#growCells();
    return run;
  }

  #growCells(): void {
    this.values.grow(this.#cells);
    this.offsets.grow(this.#cells);
  }

  #grow(): void {
    const length = this.series.length;
    this.firstCell.grow(length);
    this.widths.grow(length);
    this.sums.grow(length);
    this.sumOffsets.grow(length);
    this.mins.grow(length);
    this.maxes.grow(length);
  }
}
