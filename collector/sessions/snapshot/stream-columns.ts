import { GrowingArray } from '../../../otel/snapshot/array-copy.ts';
import type { Cells } from '../../../otel/snapshot/cells.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { type CellRuns, readCells, writeCells } from '../../../otel/snapshot/write-cells.ts';
import { Uint32List } from '../../../otel/state/columns.ts';
import { maxDrifts } from '../../../proto/columns/drifts.ts';
import { columnKinds } from '../../../proto/report/group-columns.ts';
import { restoreStream } from '../../../proto/report/restore-stream.ts';
import type {
  CapturedCells,
  DriftsCapture,
  GroupCapture,
  StreamCapture,
} from '../../../proto/report/stream-capture.ts';
import type { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { orError } from './or-error.ts';

/** Sums and gauges, which have no shape. */
const kindsWithoutShape = 2;
const maxUint32 = 2 ** 32 - 1;

/** Writes what a stream's columns were. The format is in docs/checkpoint.md, "Sessions". */
export function* writeStreamColumns(
  writer: SnapshotWriter,
  capture: StreamCapture,
  from: CapturedCells,
): Generator<SnapshotChunk, void> {
  writer.varint(capture.lastReport);
  writer.varint(capture.lastTimeUs);
  writer.varint(capture.lastNumber);
  writer.varint(capture.groups.length);
  for (const group of capture.groups) {
    if (writer.isFull) yield writer.cut();
    writer.varint(group.group);
    writer.varint(group.timeUs);
    writer.sint(group.stepUs);
    writer.varint(group.reports);
    for (const count of group.counts) writer.varint(count);
    yield* writeSeries(writer, group, from);
    yield* writeCells(writer, runsFrom(from.values, group.firstCell), group.cells);
    yield* writeCells(writer, runsFrom(from.modes, group.firstCell), group.cells);
    writeDrifts(writer, group.sumDrifts);
    writeDrifts(writer, group.gaugeDrifts);
  }
  if (writer.isFull) yield writer.cut();
}

function* writeSeries(
  writer: SnapshotWriter,
  { counts, firstSeries }: GroupCapture,
  { numbers, attached, shapes }: CapturedCells,
): Generator<SnapshotChunk, void> {
  let at = firstSeries;
  for (const [kind, count] of counts.entries()) {
    let next = 1;
    for (const end = at + count; at < end; at++) {
      if (writer.isFull) yield writer.cut();
      writer.varint(numbers[at] - next);
      next = numbers[at] + 1;
      writer.varint(attached[at]);
      if (kind >= kindsWithoutShape) writer.varint(shapes[at]);
    }
  }
  if (writer.isFull) yield writer.cut();
}

function runsFrom(cells: Cells, first: number): CellRuns {
  const run = (index: number, count: number) => ({ cells, start: first + index, end: first + index + count });
  return { width: cells.BYTES_PER_ELEMENT, run };
}

function writeDrifts(writer: SnapshotWriter, drifts: DriftsCapture | undefined): void {
  writer.varint(drifts === undefined ? 0 : drifts.cells.length);
  if (drifts === undefined) return;
  for (const [i, cell] of drifts.cells.entries()) {
    writer.varint(cell);
    writer.sint(drifts.steps[i]);
  }
}

/** Reads streams, one after the other. Their captures' memory is used again for the next. */
export class StreamColumnsReader {
  readonly #numbers = new Uint32List();
  readonly #attached = new Uint32List();
  readonly #shapes = new Uint32List();
  readonly #values = new GrowingArray(Float64Array);
  readonly #modes = new GrowingArray(Uint8Array);
  #cells = 0;

  /** The columns that {@link writeStreamColumns} wrote. @param maxCells as the stream had it */
  *read(reader: SnapshotReader, maxCells: number): Generator<void, StreamColumns> {
    for (const list of [this.#numbers, this.#attached, this.#shapes]) list.size = 0;
    this.#cells = 0;
    if (reader.isSpent) yield;
    const lastReport = reader.varint();
    const lastTimeUs = reader.varint();
    const lastNumber = reader.varint();
    const count = reader.varint(Number.MAX_SAFE_INTEGER, 'a count of groups');
    const groups: GroupCapture[] = [];
    for (let i = 0; i < count; i++) groups.push(yield* this.#group(reader, maxCells));
    const capture = { lastReport, lastTimeUs, lastNumber, groups };
    const cells = {
      numbers: this.#numbers.items,
      attached: this.#attached.items,
      shapes: this.#shapes.items,
      values: this.#values.cells,
      modes: this.#modes.cells,
    };
    return orError(reader, () => restoreStream(capture, cells, maxCells));
  }

  *#group(reader: SnapshotReader, maxCells: number): Generator<void, GroupCapture> {
    if (reader.isSpent) yield;
    const group = reader.varint(maxUint32, 'the number of a group');
    const timeUs = reader.varint();
    const stepUs = reader.sint();
    const reports = reader.varint();
    const counts = columnKinds.map((kind) => reader.varint(maxUint32, `a count of series of kind ${kind}`));
    const firstSeries = this.#numbers.size;
    for (const [kind, count] of counts.entries()) yield* this.#series(reader, kind, count);
    const firstCell = this.#cells;
    const cells = yield* readCells(reader, runsInto(this.#values, firstCell), maxCells, 'values');
    const modes = yield* readCells(reader, runsInto(this.#modes, firstCell), cells, 'modes');
    if (modes !== cells) throw reader.error(`there are ${modes} modes for ${cells} values`);
    this.#cells += cells;
    if (reader.isSpent) yield;
    const sumDrifts = readDrifts(reader);
    const gaugeDrifts = readDrifts(reader);
    return { group, timeUs, stepUs, reports, counts, firstSeries, firstCell, cells, sumDrifts, gaugeDrifts };
  }

  *#series(reader: SnapshotReader, kind: number, count: number): Generator<void, void> {
    let next = 1;
    for (let i = 0; i < count; i++) {
      if (reader.isSpent) yield;
      const number = next + reader.varint(maxUint32 - next, 'a gap between series numbers');
      next = number + 1;
      this.#numbers.push(number);
      this.#attached.push(reader.varint(maxUint32, 'a slot'));
      this.#shapes.push(kind < kindsWithoutShape ? 0 : reader.varint(maxUint32, 'the shape of a series'));
    }
  }
}

function runsInto<T extends Cells>(array: GrowingArray<T>, first: number): CellRuns {
  return { width: array.width, run: (index, count) => array.run(first + index, count) };
}

function readDrifts(reader: SnapshotReader): DriftsCapture | undefined {
  const count = reader.varint(maxDrifts, 'a count of drifting values');
  if (count === 0) return undefined;
  const cells = new Uint32Array(count);
  const steps = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    cells[i] = reader.varint(maxUint32, 'a drifting value');
    steps[i] = reader.sint('a drift');
  }
  return { cells, steps };
}
