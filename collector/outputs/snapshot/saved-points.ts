import type { Attributes } from '../../../otel/model/attributes.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import type { SeriesAttributes } from '../../../otel/state/point-batch.ts';
import { readIntegers, writeNumbers } from './number-list.ts';

/** What series are joined into, as FoldPoints has it at one moment: of each array so many as `points` or `inputs` says. */
export interface PointsAtOneMoment {
  readonly overflowed: number;
  /** Where points begin to count that are yet to come. */
  readonly nextStartUs: number;
  readonly points: number;
  readonly attributes: readonly SeriesAttributes[];
  readonly startUs: readonly number[];
  readonly idleSinceS: readonly number[];
  /** Whose point it is under a limit; empty: nobody's. */
  readonly ownerOf: (point: number) => string;
  readonly inputs: number;
  readonly slots: Uint32Array;
  readonly targets: Uint32Array;
}

/** A point that was loaded. */
export interface SavedPoint {
  readonly attributes: Attributes;
  readonly startUs: number;
  readonly idleSinceS: number;
  readonly owner: string;
}

export function* writePoints(
  writer: SnapshotWriter,
  from: PointsAtOneMoment,
): Generator<SnapshotChunk, void> {
  writer.varint(from.overflowed);
  writer.float64(from.nextStartUs);
  writer.varint(from.points);
  for (let point = 0; point < from.points; point++) {
    if (writer.isFull) yield writer.cut();
    writer.attributes(from.attributes[point].attributes);
    writer.float64(from.startUs[point]);
    writer.varint(from.idleSinceS[point]);
    writer.text(from.ownerOf(point));
  }
  if (writer.isFull) yield writer.cut();
  yield* writeNumbers(writer, from.slots, from.inputs);
  yield* writeNumbers(writer, from.targets, from.inputs);
}

/** What {@link writePoints} wrote. Whether slots are those of series is for the caller to see. */
export interface SavedPoints {
  readonly overflowed: number;
  readonly nextStartUs: number;
  readonly points: readonly SavedPoint[];
  readonly inputs: number;
  readonly slots: Uint32Array;
  /** Each is the place of one of the points. */
  readonly targets: Uint32Array;
}

export function* readPoints(reader: SnapshotReader): Generator<void, SavedPoints> {
  if (reader.isSpent) yield;
  const overflowed = reader.varint(Number.MAX_SAFE_INTEGER, 'a count of overflowed series');
  const nextStartUs = readTime(reader, 'the start time of new points');
  const count = reader.varint(0xffff_ffff, 'a count of points');
  const points: SavedPoint[] = [];
  while (points.length < count) {
    if (reader.isSpent) yield;
    points.push({
      attributes: reader.attributes(),
      startUs: readTime(reader, 'the start time of a point'),
      idleSinceS: reader.varint(0xffff_ffff, 'the second since which a point is idle'),
      owner: reader.text(),
    });
  }
  const { items: slots, size: inputs } = yield* readIntegers(reader, 0xffff_ffff, 'the slots of an output');
  const { items: targets, size } = yield* readIntegers(reader, inputs, 'the points of slots');
  if (size !== inputs) throw reader.error(`${inputs} slots go into points, of which ${size} are given`);
  for (let i = 0; i < inputs; i++)
    if (targets[i] >= count) throw reader.error(`a slot goes into point ${targets[i]} of ${count}`);
  return { overflowed, nextStartUs, points, inputs, slots, targets };
}

/** Microseconds: any finite number. */
export function readTime(reader: SnapshotReader, what: string): number {
  const timeUs = reader.float64();
  if (!Number.isFinite(timeUs)) throw reader.error(`${what} is ${timeUs}, which is no time`);
  return timeUs;
}
