import { metricFromDefinition, metricToDefinition } from '../../../otel/model/definitions.ts';
import type { InstrumentationScope } from '../../../otel/model/scope.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import {
  readMetric,
  readScope,
  writeMetric,
  writeScope,
} from '../../../otel/state/snapshot/metric-record.ts';
import { maxEpochTokenBytes } from '../../../proto/messages/define.ts';
import type { Grant } from '../../security/grant.ts';
import { type EpochOfStream, type IntakeCapture, SeriesIntake } from '../series-intake.ts';
import { orError } from './or-error.ts';

const maxNumber = 2 ** 32 - 1;

/** Writes what a stream's definitions have said. The format is in docs/checkpoint.md, "Sessions". */
export function* writeIntake(
  writer: SnapshotWriter,
  { limits, ...intake }: IntakeCapture,
): Generator<SnapshotChunk, void> {
  writer.varint(limits.maxSeries);
  writer.varint(limits.maxAttributes);
  writer.varint(limits.maxAttributeBytes);
  yield* writeMap(writer, intake.resources, intake.resourceCount, ({ schemaUrl, attributes }, number) => {
    writer.text(schemaUrl);
    writer.attributes(attributes);
    // Empty: it may be written.
    writer.string(intake.deniedResources.get(number) ?? '');
  });
  const scopes = new Map<InstrumentationScope, number>();
  yield* writeMap(writer, intake.scopes, intake.scopeCount, (scope, number) => {
    scopes.set(scope, number);
    // Scope 0 is there from the beginning.
    if (number !== 0) writeScope(writer, scope);
  });
  yield* writeMap(writer, intake.metrics, intake.metricCount, ({ metric, scope }) => {
    writer.varint(scopes.get(scope)!);
    writeMetric(writer, metric);
  });
  yield* writeMap(writer, intake.epochs, intake.epochCount, ({ token, beganUs }) => {
    writer.bytes(Buffer.from(token, 'latin1'));
    writer.boolean(beganUs !== undefined);
    if (beganUs !== undefined) writer.float64(beganUs);
  });
}

/** How many, which is `count`, then each number with its value. */
function* writeMap<T>(
  writer: SnapshotWriter,
  map: ReadonlyMap<number, T>,
  count: number,
  write: (value: T, number: number) => void,
): Generator<SnapshotChunk, void> {
  writer.varint(count);
  let left = count;
  for (const [number, value] of map) {
    // What comes behind was not there yet.
    if (left-- === 0) break;
    if (writer.isFull) yield writer.cut();
    writer.varint(number);
    write(value, number);
  }
  if (writer.isFull) yield writer.cut();
}

/** The intake that {@link writeIntake} wrote. @param grant what the agent may write, where that has bounds. @throws SnapshotError for what no stream can have defined */
export function* readIntake(reader: SnapshotReader, grant: Grant | undefined): Generator<void, SeriesIntake> {
  if (reader.isSpent) yield;
  const maxSeries = reader.varint();
  const maxAttributes = reader.varint();
  const maxAttributeBytes = reader.varint();
  const intake = new SeriesIntake({ maxSeries, maxAttributes, maxAttributeBytes }, grant);
  yield* readMap(reader, (number) => {
    const schemaUrl = reader.text();
    const attributes = reader.attributes();
    const denied = reader.string();
    const problem = denied === '' ? undefined : denied;
    intake.addResource(number, { schemaUrl, attributes }, `resource ${number}`, problem);
  });
  yield* readMap(reader, (number) => {
    if (number !== 0) intake.addScope(number, readScope(reader), `scope ${number}`);
  });
  yield* readMap(reader, (number) => {
    const scope = reader.varint(maxNumber, 'the number of a scope');
    const path = `metric ${number}`;
    const definition = metricToDefinition(readMetric(reader), number, scope);
    intake.addMetric(number, metricFromDefinition(definition, path), scope, path);
  });
  yield* readMap(reader, (number) => intake.addEpoch(number, readEpoch(reader), `epoch ${number}`));
  return intake;
}

function* readMap(reader: SnapshotReader, read: (number: number) => void): Generator<void, void> {
  if (reader.isSpent) yield;
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    if (reader.isSpent) yield;
    const number = reader.varint(maxNumber, 'a number of a stream');
    orError(reader, () => read(number));
  }
}

function readEpoch(reader: SnapshotReader): EpochOfStream {
  const token = reader.bytes();
  if (token.length > maxEpochTokenBytes)
    throw reader.error(
      `an epoch's token has ${token.length} bytes; at most ${maxEpochTokenBytes} are allowed`,
    );
  const beganUs = reader.boolean() ? reader.float64() : undefined;
  if (beganUs !== undefined && !Number.isSafeInteger(beganUs))
    throw reader.error(`an epoch began at ${beganUs} microseconds, which is no whole number`);
  return { token: Buffer.from(token).toString('latin1'), beganUs };
}
