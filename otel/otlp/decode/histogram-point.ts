import { InvalidDataError } from '../../../proto/error.ts';
import {
  type DecodedPoints,
  histogramNumbers,
  miscountedFlag,
  noRecordedValueFlag,
} from './decoded-points.ts';
import type { KeyBytes } from './key-bytes.ts';
import { bytesType, fixed64Type, varintType, type WireCursor } from './wire-cursor.ts';

export const histogramAttributesField = 9;
export const explicitBoundsField = 7;
const bucketCountsField = 6;
const exemplarField = 8;
/** Fields of 64 bits that come once. */
const fixedFields: ReadonlySet<number> = new Set([2, 3, 4, 5, 11, 12]);

const isKey = (field: number): boolean => field === histogramAttributesField || field === explicitBoundsField;

/**
 * Reads a HistogramDataPoint into a row: its key is attributes and bounds, which make a series. One without buckets has one. Gives how many
 * exemplars it has.
 */
export function decodeHistogramPoint(
  cursor: WireCursor,
  end: number,
  points: DecodedPoints,
  row: number,
  key: KeyBytes,
): number {
  const begin = cursor.at;
  let exemplars = 0;
  let startUs = 0;
  let timeUs = 0;
  let flags = 0;
  let count = 0;
  let sum = 0;
  let hasSum = false;
  let min = Number.NaN;
  let max = Number.NaN;
  let keyStart = -1;
  let keyEnd = -1;
  let keyBytes = 0;
  const at = points.addNumbers(histogramNumbers.buckets);
  while (cursor.at < end) {
    const fieldStart = cursor.at;
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (fixedFields.has(field)) {
      cursor.expect(tag, fixed64Type);
      if (field === 2) startUs = cursor.nanosAsUs(end);
      else if (field === 3) timeUs = cursor.nanosAsUs(end);
      else if (field === 4) count = cursor.fixed64(end);
      else {
        const value = cursor.double(end);
        if (field === 5) {
          sum = value;
          hasSum = true;
        } else if (field === 11) min = value;
        else max = value;
      }
      continue;
    }
    if (field === bucketCountsField) bucketCounts(cursor, tag, end, points);
    else if (field === 10) {
      cursor.expect(tag, varintType);
      flags = cursor.varint32(end) & noRecordedValueFlag;
    } else {
      if (field === histogramAttributesField || field === exemplarField) cursor.expect(tag, bytesType);
      else if (field === explicitBoundsField) expectDoubles(cursor, tag, end);
      if (field === exemplarField) exemplars++;
      cursor.skip(tag, end);
      if (isKey(field)) {
        if (keyStart < 0) keyStart = fieldStart;
        keyBytes += cursor.at - fieldStart;
        keyEnd = cursor.at;
      }
    }
  }
  const first = at + histogramNumbers.buckets;
  let width = points.numbersSize - first;
  if (width === 0) {
    append(points, count);
    width = 1;
  } else {
    let counted = 0;
    for (let i = first; i < first + width; i++) counted += points.numbers[i]!;
    if (counted !== count) flags |= miscountedFlag;
  }
  const { numbers } = points;
  numbers[at + histogramNumbers.sum] = sum;
  numbers[at + histogramNumbers.min] = min;
  numbers[at + histogramNumbers.max] = max;
  points.startUs[row] = startUs;
  points.timeUs[row] = timeUs;
  points.flags[row] = flags;
  points.variants[row] = hasSum ? 1 : 0;
  points.values[row] = count;
  points.at[row] = at;
  points.widths[row] = width;
  if (keyStart < 0) key.within(cursor, begin, begin);
  else if (keyEnd - keyStart === keyBytes) key.within(cursor, keyStart, keyEnd);
  else key.gather(cursor, begin, end, isKey);
  return exemplars;
}

/** Appends `repeated fixed64`, packed or not. */
function bucketCounts(cursor: WireCursor, tag: number, end: number, points: DecodedPoints): void {
  if ((tag & 7) === fixed64Type) {
    append(points, cursor.fixed64(end));
    return;
  }
  cursor.expect(tag, bytesType);
  const stop = packed64(cursor, end);
  const first = points.addNumbers((stop - cursor.at) / 8);
  for (let i = first; cursor.at < stop; i++) points.numbers[i] = cursor.fixed64(stop);
}

/** Room is had before the column is read, since it may be another one then. */
function append(points: DecodedPoints, count: number): void {
  const at = points.addNumbers(1);
  points.numbers[at] = count;
}

function expectDoubles(cursor: WireCursor, tag: number, end: number): void {
  if ((tag & 7) === fixed64Type) return;
  cursor.expect(tag, bytesType);
  const { at } = cursor;
  packed64(cursor, end);
  cursor.at = at;
}

/** Where packed numbers of eight bytes end. @throws InvalidDataError when the last one is cut off */
export function packed64(cursor: WireCursor, end: number): number {
  const stop = cursor.length(end);
  if ((stop - cursor.at) % 8 !== 0)
    throw new InvalidDataError(`byte ${cursor.at}: ${stop - cursor.at} bytes are no numbers of 8 bytes each`);
  return stop;
}
