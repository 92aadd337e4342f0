import { decodeNumbers } from '../columns/decode-numbers.ts';
import { bytesType, FieldReader, varintType } from '../columns/field-reader.ts';
import { decodeGaps } from '../columns/gaps.ts';
import { readSint64 } from '../columns/varint.ts';
import { CapabilityError, InvalidDataError } from '../error.ts';
import type { DecodedReport } from './decoded-report.ts';
import type { ExponentialColumns } from './exponential-columns.ts';
import type { GroupColumns } from './group-columns.ts';
import type { StreamColumns } from './stream-columns.ts';
import { maxTimeUs } from './write-report.ts';

const groupsField = 1;
const numberField = 7;
const historyField = 8;
/** The fields of all other messages are below the report's number. */
const lastOtherField = 6;
const firstColumn = 3;
const firstExponential = 9;
const lastExponential = 18;
const firstSummary = 19;
const lastSummary = 21;
const noRecordedValueField = 22;
const exemplarsField = 23;

const messageFields = new FieldReader();
const groupFields = new FieldReader();
/** Where the column of each field of a group starts and ends; both 0 where it is absent. Of a repeated field the last one holds. */
const starts = new Uint32Array(lastSummary + 2);
const ends = new Uint32Array(lastSummary + 2);

/** Whether the bytes of an AgentMessage begin as a report, which is not for decodeAgentMessage. */
export function isReport(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  const tag = bytes[0];
  return (
    tag === ((groupsField << 3) | bytesType) ||
    tag === ((numberField << 3) | varintType) ||
    tag === ((historyField << 3) | varintType)
  );
}

/**
 * Decodes the bytes of a whole AgentMessage that holds a report, and advances the columns. The result is `columns.decoded`, valid until
 * the next call. Allocates nothing once the stream's groups have been seen and the buckets of exponential histograms stand still. The base advances for all values, whatever their
 * receiver thinks of them.
 * @throws InvalidDataError for bytes or content that break the protocol, StreamgaugeError `overloaded` for more buckets than the
 * columns may hold. They may then be advanced in part: nothing of the report may be used, and the stream must end.
 */
export function decodeReport(bytes: Uint8Array, columns: StreamColumns): DecodedReport {
  const { decoded } = columns;
  decoded.groupCount = 0;
  columns.decodes++;
  let number = columns.lastReport === 0 ? 0 : columns.lastReport + 1;
  let found = false;
  messageFields.reset(bytes, 0, bytes.length);
  while (messageFields.next()) {
    const { field } = messageFields;
    if (field === groupsField) {
      messageFields.expect(bytesType);
      decodeGroup(bytes, messageFields.start, messageFields.end, columns);
    } else if (field === numberField) {
      number = messageFields.varint();
    } else if (field === historyField) {
      if (messageFields.varint() !== 0)
        throw new CapabilityError('a history report came, but the capability "history" is not offered');
    } else if (field <= lastOtherField) {
      throw new InvalidDataError(`a message holds a report and field ${field}`);
    } else {
      continue;
    }
    found = true;
  }
  if (!found) throw new InvalidDataError('the message holds no report');
  if (number === 0 && columns.lastReport !== 0) number = columns.lastReport + 1;
  if (number === 0) throw new InvalidDataError('the first report of the stream has no number');
  if (number <= columns.lastReport)
    throw new InvalidDataError(`report number ${number} is not above ${columns.lastReport}, the last one`);
  columns.lastReport = number;
  decoded.number = number;
  return decoded;
}

function decodeGroup(bytes: Uint8Array, start: number, end: number, columns: StreamColumns): void {
  let number = 0;
  let timeStart = 0;
  let timeEnd = 0;
  let exemplars = 0;
  starts.fill(0);
  ends.fill(0);
  groupFields.reset(bytes, start, end);
  while (groupFields.next()) {
    const { field } = groupFields;
    if (field >= firstColumn && field <= noRecordedValueField) {
      groupFields.expect(bytesType);
      starts[field] = groupFields.start;
      ends[field] = groupFields.end;
    } else if (field === 1) {
      number = groupFields.varint();
    } else if (field === 2) {
      groupFields.expect(varintType);
      timeStart = groupFields.start;
      timeEnd = groupFields.end;
    } else if (field === exemplarsField) {
      groupFields.expect(bytesType);
      exemplars++;
    }
  }
  const group = columns.groups.get(number);
  if (group === undefined)
    throw new InvalidDataError(`group ${number} is reported, but no series was defined in it`);
  if (group.seenIn === columns.decodes) throw new InvalidDataError(`group ${number} is twice in one report`);
  group.seenIn = columns.decodes;
  group.exemplarCount = exemplars;
  advanceTime(group, timeEnd === 0 ? 0 : readSint64(bytes, timeStart, timeEnd), columns);
  decodeColumns(bytes, group, columns);
  const { decoded } = columns;
  decoded.groups[decoded.groupCount++] = group;
}

