import { InvalidDataError } from '../../../proto/error.ts';
import {
  type DecodedPoints,
  exponentialNumbers,
  miscountedFlag,
  noRecordedValueFlag,
} from './decoded-points.ts';
import type { KeyBytes } from './key-bytes.ts';
import { bytesType, fixed64Type, varintType, type WireCursor } from './wire-cursor.ts';

export const exponentialAttributesField = 1;
const scaleField = 6;
const positiveField = 8;
const negativeField = 9;
const flagsField = 10;
const exemplarField = 11;
/** Fields of 64 bits: times, counts and doubles. */
const fixedFields: ReadonlySet<number> = new Set([2, 3, 4, 5, 7, 12, 13, 14]);
/** Bytes of fields that are read last, where positive and negative buckets lie. */
interface Side {
  start: number;
  end: number;
}

/** Reads an ExponentialHistogramDataPoint into a row. Gives how many exemplars it has. */
export function decodeExponentialPoint(
  cursor: WireCursor,
  end: number,
  points: DecodedPoints,
  row: number,
  key: KeyBytes,
): number {
  const begin = cursor.at;
  let exemplars = 0;
  let flags = 0;
  let count = 0;
  let hasSum = false;
  let keyStart = -1;
  let keyEnd = -1;
  let keyBytes = 0;
  let positive: Side | undefined;
  let negative: Side | undefined;
  const at = points.addNumbers(exponentialNumbers.buckets);
  points.numbers.fill(0, at, at + exponentialNumbers.buckets);
  points.numbers[at + exponentialNumbers.min] = Number.NaN;
  points.numbers[at + exponentialNumbers.max] = Number.NaN;
  points.startUs[row] = 0;
  points.timeUs[row] = 0;
  const { numbers } = points;
  while (cursor.at < end) {
    const fieldStart = cursor.at;
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (fixedFields.has(field)) {
      cursor.expect(tag, fixed64Type);
      if (field === 2) points.startUs[row] = cursor.nanosAsUs(end);
      else if (field === 3) points.timeUs[row] = cursor.nanosAsUs(end);
      else if (field === 4) count = cursor.fixed64(end);
      else if (field === 7) numbers[at + exponentialNumbers.zeroCount] = cursor.fixed64(end);
      else {
        const value = cursor.double(end);
        if (field === 5) {
          numbers[at + exponentialNumbers.sum] = value;
          hasSum = true;
        } else if (field === 12) numbers[at + exponentialNumbers.min] = value;
        else if (field === 13) numbers[at + exponentialNumbers.max] = value;
        else numbers[at + exponentialNumbers.zeroThreshold] = value;
      }
    } else if (field === scaleField) {
      cursor.expect(tag, varintType);
      numbers[at + exponentialNumbers.scale] = cursor.sint32(end);
    } else if (field === flagsField) {
      cursor.expect(tag, varintType);
      flags = cursor.varint32(end) & noRecordedValueFlag;
    } else if (field === positiveField || field === negativeField) {
      cursor.expect(tag, bytesType);
      if ((field === positiveField ? positive : negative) !== undefined)
        throw new InvalidDataError(`byte ${fieldStart}: field ${field} comes twice`);
      const stop = cursor.length(end);
      const side = { start: cursor.at, end: stop };
      if (field === positiveField) positive = side;
      else negative = side;
      cursor.at = stop;
    } else {
      if (field === exponentialAttributesField || field === exemplarField) cursor.expect(tag, bytesType);
      if (field === exemplarField) exemplars++;
      cursor.skip(tag, end);
      if (field === exponentialAttributesField) {
        if (keyStart < 0) keyStart = fieldStart;
        keyBytes += cursor.at - fieldStart;
        keyEnd = cursor.at;
      }
    }
  }
  const isMiscounted = readBuckets(cursor, points, at, count, positive, negative);
  if (isMiscounted) flags |= miscountedFlag;
  points.flags[row] = flags;
  points.variants[row] = hasSum ? 1 : 0;
  points.values[row] = count;
  points.at[row] = at;
  cursor.at = end;
  if (keyStart < 0) key.within(cursor, begin, begin);
  else if (keyEnd - keyStart === keyBytes) key.within(cursor, keyStart, keyEnd);
  else key.gather(cursor, begin, end, (field) => field === exponentialAttributesField);
  return exemplars;
}

/** Positive buckets, then negative ones. Gives whether all of them together are not what is counted. */
function readBuckets(
  cursor: WireCursor,
  points: DecodedPoints,
  at: number,
  count: number,
  positive: Side | undefined,
  negative: Side | undefined,
): boolean {
  const [positiveOffset, positiveLength] = readSide(cursor, points, positive);
  const [negativeOffset, negativeLength] = readSide(cursor, points, negative);
  const { numbers } = points;
  numbers[at + exponentialNumbers.positiveOffset] = positiveOffset;
  numbers[at + exponentialNumbers.positiveLength] = positiveLength;
  numbers[at + exponentialNumbers.negativeOffset] = negativeOffset;
  numbers[at + exponentialNumbers.negativeLength] = negativeLength;
  let counted = numbers[at + exponentialNumbers.zeroCount]!;
  for (let i = at + exponentialNumbers.buckets; i < points.numbersSize; i++) counted += numbers[i]!;
  return counted !== count;
}

/** A Buckets message: gives offset and number of buckets, which are appended. */
function readSide(cursor: WireCursor, points: DecodedPoints, side: Side | undefined): [number, number] {
  if (side === undefined) return [0, 0];
  const before = points.numbersSize;
  let offset = 0;
  cursor.at = side.start;
  while (cursor.at < side.end) {
    const tag = cursor.tag(side.end);
    const field = tag >>> 3;
    if (field === 1) {
      cursor.expect(tag, varintType);
      offset = cursor.sint32(side.end);
    } else if (field !== 2) cursor.skip(tag, side.end);
    else if ((tag & 7) === varintType) append(points, cursor.varint(side.end));
    else {
      cursor.expect(tag, bytesType);
      const stop = cursor.length(side.end);
      while (cursor.at < stop) append(points, cursor.varint(stop));
    }
  }
  return [offset, points.numbersSize - before];
}

/** Room is had before the column is read, since it may be another one then. */
function append(points: DecodedPoints, count: number): void {
  const at = points.addNumbers(1);
  points.numbers[at] = count;
}
