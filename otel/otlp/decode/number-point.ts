import { type DecodedPoints, noRecordedValueFlag, valueMissingFlag } from './decoded-points.ts';
import type { KeyBytes } from './key-bytes.ts';
import { bytesType, fixed64Type, usOfNanos, varintType, type WireCursor } from './wire-cursor.ts';

const attributesField = 7;
const attributesTag = (attributesField << 3) | bytesType;
const startTag = (2 << 3) | fixed64Type;
const timeTag = (3 << 3) | fixed64Type;
const doubleTag = (4 << 3) | fixed64Type;
const exemplarField = 5;
const intTag = (6 << 3) | fixed64Type;
const flagsTag = (8 << 3) | varintType;

export const numberAttributesField = attributesField;

/**
 * Reads a NumberDataPoint of sums and gauges into a row. Gives how many exemplars it has.
 *
 * Hot path: fields as encoders write them cost a case and a load each; all else takes the cursor's way.
 */
export function decodeNumberPoint(
  cursor: WireCursor,
  end: number,
  points: DecodedPoints,
  row: number,
  key: KeyBytes,
): number {
  const { bytes, view, at: begin } = cursor;
  let at = begin;
  let keyStart = -1;
  let keyEnd = -1;
  let keyBytes = 0;
  let startUs = 0;
  let timeUs = 0;
  let value = 0;
  let variant = 0;
  let flags = valueMissingFlag;
  let exemplars = 0;
  while (at < end) {
    const tag = bytes[at]!;
    if (tag === attributesTag && at + 1 < end && bytes[at + 1]! < 0x80) {
      const next = at + 2 + bytes[at + 1]!;
      if (next <= end) {
        if (keyStart < 0) keyStart = at;
        keyBytes += next - at;
        at = next;
        keyEnd = at;
        continue;
      }
    } else if ((tag & 7) === fixed64Type && at + 9 <= end) {
      if (tag === timeTag) {
        timeUs = usOfNanos(view.getUint32(at + 5, true), view.getUint32(at + 1, true));
        at += 9;
        continue;
      }
      if (tag === startTag) {
        startUs = usOfNanos(view.getUint32(at + 5, true), view.getUint32(at + 1, true));
        at += 9;
        continue;
      }
      if (tag === intTag) {
        value = view.getInt32(at + 5, true) * 2 ** 32 + view.getUint32(at + 1, true);
        variant = 0;
        flags &= ~valueMissingFlag;
        at += 9;
        continue;
      }
      if (tag === doubleTag) {
        value = view.getFloat64(at + 1, true);
        variant = 1;
        flags &= ~valueMissingFlag;
        at += 9;
        continue;
      }
    }
    cursor.at = at;
    const slowTag = cursor.tag(end);
    const field = slowTag >>> 3;
    if (slowTag === flagsTag) {
      flags = (flags & valueMissingFlag) | (cursor.varint32(end) & noRecordedValueFlag);
    } else if (field === attributesField) {
      cursor.expect(slowTag, bytesType);
      cursor.at = cursor.length(end);
      if (keyStart < 0) keyStart = at;
      keyBytes += cursor.at - at;
      keyEnd = cursor.at;
    } else {
      if (field === exemplarField) {
        cursor.expect(slowTag, bytesType);
        exemplars++;
      } else if (field === 2 || field === 3 || field === 4 || field === 6)
        cursor.expect(slowTag, fixed64Type);
      else if (field === 8) cursor.expect(slowTag, varintType);
      cursor.skip(slowTag, end);
    }
    at = cursor.at;
  }
  cursor.at = at;
  points.startUs[row] = startUs;
  points.timeUs[row] = timeUs;
  points.values[row] = value;
  points.variants[row] = variant;
  points.flags[row] = flags;
  if (keyStart < 0) key.within(cursor, begin, begin);
  else if (keyEnd - keyStart === keyBytes) key.within(cursor, keyStart, keyEnd);
  else key.gather(cursor, begin, end, (field) => field === attributesField);
  return exemplars;
}
