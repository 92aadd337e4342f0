import type { MetricDescription } from '../model/metric.ts';
import { noRecordedValue, type PointBatch } from '../state/point-batch.ts';
import { exponentialAttributes } from './encode-attributes.ts';
import { extremeBytes, hasNumber, writeCount, writeDouble, writeHalves } from './fixed-fields.ts';
import { UnixNanos } from './unix-nanos.ts';
import { countBytes, varintBytes, type WireWriter } from './wire-writer.ts';

const start = new UnixNanos();
const time = new UnixNanos();
/** Of the point at hand: bytes of its packed counts, and of the whole Buckets message; 0 without buckets. */
const positive = { counts: 0, message: 0 };
const negative = { counts: 0, message: 0 };

/**
 * Writes exponential histograms as `repeated ExponentialHistogramDataPoint data_points = 1`, from the point `from` on, until the
 * next one would end beyond `maxBytes` of the writer. Gives the index of the first point that was not written.
 */
export function writeExponentialPoints(
  writer: WireWriter,
  batch: PointBatch,
  metric: MetricDescription,
  from: number,
  maxBytes: number,
): number {
  const { exponential } = batch;
  for (let i = from; i < batch.size; i++) {
    const attributes = exponentialAttributes(batch.seriesAttributes[i]!);
    const flags = batch.flags[i]!;
    start.set(batch.startTimeUs[i]!);
    time.set(batch.timeUs[i]!);
    const hasStart = start.high !== 0 || start.low !== 0;
    const hasTime = time.high !== 0 || time.low !== 0;
    const hasValue = (flags & noRecordedValue) === 0;
    const length =
      (hasStart ? 9 : 0) +
      (hasTime ? 9 : 0) +
      (hasValue ? measureValues(batch, metric, i) : 0) +
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
      writeCount(writer, 0x21, exponential.countOf(i));
      if (metric.hasSum) writeDouble(writer, 0x29, batch.sums[i]!);
      writer.varint(0x30);
      writer.varint(zigZag(exponential.scales[i]!));
      writeCount(writer, 0x39, exponential.zeroCounts[i]!);
      const { positiveOffsets, positiveStarts, negativeOffsets, negativeStarts } = exponential;
      if (positive.message > 0)
        writeBuckets(
          writer,
          0x42,
          positive,
          positiveOffsets[i]!,
          exponential.counts,
          positiveStarts[i]!,
          exponential.positiveLengths[i]!,
        );
      if (negative.message > 0)
        writeBuckets(
          writer,
          0x4a,
          negative,
          negativeOffsets[i]!,
          exponential.counts,
          negativeStarts[i]!,
          exponential.negativeLengths[i]!,
        );
      if (hasNumber(metric.hasMin, batch.mins[i]!)) writeDouble(writer, 0x61, batch.mins[i]!);
      if (hasNumber(metric.hasMax, batch.maxes[i]!)) writeDouble(writer, 0x69, batch.maxes[i]!);
      if (exponential.zeroThresholds[i] !== 0) writeDouble(writer, 0x71, exponential.zeroThresholds[i]!);
    }
    writer.buffer.set(attributes, writer.position);
    writer.position += attributes.length;
    if (flags !== 0) {
      writer.varint(0x50);
      writer.varint(flags);
    }
  }
  return batch.size;
}

/** Bytes of all that stands under a recorded value: count, sum, scale, zero count, buckets, min, max, zero threshold. */
function measureValues(batch: PointBatch, metric: MetricDescription, i: number): number {
  const { exponential } = batch;
  const { counts } = exponential;
  measure(
    positive,
    exponential.positiveOffsets[i]!,
    counts,
    exponential.positiveStarts[i]!,
    exponential.positiveLengths[i]!,
  );
  measure(
    negative,
    exponential.negativeOffsets[i]!,
    counts,
    exponential.negativeStarts[i]!,
    exponential.negativeLengths[i]!,
  );
  return (
    9 +
    (metric.hasSum ? 9 : 0) +
    1 +
    varintBytes(zigZag(exponential.scales[i]!)) +
    9 +
    (positive.message > 0 ? 1 + varintBytes(positive.message) + positive.message : 0) +
    (negative.message > 0 ? 1 + varintBytes(negative.message) + negative.message : 0) +
    extremeBytes(batch, metric, i) +
    (exponential.zeroThresholds[i] === 0 ? 0 : 9)
  );
}

type Measured = typeof positive;

/** `Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2 }`, the counts packed. */
function measure(of: Measured, offset: number, counts: Float64Array, first: number, length: number): void {
  of.counts = 0;
  of.message = 0;
  if (length === 0) return;
  for (let b = first; b < first + length; b++) of.counts += countBytes(counts[b]!);
  of.message = 1 + varintBytes(zigZag(offset)) + 1 + varintBytes(of.counts) + of.counts;
}

function writeBuckets(
  writer: WireWriter,
  tag: number,
  measured: Measured,
  offset: number,
  counts: Float64Array,
  first: number,
  length: number,
): void {
  writer.varint(tag);
  writer.varint(measured.message);
  writer.varint(0x08);
  writer.varint(zigZag(offset));
  writer.varint(0x12);
  writer.varint(measured.counts);
  for (let b = first; b < first + length; b++) writer.varint(counts[b]!);
}

/** A `sint32` as the unsigned number that its varint holds. */
function zigZag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}
