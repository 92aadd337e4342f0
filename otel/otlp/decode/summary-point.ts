import { type DecodedPoints, noRecordedValueFlag, summaryNumbers } from './decoded-points.ts';
import type { KeyBytes } from './key-bytes.ts';
import { bytesType, fixed64Type, varintType, type WireCursor } from './wire-cursor.ts';

export const summaryAttributesField = 7;
export const quantileValuesField = 6;
const quantileTag = (1 << 3) | fixed64Type;
const flagsField = 8;

/** Reads a SummaryDataPoint into a row: its key is attributes and quantiles. It has no exemplars. */
export function decodeSummaryPoint(
  cursor: WireCursor,
  end: number,
  points: DecodedPoints,
  row: number,
  key: KeyBytes,
): number {
  const at = points.addNumbers(summaryNumbers.values);
  points.numbers[at + summaryNumbers.sum] = 0;
  points.numbers[at + summaryNumbers.count] = 0;
  points.startUs[row] = 0;
  points.timeUs[row] = 0;
  points.flags[row] = 0;
  key.begin();
  while (cursor.at < end) {
    const fieldStart = cursor.at;
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field >= 2 && field <= 5) {
      cursor.expect(tag, fixed64Type);
      if (field === 2) points.startUs[row] = cursor.nanosAsUs(end);
      else if (field === 3) points.timeUs[row] = cursor.nanosAsUs(end);
      else if (field === 4) points.numbers[at + summaryNumbers.count] = cursor.fixed64(end);
      else points.numbers[at + summaryNumbers.sum] = cursor.double(end);
    } else if (field === quantileValuesField) {
      cursor.expect(tag, bytesType);
      const stop = cursor.length(end);
      const place = points.addNumbers(1);
      points.numbers[place] = quantileValue(cursor, stop, key);
    } else if (field === flagsField) {
      cursor.expect(tag, varintType);
      points.flags[row] = cursor.varint32(end) & noRecordedValueFlag;
    } else {
      if (field === summaryAttributesField) cursor.expect(tag, bytesType);
      cursor.skip(tag, end);
      if (field === summaryAttributesField) key.append(cursor, fieldStart, cursor.at);
    }
  }
  points.variants[row] = 0;
  points.values[row] = points.numbers[at + summaryNumbers.count]!;
  points.at[row] = at;
  points.widths[row] = points.numbersSize - at - summaryNumbers.values;
  return 0;
}

/** Gives the value; the quantile goes into the key, after the tag that it has in any case, so that one of 0 is seen. */
function quantileValue(cursor: WireCursor, end: number, key: KeyBytes): number {
  let value = 0;
  let quantileAt = -1;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 1 || field === 2) cursor.expect(tag, fixed64Type);
    if (tag === quantileTag) {
      quantileAt = cursor.at;
      cursor.skip(tag, end);
    } else if (field === 2) value = cursor.double(end);
    else cursor.skip(tag, end);
  }
  key.mark(quantileTag);
  if (quantileAt >= 0) key.append(cursor, quantileAt, quantileAt + 8);
  else for (let i = 0; i < 8; i++) key.mark(0);
  return value;
}
