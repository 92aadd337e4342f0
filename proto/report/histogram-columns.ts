import { NumberColumn } from '../columns/number-column.ts';

/** The columns of a group's explicit histograms. */
export class HistogramColumns {
  /** One cell for each bucket; `offsets` leads from a cell to the first one of its histogram. */
  readonly bucketCounts: NumberColumn = new NumberColumn();
  /** One cell for each histogram whose metric has a sum; likewise min and max. */
  readonly sums: NumberColumn = new NumberColumn();
  readonly mins: NumberColumn = new NumberColumn();
  readonly maxes: NumberColumn = new NumberColumn();
  /** How many histograms there are. */
  count = 0;
  /** The first cell in `bucketCounts` of each histogram, ascending, and after the last one the column's size. */
  firstCells: Uint32Array = new Uint32Array(1);

  /** The cells in all columns together. */
  get cells(): number {
    return this.bucketCounts.size + this.sums.size + this.mins.size + this.maxes.size;
  }

  /** Takes in a histogram that was just appended to `bucketCounts`. Owned by StreamColumns. */
  appended(): void {
    if (this.count + 2 > this.firstCells.length) {
      const grown = new Uint32Array(this.firstCells.length * 2 + 2);
      grown.set(this.firstCells);
      this.firstCells = grown;
    }
    this.firstCells[++this.count] = this.bucketCounts.size;
  }

  /** Removes series with ascending numbers. Owned by StreamColumns. */
  remove(seriesNumbers: ArrayLike<number>): void {
    this.bucketCounts.remove(seriesNumbers);
    this.sums.remove(seriesNumbers);
    this.mins.remove(seriesNumbers);
    this.maxes.remove(seriesNumbers);
    const { numbers, size } = this.bucketCounts;
    this.count = 0;
    for (let cell = 0; cell < size; cell++)
      if (cell === 0 || numbers[cell] !== numbers[cell - 1]) this.firstCells[this.count++] = cell;
    this.firstCells[this.count] = size;
  }
}
