import { NumberColumn } from '../columns/number-column.ts';

/**
 * The columns of a group's summaries. A summary is an index `i` below `count`: its cell in `counts` and `sums`. What the owner
 * attached is beside its cell in `counts`; in the other columns `attached` is `i`.
 */
export class SummaryColumns {
  readonly counts: NumberColumn = new NumberColumn();
  readonly sums: NumberColumn = new NumberColumn();
  /** As many cells for each summary as its metric has quantiles. */
  readonly quantileValues: NumberColumn = new NumberColumn();
  /** The first cell in `quantileValues` of each summary, ascending, and after the last one the column's size. */
  firstCells: Uint32Array = new Uint32Array(2);
  /** The summaries of which the last report changed anything, up to `changedCount`, in no order. */
  changed: Uint32Array = new Uint32Array(1);
  changedCount = 0;
  /** By summary, the round in which it was last noted as changed. */
  #notedIn = new Uint32Array(1);
  #round = 0;

  /** How many summaries there are. */
  get count(): number {
    return this.counts.size;
  }

  /** The cells in all columns together. */
  get cells(): number {
    return 2 * this.count + this.quantileValues.size;
  }

  /** A summary with the greatest series number so far. Owned by StreamColumns. */
  append(seriesNumber: number, attached: number, quantiles: number): void {
    const i = this.count;
    this.counts.append(seriesNumber, attached);
    this.sums.append(seriesNumber, i);
    if (quantiles > 0) this.quantileValues.append(seriesNumber, i, quantiles);
    if (i + 1 > this.changed.length) this.#grow(i + 1 + (i >>> 1));
    this.firstCells[i + 1] = this.quantileValues.size;
    this.#notedIn[i] = 0;
    this.changedCount = 0;
  }

  /** Removes series with ascending numbers. Owned by StreamColumns. */
  remove(seriesNumbers: ArrayLike<number>): void {
    const { counts, sums, quantileValues, firstCells } = this;
    for (const column of [counts, sums, quantileValues]) column.remove(seriesNumbers);
    this.changedCount = 0;
    const { numbers, attached, size } = quantileValues;
    for (let i = 0, cell = 0; i < counts.size; i++) {
      sums.attached[i] = i;
      for (; cell < size && numbers[cell] === counts.numbers[i]; cell++) attached[cell] = i;
      firstCells[i + 1] = cell;
    }
  }

  /** Lists in `changed` what the columns' last decode changed. */
  noteChanged(): void {
    this.changedCount = 0;
    this.#round++;
    const { counts, sums, quantileValues } = this;
    for (let c = 0; c < counts.changedCount; c++) this.#note(counts.changed[c]);
    for (let c = 0; c < sums.changedCount; c++) this.#note(sums.attached[sums.changed[c]]);
    for (let c = 0; c < quantileValues.changedCount; c++)
      this.#note(quantileValues.attached[quantileValues.changed[c]]);
  }

  #note(i: number): void {
    if (this.#notedIn[i] === this.#round) return;
    this.#notedIn[i] = this.#round;
    this.changed[this.changedCount++] = i;
  }

  #grow(room: number): void {
    const firstCells = new Uint32Array(room + 1);
    firstCells.set(this.firstCells);
    this.firstCells = firstCells;
    const notedIn = new Uint32Array(room);
    notedIn.set(this.#notedIn);
    this.#notedIn = notedIn;
    this.changed = new Uint32Array(room);
  }
}

/** What a group has that has no summaries: the same for all, and nothing is ever put into it. */
export const noSummaries: SummaryColumns = new SummaryColumns();
