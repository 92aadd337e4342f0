import type { MetricDescription } from '../model/metric.ts';
import { noRecordedValue, type PointBatch } from '../state/point-batch.ts';
import { histogramAttributes } from './encode-attributes.ts';
import { extremeBytes, hasNumber, writeCount, writeDouble, writeHalves } from './fixed-fields.ts';
import { UnixNanos } from './unix-nanos.ts';
import { varintBytes, WireWriter } from './wire-writer.ts';

const word = 2 ** 32;
const start = new UnixNanos();
const time = new UnixNanos();

/** `explicit_bounds` as it stands in each point of the metric. */
export function explicitBoundsField(bounds: readonly number[]): Uint8Array {
  if (bounds.length === 0) return new Uint8Array(0);
  const writer = new WireWriter(16 + bounds.length * 8);
  writer.varint(0x3a);
  writer.varint(bounds.length * 8);
  for (const bound of bounds) writer.double(bound);
  return writer.copy();
}

/**
 * Writes points of an explicit histogram as `repeated HistogramDataPoint data_points = 1`, from the point `from` on, until the next
 * one would end beyond `maxBytes` of the writer. Gives the index of the first point that was not written.
 * @param bounds what {@link explicitBoundsField} gave for the metric
 * @throws RangeError when the batch has another number of buckets than the metric
 */
export function writeHistogramPoints(
  writer: WireWriter,
  batch: PointBatch,
  metric: MetricDescription,
  bounds: Uint8Array,
  from: number,
  maxBytes: number,
): number {
  const buckets = metric.explicitBounds.length + 1;
  if (batch.bucketCount !== buckets) {
    throw new RangeError(
      `histogram ${metric.name}: ${batch.bucketCount} buckets were read for ${buckets - 1} bounds; there must be ${buckets}`,
    );
  }
  const valueBytes = 9 + (metric.hasSum ? 9 : 0) + 1 + varintBytes(buckets * 8) + buckets * 8 + bounds.length;
  for (let i = from; i < batch.size; i++) {
    const attributes = histogramAttributes(batch.seriesAttributes[i]!);
    const flags = batch.flags[i]!;
    start.set(batch.startTimeUs[i]!);
    time.set(batch.timeUs[i]!);
    const hasStart = start.high !== 0 || start.low !== 0;
    const hasTime = time.high !== 0 || time.low !== 0;
    const hasValue = (flags & noRecordedValue) === 0;
    const length =
      (hasStart ? 9 : 0) +
      (hasTime ? 9 : 0) +
      (hasValue ? valueBytes + extremeBytes(batch, metric, i) : 0) +
      attributes.length +
      (flags === 0 ? 0 : flags < 0x80 ? 2 : 3);
    const bytes = 1 + varintBytes(length) + length;
    if (writer.position + bytes > maxBytes) return i;
    writer.ensure(bytes);
    writer.varint(0x0a);
    writer.varint(length);
    if (hasStart) writeHalves(writer, 0x11, start.low, start.high);
    if (hasTime) writeHalves(writer, 0x19, time.low, time.high);
    if (hasValue) writeValues(writer, batch, metric, bounds, i);
    writer.buffer.set(attributes, writer.position);
    writer.position += attributes.length;
    if (flags !== 0) {
      writer.varint(0x50);
      writer.varint(flags);
    }
  }
  return batch.size;
}

function writeValues(
  writer: WireWriter,
  batch: PointBatch,
  metric: MetricDescription,
  bounds: Uint8Array,
  point: number,
): void {
  const { bucketCount, bucketCounts } = batch;
  const first = point * bucketCount;
  let count = 0;
  for (let bucket = first; bucket < first + bucketCount; bucket++) count += bucketCounts[bucket]!;
  writeCount(writer, 0x21, count);
  if (metric.hasSum) writeDouble(writer, 0x29, batch.sums[point]!);
  writer.varint(0x32);
  writer.varint(bucketCount * 8);
  for (let bucket = first; bucket < first + bucketCount; bucket++) {
    const value = bucketCounts[bucket]!;
    const high = Math.floor(value / word);
    writer.view.setUint32(writer.position, value - high * word, true);
    writer.view.setUint32(writer.position + 4, high, true);
    writer.position += 8;
  }
  writer.buffer.set(bounds, writer.position);
  writer.position += bounds.length;
  if (hasNumber(metric.hasMin, batch.mins[point]!)) writeDouble(writer, 0x59, batch.mins[point]!);
  if (hasNumber(metric.hasMax, batch.maxes[point]!)) writeDouble(writer, 0x61, batch.maxes[point]!);
}
