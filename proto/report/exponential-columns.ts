import { NumberColumn } from '../columns/number-column.ts';
import { InvalidDataError, StreamgaugeError } from '../error.ts';
import { layoutFault } from './exponential-limits.ts';
import { ExponentialRange } from './exponential-range.ts';

/**
 * The columns of a group's exponential histograms. A histogram is an index `h` below `count`: its cell in `scales`, `zeroThresholds`
 * and `zeroCounts`. What the owner attached is beside its cell in `scales`; in all other columns `attached` is `h`.
 */
export class ExponentialColumns {
  readonly scales: NumberColumn = new NumberColumn();
  readonly zeroThresholds: NumberColumn = new NumberColumn();
  readonly zeroCounts: NumberColumn = new NumberColumn();
  readonly positive: ExponentialRange = new ExponentialRange();
  readonly negative: ExponentialRange = new ExponentialRange();
  /** One cell for each histogram whose metric has a sum; likewise min and max. */
  readonly sums: NumberColumn = new NumberColumn();
  readonly mins: NumberColumn = new NumberColumn();
  readonly maxes: NumberColumn = new NumberColumn();
  /** The cell in `sums` of each histogram; -1: it has none. */
  sumCells: Int32Array = new Int32Array(1);
  /** The histograms of which the last report changed anything but min and max, up to `changedCount`, in no order. */
  changed: Uint32Array = new Uint32Array(1);
  changedCount = 0;
  /** The scales that the counts are laid out in; `scales` is ahead of them while a report is decoded. */
  #heldScales = new Int8Array(1);
  /** By histogram, the round in which it was last noted as changed. */
  #notedIn = new Uint32Array(1);
  #round = 0;

  /** How many histograms there are. */
  get count(): number {
    return this.scales.size;
  }

  /** The cells in all columns together. */
  get cells(): number {
    const { positive, negative, sums, mins, maxes } = this;
    return (
      exponentialCells * this.count +
      positive.counts.size +
      negative.counts.size +
      sums.size +
      mins.size +
      maxes.size
    );
  }

  /** A histogram of scale 0 without buckets, with the greatest series number so far. Owned by StreamColumns. */
  append(seriesNumber: number, attached: number, has: { sum: boolean; min: boolean; max: boolean }): void {
    const h = this.count;
    this.scales.append(seriesNumber, attached);
    this.zeroThresholds.append(seriesNumber, h);
    this.zeroCounts.append(seriesNumber, h);
    this.positive.append(seriesNumber);
    this.negative.append(seriesNumber);
    this.#reserve(h + 1);
    this.#heldScales[h] = 0;
    this.#notedIn[h] = 0;
    this.sumCells[h] = has.sum ? this.sums.append(seriesNumber, h) : -1;
    if (has.min) this.mins.append(seriesNumber, h);
    if (has.max) this.maxes.append(seriesNumber, h);
    this.changedCount = 0;
  }

  /** Removes series with ascending numbers. Owned by StreamColumns. */
  remove(seriesNumbers: ArrayLike<number>): void {
    const { scales, zeroThresholds, zeroCounts, sums, mins, maxes } = this;
    const before = scales.numbers.slice(0, scales.size);
    for (const column of [scales, zeroThresholds, zeroCounts, sums, mins, maxes])
      column.remove(seriesNumbers);
    this.positive.remove(seriesNumbers);
    this.negative.remove(seriesNumbers);
    this.changedCount = 0;
    for (let h = 0, from = 0; h < scales.size; h++, from++) {
      while (before[from] !== scales.numbers[h]) from++;
      this.#heldScales[h] = this.#heldScales[from];
      zeroThresholds.attached[h] = h;
      zeroCounts.attached[h] = h;
      this.sumCells[h] = sums.indexOf(scales.numbers[h]);
    }
    for (const { size, numbers, attached } of [sums, mins, maxes])
      for (let cell = 0, h = 0; cell < size; cell++) {
        while (scales.numbers[h] !== numbers[cell]) h++;
        attached[cell] = h;
      }
  }

