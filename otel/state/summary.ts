import { ColumnPart } from '../snapshot/column-part.ts';
import { CountPart } from '../snapshot/number-parts.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { Float64Column, Uint32Column, Uint32List } from './columns.ts';
import { isCount } from './counts.ts';
import { counting, isMonotonic, SeriesColumns } from './series-columns.ts';
import { FreeRunsPart } from './snapshot/free-runs-part.ts';

/**
 * Summaries, in columns by slot: the count and the sum of the current epoch as they were reported. Each has a run of cells in `values`, one for each
 * quantile of its metric; `firstCell` gives where a slot's run begins, `widths` how many quantiles it has. Summaries are handed on as they came
 * and never joined, so nothing is kept of earlier epochs.
 */
export class SummaryState {
  readonly kind = 'summary';
  readonly series = new SeriesColumns();
  readonly counts = new Float64Column();
  readonly sums = new Float64Column();
  readonly values = new Float64Column();
  readonly firstCell = new Uint32Column();
  readonly widths = new Uint32Column();
  /** Runs that are free, by width. */
  readonly #freeRuns = new Map<number, Uint32List>();
  #cells = 0;

  constructor() {
    this.#grow();
  }

  allocate(width: number): number {
    const slot = this.series.allocate();
    this.#grow();
    const run = this.#allocateRun(width);
    this.firstCell.set(slot, run);
    this.widths.set(slot, width);
    for (let cell = run; cell < run + width; cell++) this.values.set(cell, 0);
    this.counts.set(slot, 0);
    this.sums.set(slot, 0);
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

  /** A new epoch: count and sum start at nothing. */
  beginEpoch(slot: number): void {
    this.counts.set(slot, 0);
    this.sums.set(slot, 0);
  }

  /**
   * Takes a newer state whole: count, sum and the quantiles' values `values[at..at + width)`, which may be any. Gives false, and takes nothing,
   * when the count is below the held one of the same epoch, the count is none, or the sum is not finite.
   */
  merge(slot: number, count: number, sum: number, values: Float64Array, at: number): boolean {
    // Before the first count of an epoch the held one is zero.
    if (!isCount(count) || count < this.counts.get(slot) || sum - sum !== 0) return false;
    this.counts.set(slot, count);
    this.sums.set(slot, sum);
    const first = this.firstCell.get(slot);
    const width = this.widths.get(slot);
    for (let i = 0; i < width; i++) this.values.set(first + i, values[at + i]!);
    return true;
  }

  /** Takes the first state after a definition, as {@link SummaryState.merge}. Gives 0, as nothing is ever set aside, or `undefined` when it was not taken. */
  settle(slot: number, count: number, sum: number, values: Float64Array, at: number): number | undefined {
    if (!this.merge(slot, count, sum, values, at)) return undefined;
    this.series.status.set(slot, this.series.status.get(slot) | counting);
    return 0;
  }

  /** Another slot goes on from this one's state. */
  moveTo(slot: number, moved: number): void {
    if ((this.series.status.get(slot) & counting) === 0) return;
    this.counts.set(moved, this.counts.get(slot));
    this.sums.set(moved, this.sums.get(slot));
    const from = this.firstCell.get(slot);
    const to = this.firstCell.get(moved);
    for (let i = 0; i < this.widths.get(slot); i++) this.values.set(to + i, this.values.get(from + i));
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.series.length;
    const cells = () => this.#cells;
    return [
      ...this.series.snapshotParts(),
      new ColumnPart('counts', this.counts, length),
      new ColumnPart('sums', this.sums, length),
      new ColumnPart('first cells', this.firstCell, length),
      new ColumnPart('widths', this.widths, length),
      new CountPart('cells', cells, (count) => {
        this.#cells = count;
      }),
      new ColumnPart('values', this.values, cells),
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
    this.values.grow(this.#cells);
    return run;
  }

  #grow(): void {
    const { length } = this.series;
    this.counts.grow(length);
    this.sums.grow(length);
    this.firstCell.grow(length);
    this.widths.grow(length);
  }
}
