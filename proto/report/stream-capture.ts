import type { Drifts } from '../columns/drifts.ts';
import type { NumberColumn } from '../columns/number-column.ts';
import { type ColumnKind, columnKinds, type GroupColumns } from './group-columns.ts';
import type { StreamColumns } from './stream-columns.ts';

/** Bits of a shape: which of sum, min and max a histogram of either kind has. */
export const hasSumBit = 1;
export const hasMinBit = 2;
export const hasMaxBit = 4;
/** Above these bits a shape has the number of buckets of an explicit histogram, or of quantiles of a summary. */
export const shapeWidthShift = 3;

/** Arrays of fewer cells are copied one by one: a view on them would cost more. */
const worthSetting = 64;
/** Room that is smaller is not worth giving back. */
const smallestRoom = 65_536;
const reservedAtOnce = 65_536;

/** The cells of one column that drift. */
export interface DriftsCapture {
  readonly cells: Uint32Array;
  readonly steps: Float64Array;
}

/** What a sampling group was at one moment. */
export interface GroupCapture {
  readonly group: number;
  readonly timeUs: number;
  readonly stepUs: number;
  readonly reports: number;
  /** How many series there are of each of {@link columnKinds}. They lie kind after kind in the copies' `numbers`, from here on. */
  readonly counts: readonly number[];
  readonly firstSeries: number;
  /** The cells of {@link groupColumns}, column after column, lie in the copies' `values` from here on; how many there are. */
  readonly firstCell: number;
  readonly cells: number;
  readonly sumDrifts: DriftsCapture | undefined;
  readonly gaugeDrifts: DriftsCapture | undefined;
}

/** What the receiving end of a stream was at one moment. Valid as long as the copies that it was made with. */
export interface StreamCapture {
  readonly lastReport: number;
  readonly lastTimeUs: number;
  readonly lastNumber: number;
  /** In the order of the stream's map. */
  readonly groups: readonly GroupCapture[];
}

/** Where captured series and cells lie: parallel arrays, of which a capture says which part is whose. */
export interface CapturedCells {
  readonly numbers: Uint32Array;
  /** What the owner attached to each series. */
  readonly attached: Uint32Array;
  /** What else the cells of a histogram or summary depend on: {@link hasSumBit} and so on, and its width from {@link shapeWidthShift} on. */
  readonly shapes: Uint32Array;
  readonly values: Float64Array;
  readonly modes: Uint8Array;
}

/** The columns of a group in the order of their fields in a report: GroupReport of the .proto, 3 to 21. */
export function groupColumns(group: GroupColumns): readonly NumberColumn[] {
  const { sums, gauges, histograms: h, exponentialHistograms: e, summaries: s } = group;
  return [
    sums,
    gauges,
    h.bucketCounts,
    h.sums,
    h.mins,
    h.maxes,
    e.scales,
    e.zeroThresholds,
    e.zeroCounts,
    e.positive.layout,
    e.positive.counts,
    e.negative.layout,
    e.negative.counts,
    e.sums,
    e.mins,
    e.maxes,
    s.counts,
    s.sums,
    s.quantileValues,
  ];
}

/**
 * Copies of streams at one moment: what decoding of their next reports depends on. Kept by whoever takes them, so that the next
 * moment finds its memory.
 *
 * Layout: a series is an index in `numbers`, `attached` and `shapes`; a cell is one in `values` and `modes`. All of a stream, and of
 * one of its groups, lies together. Copying costs a few nanoseconds a series: `npm run bench snapshot-streams`. What an encoder alone has
 * (preferred modes, trends) is not copied, and neither is what the last report held.
 */
export class StreamCopies implements CapturedCells {
  numbers = new Uint32Array(0);
  attached = new Uint32Array(0);
  shapes = new Uint32Array(0);
  values = new Float64Array(0);
  modes = new Uint8Array(0);
  series = 0;
  cells = 0;

  /**
   * Makes room for so much and some more, in small steps: copying into memory that is new takes several times as long. Forgets what was
   * captured.
   */
  *reserve(series: number, cells: number): Generator<void, void> {
    if (!isOff(this.numbers.length, series) && !isOff(this.values.length, cells)) return;
    this.begin(series + (series >>> 3), cells + (cells >>> 3));
    for (const array of [this.numbers, this.attached, this.shapes, this.values, this.modes])
      for (let at = 0; at < array.length; at += reservedAtOnce) {
        array.fill(0, at, at + reservedAtOnce);
        yield;
      }
  }

  /** Forgets what was captured, and makes room for all that is to be captured next. */
  begin(series: number, cells: number): void {
    this.series = 0;
    this.cells = 0;
    if (isOff(this.numbers.length, series)) {
      this.numbers = new Uint32Array(series);
      this.attached = new Uint32Array(series);
      this.shapes = new Uint32Array(series);
    }
    if (isOff(this.values.length, cells)) {
      this.values = new Float64Array(cells);
      this.modes = new Uint8Array(cells);
    }
  }

