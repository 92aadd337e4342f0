import { ByteWriter } from '../columns/byte-writer.ts';
import { encodeNumbers } from '../columns/encode-numbers.ts';
import { encodeGaps } from '../columns/gaps.ts';
import type { NumberColumn } from '../columns/number-column.ts';
import { varintSize } from '../columns/varint.ts';
import { StreamgaugeError } from '../error.ts';
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
 * @throws StreamgaugeError `bug` when a group is unknown or twice there, values or the number are missing, a time is out of
 * range or a number does not ascend; nothing has changed then
 */
export function encodeReport(
  columns: StreamColumns,
  groups: readonly GroupState[],
  number?: number,
): Uint8Array {
  const report = nextNumber(columns, number);
  check(columns, groups);
  reportWriter.reset();
  if (columns.lastReport === 0 || report !== columns.lastReport + 1) {
    reportWriter.byte(0x08);
    reportWriter.varint(report);
  }
  for (const state of groups) {
    writeGroup(columns, columns.groups.get(state.group)!, state);
    reportWriter.byte(0x12);
    reportWriter.varint(groupWriter.length);
    reportWriter.append(groupWriter.bytes, 0, groupWriter.length);
  }
  columns.lastReport = report;
  const length = reportWriter.length;
  const prefix = 1 + varintSize(length);
  const message = new Uint8Array(prefix + length);
  message[0] = 0x0a;
  for (let at = 1, rest = length; at < prefix; at++, rest >>>= 7)
    message[at] = at === prefix - 1 ? rest : (rest & 0x7f) | 0x80;
  message.set(reportWriter.bytes.subarray(0, length), prefix);
  return message;
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
  for (let i = 0; i < groups.length; i++) {
    const state = groups[i];
    const group = columns.groups.get(state.group);
    if (group === undefined) throw bug(`group ${state.group} has no series`);
    for (let j = 0; j < i; j++)
      if (groups[j].group === state.group) throw bug(`group ${state.group} is twice in one report`);
    if (!(Number.isInteger(state.timeUs) && state.timeUs >= 0 && state.timeUs < maxTimeUs))
      throw bug(`the time of group ${state.group} is ${state.timeUs}, not whole microseconds from 0 to 2^52`);
    const { sums, gauges, histograms } = group;
    checkSize(state, 'sums', sums);
    checkSize(state, 'gauges', gauges);
    checkSize(state, 'histogramBucketCounts', histograms.bucketCounts);
    checkSize(state, 'histogramSums', histograms.sums);
    checkSize(state, 'histogramMins', histograms.mins);
    checkSize(state, 'histogramMaxes', histograms.maxes);
    checkPlaces(state, group.places);
  }
}

type Values =
  | 'sums'
  | 'gauges'
  | 'histogramBucketCounts'
  | 'histogramSums'
  | 'histogramMins'
  | 'histogramMaxes';

function checkSize(state: GroupState, name: Values, column: NumberColumn): void {
  const values = state[name];
  if (values !== undefined && values.length < column.size)
    throw bug(`group ${state.group} has ${values.length} ${name} for a column of ${column.size}`);
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
  const { histograms } = group;
  writeColumn(3, group.sums, state.sums);
  writeColumn(4, group.gauges, state.gauges);
  writeColumn(5, histograms.bucketCounts, state.histogramBucketCounts);
  writeColumn(6, histograms.sums, state.histogramSums);
  writeColumn(7, histograms.mins, state.histogramMins);
  writeColumn(8, histograms.maxes, state.histogramMaxes);
  if (state.noRecordedValue !== undefined) {
    columnWriter.reset();
    encodeGaps(state.noRecordedValue, columnWriter);
    writeBytes(22);
  }
}

function writeColumn(field: number, column: NumberColumn, values: Float64Array | undefined): void {
  if (values === undefined || column.size === 0) return;
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
