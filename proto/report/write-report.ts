import { ByteWriter } from '../columns/byte-writer.ts';
import { encodeNumbers } from '../columns/encode-numbers.ts';
import { encodeGaps } from '../columns/gaps.ts';
import type { NumberColumn } from '../columns/number-column.ts';
import { StreamgaugeError } from '../error.ts';
import { type ExponentialColumns, noRoom } from './exponential-columns.ts';
import { layoutFault } from './exponential-limits.ts';
import type { GroupColumns } from './group-columns.ts';
import type { StreamColumns } from './stream-columns.ts';

/** The state of one sampling group. Each array holds at least as many values as its column has cells, in the order of the cells; absent: as unchanged. */
export interface GroupState {
  readonly group: number;
  /** When the group was sampled: microseconds since the Unix epoch, whole, below 2^52. */
  readonly timeUs: number;
  readonly sums?: Float64Array | undefined;
  readonly gauges?: Float64Array | undefined;
  readonly histogramBucketCounts?: Float64Array | undefined;
  readonly histogramSums?: Float64Array | undefined;
  readonly histogramMins?: Float64Array | undefined;
  readonly histogramMaxes?: Float64Array | undefined;
  /** Whole numbers from -10 to 20. */
  readonly exponentialScales?: Float64Array | undefined;
  readonly exponentialZeroThresholds?: Float64Array | undefined;
  readonly exponentialZeroCounts?: Float64Array | undefined;
  /** For each histogram the index of its first bucket and the number of its buckets. */
  readonly exponentialPositiveLayout?: Float64Array | undefined;
  /** The counts in the order of the histograms, each with as many as this report's layout says; absent: as rebased. */
  readonly exponentialPositiveCounts?: Float64Array | undefined;
  readonly exponentialNegativeLayout?: Float64Array | undefined;
  readonly exponentialNegativeCounts?: Float64Array | undefined;
  readonly exponentialSums?: Float64Array | undefined;
  readonly exponentialMins?: Float64Array | undefined;
  readonly exponentialMaxes?: Float64Array | undefined;
  readonly summaryCounts?: Float64Array | undefined;
  readonly summarySums?: Float64Array | undefined;
  readonly summaryQuantileValues?: Float64Array | undefined;
  /** The places without a recorded value, ascending; see GroupColumns. */
  readonly noRecordedValue?: ArrayLike<number> | undefined;
}

/** Times are below this, the year 2112, so that second differences are exact. */
export const maxTimeUs = 2 ** 52;

const groupWriter = new ByteWriter(4096);
const columnWriter = new ByteWriter(4096);
const reportWriter = new ByteWriter(4096);

/**
 * The bytes of a whole AgentMessage that holds a report, the caller's own, and advances the columns. The report's number is `number`,
 * else one more than the last one on the stream; the first report of a stream needs it.
 * @throws StreamgaugeError `bug` when a group is unknown or twice there, values or the number are missing, a time, scale or layout
 * is out of range or a number does not ascend, `overloaded` when buckets are more than the columns may hold; nothing has changed then
 */
export function encodeReport(
  columns: StreamColumns,
  groups: readonly GroupState[],
  number?: number,
): Uint8Array {
  const report = nextNumber(columns, number);
  check(columns, groups);
  reportWriter.reset();
  for (const state of groups) {
    writeGroup(columns, columns.groups.get(state.group)!, state);
    reportWriter.byte(0x0a);
    reportWriter.varint(groupWriter.length);
    reportWriter.append(groupWriter.bytes, 0, groupWriter.length);
  }
  if (columns.lastReport === 0 || report !== columns.lastReport + 1 || groups.length === 0) {
    reportWriter.byte(0x38);
    reportWriter.varint(report);
  }
  columns.lastReport = report;
  return reportWriter.copy();
}

function nextNumber(columns: StreamColumns, number: number | undefined): number {
  if (number === undefined) {
    if (columns.lastReport === 0) throw bug('the first report of a stream needs its number');
    return columns.lastReport + 1;
  }
  if (!Number.isSafeInteger(number) || number <= columns.lastReport)
    throw bug(`report number ${number} must be a whole number above ${columns.lastReport}`);
  return number;
}

function check(columns: StreamColumns, groups: readonly GroupState[]): void {
  let growth = 0;
  for (let i = 0; i < groups.length; i++) {
    const state = groups[i];
    const group = columns.groups.get(state.group);
    if (group === undefined) throw bug(`group ${state.group} has no series`);
    for (let j = 0; j < i; j++)
      if (groups[j].group === state.group) throw bug(`group ${state.group} is twice in one report`);
    if (!(Number.isInteger(state.timeUs) && state.timeUs >= 0 && state.timeUs < maxTimeUs))
      throw bug(`the time of group ${state.group} is ${state.timeUs}, not whole microseconds from 0 to 2^52`);
    const { sums, gauges, histograms, exponentialHistograms, summaries } = group;
    checkSize(state, 'sums', sums.size);
    checkSize(state, 'gauges', gauges.size);
    checkSize(state, 'histogramBucketCounts', histograms.bucketCounts.size);
    checkSize(state, 'histogramSums', histograms.sums.size);
    checkSize(state, 'histogramMins', histograms.mins.size);
    checkSize(state, 'histogramMaxes', histograms.maxes.size);
    if (exponentialHistograms.count > 0) growth += checkExponential(state, exponentialHistograms);
    checkSize(state, 'summaryCounts', summaries.counts.size);
    checkSize(state, 'summarySums', summaries.sums.size);
    checkSize(state, 'summaryQuantileValues', summaries.quantileValues.size);
    checkPlaces(state, group.places);
  }
  const room = columns.maxCells - columns.cells;
  if (growth > room) throw noRoom(growth, room);
}

