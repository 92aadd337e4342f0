import type { SectionLoader } from '../snapshot/load-sections.ts';
import type { SnapshotChunk } from '../snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts';
import { writeCells } from '../snapshot/write-cells.ts';
import type { DeltaIntervals } from './delta-intervals.ts';
import type { PointsByMetric } from './output-ledger.ts';
import type { QueuedCollection, QueuedRequest } from './queued-collection.ts';

/** The section of one delta reader's intervals: docs/checkpoint.md has its format. */
export const intervalsSection = { type: 65, version: 1 } as const;

/** One request has at most so many bytes; OTLP's at most 64 MiB. */
const mostRequestBytes = 2 ** 28;
/** So much is believed of a length before the bytes have come: most requests are smaller. */
const mostAtOnce = 4 * 2 ** 20;

interface SavedRequest {
  readonly request: QueuedRequest;
  readonly points: PointsByMetric;
}

interface SavedInterval {
  readonly timeUs: number;
  readonly requests: readonly SavedRequest[];
}

/** The intervals of one delta reader that waited at one moment. */
export class IntervalsPicture {
  readonly #name: string;
  readonly #intervals: readonly SavedInterval[];

  /** The requests' memory is not used again from now on. */
  constructor(name: string, collections: readonly QueuedCollection[]) {
    this.#name = name;
    this.#intervals = collections.map(({ timeUs, requests, underWay }) => ({
      timeUs,
      requests: requests.map((request) => {
        request.release = undefined;
        return { request, points: underWay.pointsOf(request) };
      }),
    }));
  }

  /** Its one section. @param ordinal tells the sections of several readers apart */
  *chunks(writer: SnapshotWriter, ordinal: number): Generator<SnapshotChunk, void> {
    writer.begin(intervalsSection.type, ordinal, intervalsSection.version);
    writer.string(this.#name);
    writer.varint(this.#intervals.length);
    for (const { timeUs, requests } of this.#intervals) {
      if (writer.isFull) yield writer.cut();
      writer.float64(timeUs);
      writer.varint(requests.length);
      for (const { request, points } of requests) {
        if (writer.isFull) yield writer.cut();
        writer.varint(request.points);
        yield* writePoints(writer, points);
        const { bytes } = request;
        const runs = {
          width: 1,
          run: (index: number, count: number) => ({ cells: bytes, start: index, end: index + count }),
        };
        yield* writeCells(writer, runs, bytes.length);
      }
    }
    yield writer.end();
  }
}

/**
 * Loads sections of intervals.
 * @param find gives the intervals of the delta reader of this name, with nothing waiting; a section without a reader is a SnapshotError
 */
export function intervalsLoader(find: (name: string) => DeltaIntervals | undefined): SectionLoader {
  return function* (reader) {
    reader.expectVersion(intervalsSection.version);
    const name = reader.string();
    const intervals = find(name);
    if (intervals === undefined) throw reader.error(`there is no delta reader ${JSON.stringify(name)}`);
    yield* intervals.load(reader);
  };
}

/** What follows the name in a section. */
export function* loadIntervals(reader: SnapshotReader): Generator<void, SavedInterval[]> {
  const intervals: SavedInterval[] = [];
  const count = yield* readCount(reader, 'a count of intervals');
  while (intervals.length < count) {
    while (reader.isSpent) yield;
    const timeUs = reader.float64();
    if (!(timeUs >= 0 && timeUs <= Number.MAX_SAFE_INTEGER))
      throw reader.error(`the time of an interval is ${timeUs}; 0 to 2^53 - 1 microseconds are allowed`);
    const requests: SavedRequest[] = [];
    const requestCount = yield* readCount(reader, 'a count of requests');
    if (requestCount === 0) throw reader.error('an interval has no requests');
    while (requests.length < requestCount) requests.push(yield* readRequest(reader));
    intervals.push({ timeUs, requests });
  }
  return intervals;
}

function* writePoints(writer: SnapshotWriter, points: PointsByMetric): Generator<SnapshotChunk, void> {
  writer.varint(points.size);
  for (const [metric, count] of points) {
    if (writer.isFull) yield writer.cut();
    writer.text(metric);
    writer.varint(count);
  }
}

function* readRequest(reader: SnapshotReader): Generator<void, SavedRequest> {
  const total = yield* readCount(reader, 'a count of points');
  const points = new Map<string, number>();
  const metrics = yield* readCount(reader, 'a count of metrics');
  for (let i = 0; i < metrics; i++) {
    while (reader.isSpent) yield;
    const metric = reader.text();
    if (points.has(metric)) throw reader.error(`the metric ${JSON.stringify(metric)} comes twice`);
    points.set(metric, reader.varint(0xffff_ffff, 'a count of points'));
  }
  return { request: { bytes: yield* readBytes(reader), points: total }, points };
}

function* readBytes(reader: SnapshotReader): Generator<void, Uint8Array> {
  while (reader.isSpent) yield;
  const length = reader.varint(mostRequestBytes, 'the bytes of a request');
  let bytes = new Uint8Array(Math.min(length, mostAtOnce));
  for (let at = 0; at < length; ) {
    while (reader.isSpent) yield;
    const end = Math.min(length, at + reader.left);
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.min(length, Math.max(end, bytes.length * 2)));
      grown.set(bytes);
      bytes = grown;
    }
    reader.cells(bytes, at, end);
    at = end;
  }
  return bytes;
}

function* readCount(reader: SnapshotReader, what: string): Generator<void, number> {
  while (reader.isSpent) yield;
  return reader.varint(0xffff_ffff, what);
}