  /**
   * Lays the bucket counts out by the scales and layouts that the columns hold now, and rebases them. Gives by how many cells they
   * grew. Called by the codecs, before a report's counts.
   * @param room how many cells more there may be
   * @throws InvalidDataError for a scale, index or number of buckets that is out of range, StreamgaugeError `overloaded` when
   * there is no room
   */
  layOut(room: number): number {
    const { scales, positive, negative, count } = this;
    let isMoved = false;
    for (let h = 0; h < count; h++) {
      if (scales.values[h] === this.#heldScales[h] && !positive.isMoved(h) && !negative.isMoved(h)) continue;
      isMoved = true;
      const fault = faultOf(scales.values[h], positive, h) ?? faultOf(scales.values[h], negative, h);
      if (fault !== undefined)
        throw new InvalidDataError(`the exponential histogram of series ${scales.numbers[h]} ${fault}`);
    }
    if (!isMoved) return 0;
    const growth = positive.growth() + negative.growth();
    if (growth > room) throw noRoom(growth, room);
    positive.layOut(this.#heldScales, scales.values);
    negative.layOut(this.#heldScales, scales.values);
    for (let h = 0; h < count; h++) this.#heldScales[h] = scales.values[h];
    return growth;
  }

  /** Whether the last decode changed a scale or a layout, so that there is something to lay out. */
  get isToLayOut(): boolean {
    return (
      this.scales.changedCount > 0 ||
      this.positive.layout.changedCount > 0 ||
      this.negative.layout.changedCount > 0
    );
  }

  /** Lists in `changed` what the columns' last decode changed. */
  noteChanged(): void {
    this.changedCount = 0;
    this.#round++;
    const { scales, zeroThresholds, zeroCounts, positive, negative, sums } = this;
    for (let c = 0; c < scales.changedCount; c++) this.#note(scales.changed[c]);
    this.#noteAll(zeroThresholds);
    this.#noteAll(zeroCounts);
    this.#noteAll(positive.layout);
    this.#noteAll(positive.counts);
    this.#noteAll(negative.layout);
    this.#noteAll(negative.counts);
    this.#noteAll(sums);
  }

  #noteAll({ changed, changedCount, attached }: NumberColumn): void {
    for (let c = 0; c < changedCount; c++) this.#note(attached[changed[c]]);
  }

  #note(h: number): void {
    if (this.#notedIn[h] === this.#round) return;
    this.#notedIn[h] = this.#round;
    this.changed[this.changedCount++] = h;
  }

  #reserve(count: number): void {
    if (count <= this.sumCells.length) return;
    const room = count + (count >>> 1);
    const sumCells = new Int32Array(room);
    sumCells.set(this.sumCells);
    this.sumCells = sumCells;
    const heldScales = new Int8Array(room);
    heldScales.set(this.#heldScales);
    this.#heldScales = heldScales;
    const notedIn = new Uint32Array(room);
    notedIn.set(this.#notedIn);
    this.#notedIn = notedIn;
    this.changed = new Uint32Array(room);
  }
}

/** Cells of one histogram beside its buckets, sum, min and max: scale, zero threshold, zero count, and two for each range. */
export const exponentialCells = 7;

/** What a group has that has no exponential histograms: the same for all, and nothing is ever put into it. */
export const noExponentialHistograms: ExponentialColumns = new ExponentialColumns();

function faultOf(scale: number, { layout }: ExponentialRange, h: number): string | undefined {
  return layoutFault(scale, layout.values[2 * h], layout.values[2 * h + 1]);
}

/** More buckets than a stream may hold. */
export function noRoom(growth: number, room: number): StreamgaugeError {
  return new StreamgaugeError(
    'overloaded',
    `exponential histograms grow by ${growth} buckets, and the stream has room for ${room} more values: report fewer series or buckets on it`,
  );
}
