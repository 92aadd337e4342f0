import { SectionsLoading } from '../../otel/snapshot/load-sections.ts';
import { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { OtlpFormat } from '../receivers/otlp/otlp-intake.ts';
import type { Grant } from '../security/grant.ts';
import { readGrant, writeGrant } from '../sessions/snapshot/grant.ts';

/** What a request of OTLP is taken in with, beside its time and bytes. */
export interface OtlpHead {
  readonly format: OtlpFormat;
  readonly grant: Grant | undefined;
}

const type = 1;
const version = 1;

/** As bytes, in the coding of checkpoints. */
export function encodeOtlpHead(format: OtlpFormat, grant: Grant | undefined): Uint8Array {
  const writer = new SnapshotWriter();
  writer.begin(type, 0, version);
  writer.boolean(format === 'json');
  writeGrant(writer, grant);
  return writer.end().bytes;
}

/** @throws SnapshotError for other bytes */
export function decodeOtlpHead(bytes: Uint8Array): OtlpHead {
  let head: OtlpHead | undefined;
  const loading = new SectionsLoading(
    new Map([
      [
        type,
        // biome-ignore lint/correctness/useYield: it is one chunk
        function* (reader) {
          reader.expectVersion(version);
          head = { format: reader.boolean() ? 'json' : 'protobuf', grant: readGrant(reader) };
        },
      ],
    ]),
  );
  loading.take({ type, key: 0, bytes });
  loading.end();
  return head!;
}
