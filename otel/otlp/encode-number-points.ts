import { noRecordedValue, type PointBatch } from '../state/point-batch.ts';
import { numberAttributes } from './encode-attributes.ts';
import { UnixNanos } from './unix-nanos.ts';
import { varintBytes, type WireWriter } from './wire-writer.ts';

const word = 2 ** 32;
const int64End = 2 ** 63;
const start = new UnixNanos();
const time = new UnixNanos();

/**
 * Writes points of a sum or gauge as `repeated NumberDataPoint data_points = 1`, from the point `from` on, until the next one
 * would end beyond `maxBytes` of the writer. Gives the index of the first point that was not written.
 *
 * Hot path: straight from the columns, nothing allocated but each series' attributes at its first export. A point's size is known
 * before it is written, so its length comes first. Ints are sfixed64; a value that is no int64 (a fraction, an infinity) is written
 * as a double, which OTLP allows point by point. Benchmark: test/bench/encode.ts.
 */
export function writeNumberPoints(
  writer: WireWriter,
  batch: PointBatch,
  isInt: boolean,
  from: number,
  maxBytes: number,
): number {
  const { seriesAttributes, startTimeUs, timeUs, values, flags, size } = batch;
  let { buffer, view, position } = writer;
  for (let i = from; i < size; i++) {
    const series = seriesAttributes[i]!;
    const attributes = series.otlpNumber ?? numberAttributes(series);
    const pointFlags = flags[i]!;
    start.set(startTimeUs[i]!);
    time.set(timeUs[i]!);
    const hasStart = start.high !== 0 || start.low !== 0;
    const hasTime = time.high !== 0 || time.low !== 0;
    const hasValue = (pointFlags & noRecordedValue) === 0;
    const length =
      (hasStart ? 9 : 0) +
      (hasTime ? 9 : 0) +
      (hasValue ? 9 : 0) +
      attributes.length +
      (pointFlags === 0 ? 0 : pointFlags < 0x80 ? 2 : 3);
    const end = position + 1 + varintBytes(length) + length;
    if (end > maxBytes) {
      writer.position = position;
      return i;
    }
    if (end > buffer.length) {
      writer.position = position;
      writer.ensure(end - position);
      buffer = writer.buffer;
      view = writer.view;
    }
    buffer[position++] = 0x0a;
    let rest = length;
    while (rest > 0x7f) {
      buffer[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[position++] = rest;
    if (hasStart) {
      buffer[position] = 0x11;
      view.setUint32(position + 1, start.low, true);
      view.setUint32(position + 5, start.high, true);
      position += 9;
    }
    if (hasTime) {
      buffer[position] = 0x19;
      view.setUint32(position + 1, time.low, true);
      view.setUint32(position + 5, time.high, true);
      position += 9;
    }
    if (hasValue) {
      const value = values[i]!;
      if (isInt && Number.isInteger(value) && value >= -int64End && value < int64End) {
        const high = Math.floor(value / word);
        buffer[position] = 0x31;
        view.setUint32(position + 1, value - high * word, true);
        view.setInt32(position + 5, high, true);
      } else {
        buffer[position] = 0x21;
        view.setFloat64(position + 1, value, true);
      }
      position += 9;
    }
    buffer.set(attributes, position);
    position += attributes.length;
    if (pointFlags !== 0) {
      buffer[position++] = 0x40;
      if (pointFlags > 0x7f) buffer[position++] = (pointFlags & 0x7f) | 0x80;
      buffer[position++] = pointFlags > 0x7f ? 1 : pointFlags;
    }
  }
  writer.position = position;
  return size;
}
