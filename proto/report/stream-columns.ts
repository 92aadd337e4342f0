import { modeOfStep, noMode } from '../columns/modes.ts';
import { InvalidDataError, StreamgaugeError } from '../error.ts';
import { DecodedReport } from './decoded-report.ts';
import { ExponentialColumns, exponentialCells, noExponentialHistograms } from './exponential-columns.ts';
import { type ColumnKind, columnKinds, GroupColumns } from './group-columns.ts';
import { noSummaries, SummaryColumns } from './summary-columns.ts';

/** What a series must tell to have its cells. */
export interface ColumnSeries {
  /** Greater than all numbers defined before on the stream. */
  readonly number: number;
  /** The sampling group. */
  readonly group: number;
  readonly kind: ColumnKind;
  /** Histograms: the number of buckets, bounds + 1. */
  readonly buckets?: number;
  /** Summaries: the number of quantiles. */
  readonly quantiles?: number;
  readonly hasSum?: boolean;
  readonly hasMin?: boolean;
  readonly hasMax?: boolean;
  /** A whole number below 2^32 that the owner finds again beside the series' cells. */
  readonly attached?: number;
  /** The step in which the values move, where known; only an encoder makes use of it. */
  readonly step?: number | undefined;
}

/**
 * What both ends of one stream hold for its reports: the columns of each sampling group, the time and the number of the last
 * report. The sender changes it by `encodeReport`, the receiver by `decodeReport`, both by `define` and `retire` at the same places in the stream.
 */
export class StreamColumns {
  /** By group number. */
  readonly groups: Map<number, GroupColumns> = new Map();
  /** The number of the last report on this stream; 0 before the first. */
  lastReport = 0;
  /** The time of the last group report of any group on this stream; 0 before the first. */
  lastTimeUs = 0;
  /** The highest series number defined on this stream, retired ones included. */
  lastNumber = 0;
  /** What the last report held; see decodeReport. */
  readonly decoded: DecodedReport = new DecodedReport();
  /** Reports decoded; stamps the groups of a report. */
  decodes = 0;
  /** The cells in all columns together, and how many there may be. */
  cells = 0;
  readonly maxCells: number;
  /** Numbers of the series that are defined and not retired, ascending, with their groups, up to `#count`. */
  #numbers = new Uint32Array(8);
  #groups: (GroupColumns | undefined)[] = [];
  #count = 0;

  /** @param options.maxCells sums, gauges, buckets and quantiles at one time; a cell costs up to 25 bytes. */
  constructor(options: { maxCells?: number } = {}) {
    this.maxCells = options.maxCells ?? 1_048_576;
  }

  /** How many series are defined and not retired. */
  get size(): number {
    return this.#count;
  }

  /**
   * Gives a series its cells, with value 0.
   * @throws InvalidDataError when the number does not ascend, StreamgaugeError `overloaded` above `maxCells`; nothing has changed
   * then
   */
  define(series: ColumnSeries): void {
    const { number, attached = 0 } = series;
    if (!(Number.isInteger(number) && number > this.lastNumber && number < 2 ** 32))
      throw new InvalidDataError(
        `series number ${number} must be a whole number above ${this.lastNumber}, the last one, and below 2^32`,
      );
    const cells = cellsOf(series);
    if (this.cells + cells > this.maxCells)
      throw new StreamgaugeError(
        'overloaded',
        `series ${number} would take the stream above ${this.maxCells} values, which is all that is kept`,
      );
    const group = this.#group(series.group);
    const mode = series.step === undefined ? noMode : modeOfStep(series.step);
    switch (series.kind) {
      case 'sum':
        group.sums.append(number, attached, 1, mode);
        break;
      case 'gauge':
        group.gauges.append(number, attached, 1, mode);
        break;
      case 'histogram': {
        const { histograms } = group;
        histograms.bucketCounts.append(number, attached, series.buckets ?? 1);
        histograms.appended();
        if (series.hasSum) histograms.sums.append(number, attached, 1, mode);
        if (series.hasMin) histograms.mins.append(number, attached, 1, mode);
        if (series.hasMax) histograms.maxes.append(number, attached, 1, mode);
        break;
      }
      case 'exponential_histogram': {
        const { hasSum: sum = false, hasMin: min = false, hasMax: max = false } = series;
        if (group.exponentialHistograms === noExponentialHistograms)
          group.exponentialHistograms = new ExponentialColumns();
        group.exponentialHistograms.append(number, attached, { sum, min, max });
        break;
      }
      case 'summary':
        if (group.summaries === noSummaries) group.summaries = new SummaryColumns();
        group.summaries.append(number, attached, series.quantiles ?? 0);
    }
    this.cells += cells;
    this.#add(number, group);
  }

