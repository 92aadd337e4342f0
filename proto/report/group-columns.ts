import { Drifts } from '../columns/drifts.ts';
import { NumberColumn } from '../columns/number-column.ts';
import { type ExponentialColumns, noExponentialHistograms } from './exponential-columns.ts';
import { HistogramColumns } from './histogram-columns.ts';
import { noSummaries, type SummaryColumns } from './summary-columns.ts';

/** The kinds of series that have columns, in the order of places. */
export const columnKinds = ['sum', 'gauge', 'histogram', 'exponential_histogram', 'summary'] as const;
export type ColumnKind = (typeof columnKinds)[number];

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
  readonly sums: NumberColumn = new NumberColumn(new Drifts());
  readonly gauges: NumberColumn = new NumberColumn(new Drifts());
  readonly histograms: HistogramColumns = new HistogramColumns();
  /** Most groups have none of these two kinds, and share what is empty. */
  exponentialHistograms: ExponentialColumns = noExponentialHistograms;
  summaries: SummaryColumns = noSummaries;
  /**
   * The places without a recorded value in the last report, ascending, up to `noRecordedValueCount`. A place counts the sums,
   * then the gauges, histograms, exponential histograms and summaries, each by ascending series number.
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
    const { sums, gauges, histograms, exponentialHistograms, summaries } = this;
    return sums.size + gauges.size + histograms.count + exponentialHistograms.count + summaries.count;
  }

  /** The cells in all columns together. */
  get cells(): number {
    const { sums, gauges, histograms, exponentialHistograms, summaries } = this;
    return sums.size + gauges.size + histograms.cells + exponentialHistograms.cells + summaries.cells;
  }

  /** How many values the last report changed, those of sums, minima and maxima of histograms left aside. */
  get changedValues(): number {
    const { sums, gauges, histograms, exponentialHistograms, summaries } = this;
    const { positive, negative, zeroCounts } = exponentialHistograms;
    return (
      sums.changedCount +
      gauges.changedCount +
      histograms.bucketCounts.changedCount +
      zeroCounts.changedCount +
      positive.counts.changedCount +
      negative.counts.changedCount +
      summaries.counts.changedCount +
      summaries.quantileValues.changedCount
    );
  }

  /** The number of the series at a place. */
  numberAt(place: number): number {
    return this.leadingColumn(this.kindAt(place)).numbers[this.#cellAt(place)];
  }

  /** What the owner attached to the series at a place. */
  attachedAt(place: number): number {
    return this.leadingColumn(this.kindAt(place)).attached[this.#cellAt(place)];
  }

  /** The kind of the series at a place. */
  kindAt(place: number): ColumnKind {
    const { sums, gauges, histograms, exponentialHistograms } = this;
    if (place < sums.size) return 'sum';
    place -= sums.size;
    if (place < gauges.size) return 'gauge';
    place -= gauges.size;
    if (place < histograms.count) return 'histogram';
    return place - histograms.count < exponentialHistograms.count ? 'exponential_histogram' : 'summary';
  }

  /** The column that holds beside each series of a kind, at its first cell, its number and what is attached to it. */
  leadingColumn(kind: ColumnKind): NumberColumn {
    switch (kind) {
      case 'sum':
        return this.sums;
      case 'gauge':
        return this.gauges;
      case 'histogram':
        return this.histograms.bucketCounts;
      case 'exponential_histogram':
        return this.exponentialHistograms.scales;
      case 'summary':
        return this.summaries.counts;
    }
  }

  #cellAt(place: number): number {
    const { sums, gauges, histograms, exponentialHistograms } = this;
    if (place < sums.size) return place;
    place -= sums.size;
    if (place < gauges.size) return place;
    place -= gauges.size;
    if (place < histograms.count) return histograms.firstCells[place];
    place -= histograms.count;
    return place < exponentialHistograms.count ? place : place - exponentialHistograms.count;
  }

  /** Makes room for as many places as there are. Owned by the decoder. */
  reserveNoRecordedValue(): void {
    if (this.noRecordedValue.length < this.places) this.noRecordedValue = new Uint32Array(this.places);
  }
}
