import type { SectionLoader } from '../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import { noReaderCode, type RecordedReader, requestsCode, requestsOf } from './recorder.ts';

/** The first section of a checkpoint: what reading the others, and the records behind them, needs. docs/checkpoint.md has its format. */
export const durabilitySection = { type: 66, version: 1 } as const;

export interface DurabilityHead {
  /** See {@link rulesText}. */
  readonly rules: string;
  /** By number; `undefined`: that number is free. */
  readonly readers: readonly (RecordedReader | undefined)[];
  /** See KnownLosses. */
  readonly losses: readonly Uint8Array[];
}

const maxReaders = 4096;
const maxLosses = 1024;

export function* writeHead(
  writer: SnapshotWriter,
  { rules, readers, losses }: DurabilityHead,
): Generator<SnapshotChunk, void> {
  writer.begin(durabilitySection.type, 0, durabilitySection.version);
  writer.string(rules);
  writer.varint(readers.length);
  for (const reader of readers) {
    writer.string(reader?.name ?? '');
    writer.boolean(reader?.temporality === 'delta');
    writer.varint(reader === undefined ? noReaderCode : requestsCode(reader.requests));
    writer.varint(reader?.requests?.maxBytes ?? 0);
  }
  writer.varint(losses.length);
  for (const token of losses) writer.bytes(token);
  yield writer.end();
}

/** @param loaded given what the section holds */
export function headLoader(loaded: (head: DurabilityHead) => void): SectionLoader {
  // It is never cut into chunks.
  return function* (reader: SnapshotReader) {
    reader.expectVersion(durabilitySection.version);
    const rules = reader.string();
    const readers = listOf(reader, maxReaders, 'readers', (): RecordedReader | undefined => {
      const name = reader.string();
      const temporality = reader.boolean() ? 'delta' : 'cumulative';
      const code = reader.varint();
      const maxBytes = reader.varint();
      return code === noReaderCode ? undefined : { name, temporality, requests: requestsOf(code, maxBytes) };
    });
    const losses = listOf(reader, maxLosses, 'losses', () => Buffer.from(reader.bytes()));
    loaded({ rules, readers, losses });
  };
}

function listOf<T>(reader: SnapshotReader, most: number, what: string, read: () => T): T[] {
  const count = reader.varint(most, `a count of ${what}`);
  return Array.from({ length: count }, read);
}
