import { explicitBoundsField } from './histogram-point.ts';
import { quantileValuesField } from './summary-point.ts';
import { bytesType, fixed64Type, type WireCursor } from './wire-cursor.ts';

/** `explicit_bounds` of a HistogramDataPoint that has been walked before. */
export function readBounds(cursor: WireCursor, start: number, end: number): number[] {
  const bounds: number[] = [];
  cursor.at = start;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 !== explicitBoundsField) cursor.skip(tag, end);
    else if ((tag & 7) === fixed64Type) bounds.push(cursor.double(end));
    else {
      const stop = cursor.length(end);
      while (cursor.at < stop) bounds.push(cursor.double(stop));
    }
  }
  return bounds;
}

/** The quantiles of a SummaryDataPoint that has been walked before. */
export function readQuantiles(cursor: WireCursor, start: number, end: number): number[] {
  const quantiles: number[] = [];
  cursor.at = start;
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 !== quantileValuesField) {
      cursor.skip(tag, end);
      continue;
    }
    cursor.expect(tag, bytesType);
    const stop = cursor.length(end);
    let quantile = 0;
    while (cursor.at < stop) {
      const inner = cursor.tag(stop);
      if (inner >>> 3 === 1) quantile = cursor.double(stop);
      else cursor.skip(inner, stop);
    }
    quantiles.push(quantile);
  }
  return quantiles;
}
