import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import type { KindState } from '../../../otel/state/kind-state.ts';
import type { Member } from '../../../otel/state/members.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import { columnKinds, type GroupColumns } from '../../../proto/report/group-columns.ts';
import type { CapturedCells } from '../../../proto/report/stream-capture.ts';
import type { StreamColumns } from '../../../proto/report/stream-columns.ts';
import type { Grant } from '../../security/grant.ts';
import type { GroupProgress, ProgressCapture } from '../group-progress.ts';
import type { RestoredStream, StreamSeriesCapture } from '../session-capture.ts';
import { readIntake, writeIntake } from './intake.ts';
import { type StreamColumnsReader, writeStreamColumns } from './stream-columns.ts';

const maxNumber = 2 ** 32 - 1;

/** Writes what the series of a stream were. The format is in docs/checkpoint.md, "Sessions". */
export function* writeStreamSeries(
  writer: SnapshotWriter,
  capture: StreamSeriesCapture,
  from: CapturedCells,
): Generator<SnapshotChunk, void> {
  const { stream, maxCells, intake, columns, progress, told } = capture;
  writer.float64(stream.welcomeUs);
  writer.varint(stream.lastReport);
  writer.varint(maxCells);
  yield* writeIntake(writer, intake);
  yield* writeStreamColumns(writer, columns, from);
  for (const group of progress) yield* writeProgress(writer, group);
  yield* writeNumbers(writer, told, told.length);
}

function* writeProgress(
  writer: SnapshotWriter,
  { absences, unsettled, unsettledCount, turnedAway, withoutValue }: ProgressCapture,
): Generator<SnapshotChunk, void> {
  writer.varint(absences);
  yield* writeNumbers(writer, unsettled, unsettledCount);
  yield* writeNumbers(writer, turnedAway, turnedAway.length);
  writer.varint(withoutValue.length);
  for (const { state, slot } of withoutValue) {
    if (writer.isFull) yield writer.cut();
    writer.byte(columnKinds.indexOf(state.kind));
    writer.varint(slot);
  }
  if (writer.isFull) yield writer.cut();
}

/** The first so many, after how many they are. */
function* writeNumbers(
  writer: SnapshotWriter,
  numbers: readonly number[],
  count: number,
): Generator<SnapshotChunk, void> {
  writer.varint(count);
  for (let i = 0; i < count; i++) {
    if (writer.isFull) yield writer.cut();
    writer.varint(numbers[i]);
  }
  if (writer.isFull) yield writer.cut();
}

/**
 * The series that {@link writeStreamSeries} wrote, of a member that the store has.
 * @param holder the session's number
 * @param grant what its peer may write, where that has bounds
 * @throws SnapshotError for what no stream can have been, or what the store does not have
 */
export function* readStreamSeries(
  reader: SnapshotReader,
  columnsReader: StreamColumnsReader,
  holder: number,
  grant: Grant | undefined,
  member: Member,
  store: MetricStore,
): Generator<void, RestoredStream> {
  if (reader.isSpent) yield;
  const welcomeUs = reader.float64();
  const lastReport = reader.varint();
  const maxCells = reader.varint();
  const intake = yield* readIntake(reader, grant);
  const columns = yield* columnsReader.read(reader, maxCells);
  checkSlots(reader, columns, store);
  const progress: GroupProgress[] = [];
  for (const group of columns.groups.values())
    progress.push(yield* readProgress(reader, group, columns.lastNumber, member, store));
  const told = yield* readNumbers(reader, columns.lastNumber);
  return { stream: { holder, welcomeUs, lastReport }, intake, columns, progress, told };
}

/** Slots of the store are what merging writes to. */
function checkSlots(reader: SnapshotReader, columns: StreamColumns, store: MetricStore): void {
  for (const group of columns.groups.values())
    for (const kind of columnKinds) {
      const { attached, size } = group.leadingColumn(kind);
      const { length } = store.stateOf(kind).series;
      for (let i = 0; i < size; i++)
        if (attached[i] >= length)
          throw reader.error(`a series has slot ${attached[i]} of kind ${kind}, which has ${length}`);
    }
}

function* readProgress(
  reader: SnapshotReader,
  { group }: GroupColumns,
  lastNumber: number,
  member: Member,
  store: MetricStore,
): Generator<void, GroupProgress> {
  if (reader.isSpent) yield;
  const clock = member.clocks.get(group);
  if (clock === undefined)
    throw reader.error(`the member ${JSON.stringify(member.id)} has no clock for sampling group ${group}`);
  const absences = reader.varint();
  const unsettled = yield* readNumbers(reader, lastNumber);
  const turnedAway = new Set(yield* readNumbers(reader, lastNumber));
  if (reader.isSpent) yield;
  const count = reader.varint();
  const withoutValue: { state: KindState; slot: number }[] = [];
  for (let i = 0; i < count; i++) {
    if (reader.isSpent) yield;
    const kind = columnKinds[reader.byte()];
    if (kind === undefined) throw reader.error(`a series has a kind above ${columnKinds.length - 1}`);
    const state = store.stateOf(kind);
    withoutValue.push({ state, slot: reader.varint(state.series.length - 1, `a slot of kind ${kind}`) });
  }
  return { clock, unsettled, turnedAway, withoutValue, absences };
}

/** Series numbers, retired ones among them. */
function* readNumbers(reader: SnapshotReader, lastNumber: number): Generator<void, number[]> {
  if (reader.isSpent) yield;
  const count = reader.varint(maxNumber, 'a count of series');
  const numbers: number[] = [];
  for (let i = 0; i < count; i++) {
    if (reader.isSpent) yield;
    numbers.push(reader.varint(lastNumber, 'the number of a series'));
  }
  return numbers;
}
