import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { ExponentialCounts } from '../../../otel/state/exponential-counts.ts';
import { coarsestScale, maxScale } from '../../../otel/state/exponential-mapping.ts';
import type { BucketWindow } from '../../../otel/state/exponential-window.ts';
import { readDoubles, writeNumbers } from './number-list.ts';

/** Whether a histogram is there, which is written too, and what it counts. */
export function* writeCounts(
  writer: SnapshotWriter,
  counts: ExponentialCounts | undefined,
): Generator<SnapshotChunk, void> {
  writer.boolean(counts !== undefined);
  if (counts !== undefined) {
    writer.sint(counts.scale);
    writer.float64(counts.zeroThreshold);
    writer.float64(counts.zeroCount);
    writer.float64(counts.sum);
    yield* writeWindow(writer, counts.positive);
    yield* writeWindow(writer, counts.negative);
  }
  if (writer.isFull) yield writer.cut();
}

/** What {@link writeCounts} wrote, with at most so many buckets on either side. */
export function* readCounts(
  reader: SnapshotReader,
  maxSize: number,
): Generator<void, ExponentialCounts | undefined> {
  if (reader.isSpent) yield;
  if (!reader.boolean()) return undefined;
  const scale = reader.sint('a scale');
  if (scale < coarsestScale || scale > maxScale)
    throw reader.error(`a scale is ${scale}; ${coarsestScale} to ${maxScale} are allowed`);
  const zeroThreshold = reader.float64();
  if (!(zeroThreshold >= 0))
    throw reader.error(`a zero threshold is ${zeroThreshold}; a number from 0 on is allowed`);
  const counts = new ExponentialCounts();
  counts.begin(scale, zeroThreshold, maxSize);
  counts.zeroCount = reader.float64();
  counts.sum = reader.float64();
  yield* readWindow(reader, counts.positive, maxSize);
  yield* readWindow(reader, counts.negative, maxSize);
  return counts;
}

function* writeWindow(writer: SnapshotWriter, window: BucketWindow): Generator<SnapshotChunk, void> {
  // Where there are no buckets it says nothing, and may be what it was once.
  writer.sint(window.length === 0 ? 0 : window.offset);
  writer.varint(window.length);
  yield* writeNumbers(writer, window.counts, window.length);
}

function* readWindow(reader: SnapshotReader, to: BucketWindow, maxSize: number): Generator<void, void> {
  if (reader.isSpent) yield;
  const offset = reader.sint('the index of a bucket');
  const length = reader.varint(maxSize, 'a count of buckets');
  // Indexes of all doubles at the finest scale are within ±2^31.
  if (offset < -(2 ** 31) || offset + length > 2 ** 31)
    throw reader.error(`buckets ${offset} to ${offset + length - 1} are beyond all doubles`);
  const counts = yield* readDoubles(reader, length, 'counts of buckets');
  to.add({ offset, counts, start: 0, length }, 0, 1);
}
