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

const none = new Uint32Array(0);

/** What both ends of a stream hold of one sampling group. Made and changed by StreamColumns and the report codecs; others read it. */
export class GroupColumns {
  readonly group: number;
  /** The time of the group's last report: microseconds since the Unix epoch. */
  timeUs = 0;
  /** The difference between the times of its last two reports; 0 while there are not two. */
  stepUs = 0;
  /** How many reports there were. */
  reports = 0;
  readonly sums: NumberColumn = new NumberColumn();
  readonly gauges: NumberColumn = new NumberColumn();
  readonly histograms: HistogramColumns = new HistogramColumns();
  /**
   * The places without a recorded value in the last report, ascending, up to `noRecordedValueCount`. A place counts the sums,
   * then the gauges, then the histograms, each by ascending series number.
   */
  noRecordedValue: Uint32Array = none;
  noRecordedValueCount = 0;
  /** How many exemplars the last report held for this group. They are counted, not decoded: nothing keeps them yet. */
  exemplarCount = 0;
  /** The report that last held this group, as counted by the decoder; to tell a group that is twice in one report. */
  seenIn = 0;

  constructor(group: number) {
    this.group = group;
  }

  /** How many series the group has. */
  get places(): number {
    return this.sums.size + this.gauges.size + this.histograms.count;
  }

  /** The number of the series at a place. */
  numberAt(place: number): number {
    const { sums, gauges, histograms } = this;
    if (place < sums.size) return sums.numbers[place];
    place -= sums.size;
    if (place < gauges.size) return gauges.numbers[place];
    return histograms.bucketCounts.numbers[histograms.firstCells[place - gauges.size]];
  }

  /** What the owner attached to the series at a place. */
  attachedAt(place: number): number {
    const { sums, gauges, histograms } = this;
    if (place < sums.size) return sums.attached[place];
    place -= sums.size;
    if (place < gauges.size) return gauges.attached[place];
    return histograms.bucketCounts.attached[histograms.firstCells[place - gauges.size]];
  }

  /** Makes room for as many places as there are. Owned by the decoder. */
  reserveNoRecordedValue(): void {
    if (this.noRecordedValue.length < this.places) this.noRecordedValue = new Uint32Array(this.places);
  }
}