/** Gives by how many cells the buckets grow. */
function checkExponential(state: GroupState, columns: ExponentialColumns): number {
  const { count, positive, negative } = columns;
  checkSize(state, 'exponentialScales', count);
  checkSize(state, 'exponentialZeroThresholds', count);
  checkSize(state, 'exponentialZeroCounts', count);
  checkSize(state, 'exponentialPositiveLayout', 2 * count);
  checkSize(state, 'exponentialNegativeLayout', 2 * count);
  checkSize(state, 'exponentialSums', columns.sums.size);
  checkSize(state, 'exponentialMins', columns.mins.size);
  checkSize(state, 'exponentialMaxes', columns.maxes.size);
  const scales = state.exponentialScales ?? columns.scales.values;
  const ups = checkLayout(state, scales, count, state.exponentialPositiveLayout ?? positive.layout.values);
  checkSize(state, 'exponentialPositiveCounts', ups);
  const downs = checkLayout(state, scales, count, state.exponentialNegativeLayout ?? negative.layout.values);
  checkSize(state, 'exponentialNegativeCounts', downs);
  return ups + downs - positive.counts.size - negative.counts.size;
}

/** Gives how many buckets there are. */
function checkLayout(state: GroupState, scales: Float64Array, count: number, layout: Float64Array): number {
  let buckets = 0;
  for (let h = 0; h < count; h++) {
    const fault = layoutFault(scales[h], layout[2 * h], layout[2 * h + 1]);
    if (fault !== undefined) throw bug(`exponential histogram ${h} of group ${state.group} ${fault}`);
    buckets += layout[2 * h + 1];
  }
  return buckets;
}

type Values = Exclude<keyof GroupState, 'group' | 'timeUs' | 'noRecordedValue'>;

function checkSize(state: GroupState, name: Values, size: number): void {
  const values = state[name];
  if (values !== undefined && values.length < size)
    throw bug(`group ${state.group} has ${values.length} ${name} for a column of ${size}`);
}

function checkPlaces(state: GroupState, places: number): void {
  const { noRecordedValue = [] } = state;
  let next = 0;
  for (let i = 0; i < noRecordedValue.length; i++) {
    const place = noRecordedValue[i];
    if (!(Number.isInteger(place) && place >= next && place < places))
      throw bug(
        `place ${place} of group ${state.group} must be a whole number from ${next} to ${places - 1}`,
      );
    next = place + 1;
  }
}

function writeGroup(columns: StreamColumns, group: GroupColumns, state: GroupState): void {
  groupWriter.reset();
  if (group.group !== 0) {
    groupWriter.byte(0x08);
    groupWriter.varint(group.group);
  }
  const before = group.reports === 0 ? columns.lastTimeUs : group.timeUs;
  const difference = state.timeUs - before - group.stepUs;
  if (difference !== 0) {
    groupWriter.byte(0x10);
    groupWriter.sint64(difference);
  }
  if (group.reports > 0) group.stepUs = state.timeUs - group.timeUs;
  group.timeUs = state.timeUs;
  group.reports++;
  columns.lastTimeUs = state.timeUs;
  const { histograms, exponentialHistograms, summaries } = group;
  writeColumn(3, group.sums, state.sums);
  writeColumn(4, group.gauges, state.gauges);
  writeColumn(5, histograms.bucketCounts, state.histogramBucketCounts);
  writeColumn(6, histograms.sums, state.histogramSums);
  writeColumn(7, histograms.mins, state.histogramMins);
  writeColumn(8, histograms.maxes, state.histogramMaxes);
  if (exponentialHistograms.count > 0) writeExponential(columns, exponentialHistograms, state);
  writeColumn(19, summaries.counts, state.summaryCounts);
  writeColumn(20, summaries.sums, state.summarySums);
  writeColumn(21, summaries.quantileValues, state.summaryQuantileValues);
  if (state.noRecordedValue !== undefined) {
    columnWriter.reset();
    encodeGaps(state.noRecordedValue, columnWriter);
    writeBytes(22);
  }
}

function writeExponential(columns: StreamColumns, histograms: ExponentialColumns, state: GroupState): void {
  const { positive, negative } = histograms;
  writeColumn(9, histograms.scales, state.exponentialScales);
  writeColumn(10, histograms.zeroThresholds, state.exponentialZeroThresholds);
  writeColumn(11, histograms.zeroCounts, state.exponentialZeroCounts);
  writeColumn(12, positive.layout, state.exponentialPositiveLayout);
  writeColumn(14, negative.layout, state.exponentialNegativeLayout);
  columns.cells += histograms.layOut(columns.maxCells - columns.cells);
  writeColumn(13, positive.counts, state.exponentialPositiveCounts);
  writeColumn(15, negative.counts, state.exponentialNegativeCounts);
  writeColumn(16, histograms.sums, state.exponentialSums);
  writeColumn(17, histograms.mins, state.exponentialMins);
  writeColumn(18, histograms.maxes, state.exponentialMaxes);
}

function writeColumn(field: number, column: NumberColumn, values: Float64Array | undefined): void {
  if (column.size === 0) return;
  if (values === undefined) {
    // Cells that drift would move.
    if (column.drifts === undefined || column.drifts.count === 0) return;
    values = column.values.slice(0, column.size);
  }
  columnWriter.reset();
  encodeNumbers(column, values, columnWriter);
  writeBytes(field);
}

/** The column writer's bytes as a field of the group. */
function writeBytes(field: number): void {
  if (columnWriter.length === 0) return;
  groupWriter.varint((field << 3) | 2);
  groupWriter.varint(columnWriter.length);
  groupWriter.append(columnWriter.bytes, 0, columnWriter.length);
}

function bug(message: string): StreamgaugeError {
  return new StreamgaugeError('bug', `encodeReport: ${message}`);
}