function decodeColumns(bytes: Uint8Array, group: GroupColumns, columns: StreamColumns): void {
  const { histograms, exponentialHistograms, summaries } = group;
  decodeNumbers(bytes, starts[3], ends[3], group.sums);
  decodeNumbers(bytes, starts[4], ends[4], group.gauges);
  if (histograms.count > 0 || hasBytes(5, 8)) {
    decodeNumbers(bytes, starts[5], ends[5], histograms.bucketCounts);
    decodeNumbers(bytes, starts[6], ends[6], histograms.sums);
    decodeNumbers(bytes, starts[7], ends[7], histograms.mins);
    decodeNumbers(bytes, starts[8], ends[8], histograms.maxes);
  }
  if (exponentialHistograms.count > 0 || hasBytes(firstExponential, lastExponential))
    decodeExponential(bytes, exponentialHistograms, columns);
  if (summaries.count > 0 || hasBytes(firstSummary, lastSummary)) {
    decodeNumbers(bytes, starts[19], ends[19], summaries.counts);
    decodeNumbers(bytes, starts[20], ends[20], summaries.sums);
    decodeNumbers(bytes, starts[21], ends[21], summaries.quantileValues);
    summaries.noteChanged();
  }
  group.noRecordedValueCount = 0;
  const start = starts[noRecordedValueField];
  const end = ends[noRecordedValueField];
  if (start === end) return;
  group.reserveNoRecordedValue();
  group.noRecordedValueCount = decodeGaps(bytes, start, end, group.places, group.noRecordedValue);
}

/** Scales and layouts first: they say where the counts lie, and what their differences are taken from. */
function decodeExponential(bytes: Uint8Array, histograms: ExponentialColumns, columns: StreamColumns): void {
  const { positive, negative } = histograms;
  decodeNumbers(bytes, starts[9], ends[9], histograms.scales);
  decodeNumbers(bytes, starts[10], ends[10], histograms.zeroThresholds);
  decodeNumbers(bytes, starts[11], ends[11], histograms.zeroCounts);
  decodeNumbers(bytes, starts[12], ends[12], positive.layout);
  decodeNumbers(bytes, starts[14], ends[14], negative.layout);
  if (histograms.isToLayOut) columns.cells += histograms.layOut(columns.maxCells - columns.cells);
  decodeNumbers(bytes, starts[13], ends[13], positive.counts);
  decodeNumbers(bytes, starts[15], ends[15], negative.counts);
  decodeNumbers(bytes, starts[16], ends[16], histograms.sums);
  decodeNumbers(bytes, starts[17], ends[17], histograms.mins);
  decodeNumbers(bytes, starts[18], ends[18], histograms.maxes);
  histograms.noteChanged();
}

function hasBytes(first: number, last: number): boolean {
  for (let field = first; field <= last; field++) if (starts[field] !== ends[field]) return true;
  return false;
}

/** `timeUs` is the second difference: see GroupReport.time_us in the .proto. */
function advanceTime(group: GroupColumns, secondDifference: number, columns: StreamColumns): void {
  const before = group.reports === 0 ? columns.lastTimeUs : group.timeUs;
  const timeUs = before + group.stepUs + secondDifference;
  if (!(timeUs >= 0 && timeUs < maxTimeUs))
    throw new InvalidDataError(
      `the time of group ${group.group} is ${timeUs} microseconds since 1970; 0 to 2^52 - 1 are allowed`,
    );
  if (group.reports > 0) group.stepUs = timeUs - group.timeUs;
  group.timeUs = timeUs;
  group.reports++;
  columns.lastTimeUs = timeUs;
}