  /** Copies a stream for which there is room. Between its messages, as all of it is one. */
  capture(columns: StreamColumns): StreamCapture {
    const { lastReport, lastTimeUs, lastNumber } = columns;
    const groups: GroupCapture[] = [];
    for (const group of columns.groups.values()) groups.push(this.#group(group));
    return { lastReport, lastTimeUs, lastNumber, groups };
  }

  #group(from: GroupColumns): GroupCapture {
    const { group, timeUs, stepUs, reports, sums, gauges } = from;
    const { histograms: h, exponentialHistograms: e, summaries: s } = from;
    const firstSeries = this.series;
    const firstCell = this.cells;
    this.#series(sums);
    this.#series(gauges);
    this.#cells(sums);
    this.#cells(gauges);
    if (h.count > 0) this.#histograms(h.bucketCounts, h.firstCells, h.count, h.sums, h.mins, h.maxes);
    if (e.count > 0) this.#histograms(e.scales, undefined, e.count, e.sums, e.mins, e.maxes);
    if (s.count > 0) this.#summaries(s.counts, s.firstCells);
    if (h.count + e.count + s.count > 0) {
      const columns = groupColumns(from);
      for (let i = 2; i < columns.length; i++) this.#cells(columns[i]);
    }
    return {
      group,
      timeUs,
      stepUs,
      reports,
      counts: columnKinds.map((kind) => countOf(from, kind)),
      firstSeries,
      firstCell,
      cells: this.cells - firstCell,
      sumDrifts: driftsOf(sums.drifts),
      gaugeDrifts: driftsOf(gauges.drifts),
    };
  }

  /** Series of one cell each, which have no shape. */
  #series({ numbers, attached, size }: NumberColumn): void {
    const to = this.series;
    if (size < worthSetting)
      for (let i = 0; i < size; i++) {
        this.numbers[to + i] = numbers[i];
        this.attached[to + i] = attached[i];
      }
    else {
      this.numbers.set(numbers.subarray(0, size), to);
      this.attached.set(attached.subarray(0, size), to);
    }
    this.series = to + size;
  }

  /** Without `firstCells` each histogram has one cell in its leading column. */
  #histograms(
    leading: NumberColumn,
    firstCells: Uint32Array | undefined,
    count: number,
    sums: NumberColumn,
    mins: NumberColumn,
    maxes: NumberColumn,
  ): void {
    let nextSum = 0;
    let nextMin = 0;
    let nextMax = 0;
    for (let i = 0; i < count; i++) {
      const cell = firstCells === undefined ? i : firstCells[i];
      const number = leading.numbers[cell];
      let shape = firstCells === undefined ? 0 : (firstCells[i + 1] - cell) << shapeWidthShift;
      if (nextSum < sums.size && sums.numbers[nextSum] === number) {
        shape |= hasSumBit;
        nextSum++;
      }
      if (nextMin < mins.size && mins.numbers[nextMin] === number) {
        shape |= hasMinBit;
        nextMin++;
      }
      if (nextMax < maxes.size && maxes.numbers[nextMax] === number) {
        shape |= hasMaxBit;
        nextMax++;
      }
      this.#one(number, leading.attached[cell], shape);
    }
  }

  #summaries({ numbers, attached, size }: NumberColumn, firstCells: Uint32Array): void {
    for (let i = 0; i < size; i++)
      this.#one(numbers[i], attached[i], (firstCells[i + 1] - firstCells[i]) << shapeWidthShift);
  }

  #one(number: number, attached: number, shape: number): void {
    const at = this.series++;
    this.numbers[at] = number;
    this.attached[at] = attached;
    this.shapes[at] = shape;
  }

  #cells({ values, modes, size }: NumberColumn): void {
    const to = this.cells;
    if (size < worthSetting)
      for (let i = 0; i < size; i++) {
        this.values[to + i] = values[i];
        this.modes[to + i] = modes[i];
      }
    else {
      this.values.set(values.subarray(0, size), to);
      this.modes.set(modes.subarray(0, size), to);
    }
    this.cells = to + size;
  }
}

/** Too small, or so large that most of it stands empty. */
function isOff(room: number, needed: number): boolean {
  return room < needed || (room > smallestRoom && needed < room >>> 2);
}

function countOf(
  { sums, gauges, histograms, exponentialHistograms, summaries }: GroupColumns,
  kind: ColumnKind,
) {
  if (kind === 'sum') return sums.size;
  if (kind === 'gauge') return gauges.size;
  if (kind === 'histogram') return histograms.count;
  return kind === 'summary' ? summaries.count : exponentialHistograms.count;
}

function driftsOf(drifts: Drifts | undefined): DriftsCapture | undefined {
  if (drifts === undefined || drifts.count === 0) return undefined;
  const { cells, steps, count } = drifts;
  return { cells: cells.slice(0, count), steps: steps.slice(0, count) };
}
