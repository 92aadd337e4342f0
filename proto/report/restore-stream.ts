import { type Drifts, maxDrifts } from '../columns/drifts.ts';
import { isMode, xorMode } from '../columns/modes.ts';
import type { NumberColumn } from '../columns/number-column.ts';
import { InvalidDataError } from '../error.ts';
import { type ColumnKind, columnKinds, GroupColumns } from './group-columns.ts';
import {
  type CapturedCells,
  type DriftsCapture,
  type GroupCapture,
  groupColumns,
  hasMaxBit,
  hasMinBit,
  hasSumBit,
  type StreamCapture,
  shapeWidthShift,
} from './stream-capture.ts';
import { StreamColumns } from './stream-columns.ts';
import { maxTimeUs } from './write-report.ts';

/**
 * The receiving end of a stream as it was captured: what it decodes from now on is what the captured one would have decoded. Takes memory
 * in proportion to the captured series and cells, which must be there; all else may be wrong.
 * @param maxCells as the stream had it
 * @throws InvalidDataError for what no stream can have been, with what was found; StreamgaugeError `overloaded` above `maxCells`
 */
export function restoreStream(capture: StreamCapture, cells: CapturedCells, maxCells: number): StreamColumns {
  const columns = new StreamColumns({ maxCells });
  for (const { group } of capture.groups) {
    if (columns.groups.has(group)) throw new InvalidDataError(`group ${group} comes twice`);
    columns.groups.set(group, new GroupColumns(group));
  }
  // Before anything is made as large as the shapes say: the cells are there.
  for (const group of capture.groups) checkWidths(group, cells);
  defineSeries(columns, capture, cells);
  for (const group of capture.groups) restoreGroup(columns, group, cells);
  if (columns.cells > maxCells)
    throw new InvalidDataError(`the stream has ${columns.cells} values, and ${maxCells} at most may be kept`);
  const { lastReport, lastTimeUs, lastNumber } = capture;
  if (!(Number.isSafeInteger(lastReport) && lastReport >= 0))
    throw new InvalidDataError(`the last report is ${lastReport}, which is no whole number from 0 on`);
  if (!(Number.isInteger(lastNumber) && lastNumber >= columns.lastNumber && lastNumber < 2 ** 32))
    throw new InvalidDataError(
      `the last series number is ${lastNumber}; ${columns.lastNumber} to 2^32 - 1 are possible`,
    );
  columns.lastReport = lastReport;
  columns.lastTimeUs = checkTime(lastTimeUs, 'the last report');
  columns.lastNumber = lastNumber;
  return columns;
}

/** Series of a group and kind that are yet to be defined. */
class Waiting {
  readonly group: number;
  readonly kind: ColumnKind;
  next: number;

  constructor(group: number, kind: ColumnKind, next: number) {
    this.group = group;
    this.kind = kind;
    this.next = next;
  }
}

/** Defines the series in ascending order of their numbers, as they once were, whatever group and kind they are of. */
function defineSeries(columns: StreamColumns, capture: StreamCapture, from: CapturedCells): void {
  const lists: Waiting[] = [];
  // A number, and behind it the list that it is in: exact, as there are at most 2^20 lists and numbers are below 2^32.
  const order = new Float64Array(seriesOf(capture));
  let count = 0;
  for (const { group, counts, firstSeries } of capture.groups) {
    let at = firstSeries;
    for (let kind = 0; kind < columnKinds.length; kind++) {
      if (counts[kind] === 0) continue;
      const end = at + counts[kind];
      checkNumbers(from.numbers, at, end, group);
      for (let i = at; i < end; i++) order[count++] = from.numbers[i] * maxLists + lists.length;
      lists.push(new Waiting(group, columnKinds[kind], at));
      at = end;
    }
  }
  if (lists.length > maxLists) throw new InvalidDataError(`${capture.groups.length} groups are too many`);
  order.sort();
  for (let i = 0; i < count; i++) {
    const list = lists[order[i] % maxLists];
    const at = list.next++;
    const shape = list.kind === 'sum' || list.kind === 'gauge' ? 0 : from.shapes[at];
    const width = shape >>> shapeWidthShift;
    if (list.kind === 'summary' && shape !== width << shapeWidthShift)
      throw new InvalidDataError(`series ${from.numbers[at]} is a summary with the shape ${shape}`);
    columns.define({
      number: from.numbers[at],
      group: list.group,
      kind: list.kind,
      buckets: width,
      quantiles: width,
      hasSum: (shape & hasSumBit) !== 0,
      hasMin: (shape & hasMinBit) !== 0,
      hasMax: (shape & hasMaxBit) !== 0,
      attached: from.attached[at],
    });
  }
}

const maxLists = 2 ** 20;

function seriesOf({ groups }: StreamCapture): number {
  let series = 0;
  for (const { counts } of groups) for (const count of counts) series += count;
  return series;
}

function checkNumbers(numbers: Uint32Array, start: number, end: number, group: number): void {
  for (let i = start; i < end; i++)
    if (!(numbers[i] > (i === start ? 0 : numbers[i - 1])))
      throw new InvalidDataError(`in group ${group} series ${numbers[i]} does not ascend`);
}

