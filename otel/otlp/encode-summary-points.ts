import type { MetricDescription } from '../model/metric.ts';
import { noRecordedValue, type PointBatch } from '../state/point-batch.ts';
import { numberAttributes } from './encode-attributes.ts';
import { writeCount, writeDouble, writeHalves } from './fixed-fields.ts';
import { UnixNanos } from './unix-nanos.ts';
import { varintBytes, type WireWriter } from './wire-writer.ts';

const start = new UnixNanos();
const time = new UnixNanos();
/** `ValueAtQuantile { double quantile = 1; double value = 2 }` without tag and length. */
const quantileBytes = 18;

/**
 * Writes summaries as `repeated SummaryDataPoint data_points = 1`, from the point `from` on, until the next one would end beyond
 * `maxBytes` of the writer. Gives the index of the first point that was not written.
 * @throws RangeError when the batch has another number of quantiles than the metric
 */
export function writeSummaryPoints(
  writer: WireWriter,
  batch: PointBatch,
  metric: MetricDescription,
  from: number,
  maxBytes: number,
): number {
  const { quantiles } = metric;
  const { quantileCount, quantileValues } = batch;
  if (quantileCount !== quantiles.length) {
    throw new RangeError(
      `summary ${metric.name}: ${quantileCount} quantiles were read; there must be ${quantiles.length}, as the metric has`,
    );
  }
  const valueBytes = 9 + 9 + quantileCount * (2 + quantileBytes);
  for (let i = from; i < batch.size; i++) {
    const attributes = numberAttributes(batch.seriesAttributes[i]!);
    const flags = batch.flags[i]!;
    start.set(batch.startTimeUs[i]!);
    time.set(batch.timeUs[i]!);
    const hasStart = start.high !== 0 || start.low !== 0;
    const hasTime = time.high !== 0 || time.low !== 0;
    const hasValue = (flags & noRecordedValue) === 0;
    const length =
      (hasStart ? 9 : 0) +
      (hasTime ? 9 : 0) +
      (hasValue ? valueBytes : 0) +
      attributes.length +
      (flags === 0 ? 0 : flags < 0x80 ? 2 : 3);
    const bytes = 1 + varintBytes(length) + length;
    if (writer.position + bytes > maxBytes) return i;
    writer.ensure(bytes);
    writer.varint(0x0a);
    writer.varint(length);
    if (hasStart) writeHalves(writer, 0x11, start.low, start.high);
    if (hasTime) writeHalves(writer, 0x19, time.low, time.high);
    if (hasValue) {
      writeCount(writer, 0x21, batch.counts[i]!);
      writeDouble(writer, 0x29, batch.sums[i]!);
      for (let q = 0; q < quantileCount; q++) {
        writer.varint(0x32);
        writer.varint(quantileBytes);
        writeDouble(writer, 0x09, quantiles[q]!);
        writeDouble(writer, 0x11, quantileValues[i * quantileCount + q]!);
      }
    }
    writer.buffer.set(attributes, writer.position);
    writer.position += attributes.length;
    if (flags !== 0) {
      writer.varint(0x40);
      writer.varint(flags);
    }
  }
  return batch.size;
}