  /** The group of a series that is defined and not retired, or `undefined`. */
  groupOf(number: number): GroupColumns | undefined {
    const index = this.#indexOf(number);
    return index < 0 ? undefined : this.#groups[index];
  }

  /** What the owner attached to a series, or `undefined` when it is not defined or retired. */
  attachedOf(number: number): number | undefined {
    const group = this.groupOf(number);
    if (group === undefined) return undefined;
    for (const kind of columnKinds) {
      const column = group.leadingColumn(kind);
      const cell = column.indexOf(number);
      if (cell >= 0) return column.attached[cell];
    }
    return undefined;
  }

  /** Attaches another number to a series. */
  attach(number: number, attached: number): void {
    const group = this.groupOf(number);
    if (group === undefined) return;
    const { sums, mins, maxes } = group.histograms;
    for (const column of [...columnKinds.map((kind) => group.leadingColumn(kind)), sums, mins, maxes]) {
      const first = column.indexOf(number);
      for (let cell = first; cell >= 0 && cell < column.size && column.numbers[cell] === number; cell++)
        column.attached[cell] = attached;
    }
  }

  /**
   * Takes series out of their columns: one, or all of a Retire at once, which costs one pass over the groups they are in.
   * @throws InvalidDataError when a number is not defined, retired already, or they do not ascend; nothing has changed then
   */
  retire(numbers: number | ArrayLike<number>): void {
    const retired = typeof numbers === 'number' ? [numbers] : numbers;
    const touched = new Set<GroupColumns>();
    for (let i = 0; i < retired.length; i++) {
      if (i > 0 && !(retired[i] > retired[i - 1]))
        throw new InvalidDataError(`series ${retired[i]} is retired after ${retired[i - 1]}; numbers ascend`);
      const group = this.groupOf(retired[i]);
      if (group === undefined)
        throw new InvalidDataError(`series ${retired[i]} is retired but not defined on this stream`);
      touched.add(group);
    }
    for (const group of touched) {
      this.cells -= group.cells;
      group.sums.remove(retired);
      group.gauges.remove(retired);
      group.histograms.remove(retired);
      if (group.exponentialHistograms.count > 0) group.exponentialHistograms.remove(retired);
      if (group.summaries.count > 0) group.summaries.remove(retired);
      this.cells += group.cells;
    }
    let next = 0;
    let to = 0;
    for (let i = 0; i < this.#count; i++) {
      if (next < retired.length && this.#numbers[i] === retired[next]) {
        next++;
        continue;
      }
      this.#numbers[to] = this.#numbers[i];
      this.#groups[to++] = this.#groups[i];
    }
    this.#count = to;
    this.#groups.length = to;
  }

  #add(number: number, group: GroupColumns): void {
    this.lastNumber = number;
    if (this.#count === this.#numbers.length) {
      const grown = new Uint32Array(this.#count + (this.#count >>> 1));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#count] = number;
    this.#groups[this.#count++] = group;
  }

  #group(number: number): GroupColumns {
    let group = this.groups.get(number);
    if (group === undefined) {
      group = new GroupColumns(number);
      this.groups.set(number, group);
    }
    return group;
  }

  #indexOf(number: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#numbers[middle] < number) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#numbers[low] === number ? low : -1;
  }
}

/** An exponential histogram's buckets come with its reports. */
function cellsOf(series: ColumnSeries): number {
  const { number, buckets = 1, quantiles = 0 } = series;
  const extremes = (series.hasSum ? 1 : 0) + (series.hasMin ? 1 : 0) + (series.hasMax ? 1 : 0);
  switch (series.kind) {
    case 'sum':
    case 'gauge':
      return 1;
    case 'histogram':
      if (!Number.isInteger(buckets) || buckets < 1)
        throw new InvalidDataError(`series ${number} has ${buckets} buckets; at least 1 is allowed`);
      return buckets + extremes;
    case 'exponential_histogram':
      return exponentialCells + extremes;
    case 'summary':
      if (!Number.isInteger(quantiles) || quantiles < 0)
        throw new InvalidDataError(`series ${number} has ${quantiles} quantiles; 0 or more are allowed`);
      return 2 + quantiles;
  }
}