/** What explicit histograms and summaries hold is told by their shapes, and not more than there is. */
function checkWidths({ group, counts, firstSeries, cells }: GroupCapture, { shapes }: CapturedCells): void {
  const firstHistogram = firstSeries + counts[0] + counts[1];
  const firstSummary = firstHistogram + counts[2] + counts[3];
  let needed = counts[0] + counts[1];
  for (let i = firstHistogram; i < firstHistogram + counts[2]; i++) needed += shapes[i] >>> shapeWidthShift;
  for (let i = firstSummary; i < firstSummary + counts[4]; i++) needed += 2 + (shapes[i] >>> shapeWidthShift);
  if (needed > cells)
    throw new InvalidDataError(`the series of group ${group} have ${needed} values, but ${cells} are there`);
}

function restoreGroup(columns: StreamColumns, capture: GroupCapture, from: CapturedCells): void {
  const group = columns.groups.get(capture.group)!;
  const { timeUs, stepUs, reports } = capture;
  group.timeUs = checkTime(timeUs, `group ${group.group}`);
  if (!(Number.isInteger(stepUs) && Math.abs(stepUs) < maxTimeUs))
    throw new InvalidDataError(`group ${group.group} has a step of ${stepUs} microseconds`);
  group.stepUs = stepUs;
  if (!(Number.isSafeInteger(reports) && reports >= 0))
    throw new InvalidDataError(`group ${group.group} has had ${reports} reports`);
  group.reports = reports;
  const end = capture.firstCell + capture.cells;
  let at = capture.firstCell;
  for (const [i, column] of groupColumns(group).entries()) {
    // The positive counts: they lie as the layouts say, which stand before and behind them.
    if (i === positiveCounts) layOut(columns, capture, group, from, at);
    at = restoreColumn(column, from, at, end, group.group);
  }
  if (at !== end)
    throw new InvalidDataError(
      `the series of group ${group.group} have ${at - capture.firstCell} values, but ${capture.cells} are there`,
    );
  restoreDrifts(group.sums, capture.sumDrifts, group.group);
  restoreDrifts(group.gauges, capture.gaugeDrifts, group.group);
}

/** Index into {@link groupColumns}. */
const positiveCounts = 10;

function restoreColumn(
  column: NumberColumn,
  { values, modes }: CapturedCells,
  at: number,
  end: number,
  group: number,
): number {
  const { size } = column;
  if (size === 0) return at;
  if (size > end - at)
    throw new InvalidDataError(`the series of group ${group} have more values than are there`);
  column.values.set(values.subarray(at, at + size));
  column.modes.set(modes.subarray(at, at + size));
  for (let cell = 0; cell < size; cell++)
    if (!isMode(column.modes[cell]))
      throw new InvalidDataError(
        `a value of group ${group} has the mode ${column.modes[cell]}, which is none`,
      );
  return at + size;
}

/** Gives exponential histograms their buckets. `at` is where the positive ones begin. */
function layOut(
  columns: StreamColumns,
  capture: GroupCapture,
  group: GroupColumns,
  from: CapturedCells,
  at: number,
): void {
  const histograms = group.exponentialHistograms;
  if (histograms.count === 0) return;
  const { positive, negative } = histograms;
  const end = capture.firstCell + capture.cells;
  const positives = bucketsOf(positive.layout);
  if (!(positives >= 0 && at + positives <= end)) throw wrongBuckets(group, positives);
  restoreColumn(negative.layout, from, at + positives, end, group.group);
  const buckets = positives + bucketsOf(negative.layout);
  // All other cells have been made.
  if (group.cells + buckets !== capture.cells) throw wrongBuckets(group, buckets);
  columns.cells += histograms.layOut(buckets);
}

function bucketsOf({ values, size }: NumberColumn): number {
  let buckets = 0;
  for (let i = 1; i < size; i += 2) buckets += values[i];
  return buckets;
}

function wrongBuckets({ group }: GroupColumns, buckets: number): InvalidDataError {
  return new InvalidDataError(
    `the exponential histograms of group ${group} have ${buckets} buckets, which is not what is there`,
  );
}

function restoreDrifts(column: NumberColumn, capture: DriftsCapture | undefined, group: number): void {
  if (capture === undefined) return;
  const { cells, steps } = capture;
  const drifts = column.drifts as Drifts;
  if (cells.length > maxDrifts)
    throw new InvalidDataError(`${cells.length} values of a column drift; at most ${maxDrifts} may`);
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    if (!(cell < column.size && (i === 0 || cell > cells[i - 1])) || column.modes[cell] === xorMode)
      throw new InvalidDataError(`value ${cell} of a column of group ${group} cannot drift`);
    if (!Number.isInteger(steps[i]) || steps[i] === 0)
      throw new InvalidDataError(`value ${cell} of a column of group ${group} drifts by ${steps[i]} steps`);
    drifts.set(cell, steps[i]);
  }
}

function checkTime(timeUs: number, what: string): number {
  if (!(Number.isInteger(timeUs) && timeUs >= 0 && timeUs < maxTimeUs))
    throw new InvalidDataError(
      `the time of ${what} is ${timeUs} microseconds since 1970; 0 to 2^52 - 1 are allowed`,
    );
  return timeUs;
}
