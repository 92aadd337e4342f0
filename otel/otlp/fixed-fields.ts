import type { MetricDescription } from '../model/metric.ts';
import type { PointBatch } from '../state/point-batch.ts';
import type { WireWriter } from './wire-writer.ts';

const word = 2 ** 32;

/** Bytes of a field of this file: a tag of one byte and eight of value. */
export const fixedFieldBytes = 9;

/** A `fixed64` in halves. Here and below, the writer has room for it. */
export function writeHalves(writer: WireWriter, tag: number, low: number, high: number): void {
  writer.buffer[writer.position] = tag;
  writer.view.setUint32(writer.position + 1, low, true);
  writer.view.setUint32(writer.position + 5, high, true);
  writer.position += fixedFieldBytes;
}

/** A whole number from 0 to 2^53 as a `fixed64`. */
export function writeCount(writer: WireWriter, tag: number, count: number): void {
  const high = Math.floor(count / word);
  writeHalves(writer, tag, count - high * word, high);
}

export function writeDouble(writer: WireWriter, tag: number, value: number): void {
  writer.buffer[writer.position] = tag;
  writer.view.setFloat64(writer.position + 1, value, true);
  writer.position += fixedFieldBytes;
}

/** Whether a point has its minimum or maximum: a delta point of a cumulative histogram has none, which is NaN in the columns. */
export function hasNumber(inMetric: boolean, value: number): boolean {
  return inMetric && !Number.isNaN(value);
}

/** Bytes of `min` and `max` of a histogram's point. */
export function extremeBytes(batch: PointBatch, metric: MetricDescription, i: number): number {
  const min = hasNumber(metric.hasMin, batch.mins[i]!) ? fixedFieldBytes : 0;
  return hasNumber(metric.hasMax, batch.maxes[i]!) ? min + fixedFieldBytes : min;
}
