import { SectionsLoading } from '../../otel/snapshot/load-sections.ts';
import { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { Grant } from '../security/grant.ts';
import { readGrant, writeGrant } from '../sessions/snapshot/grant.ts';

/** What is known of a stream when it is opened. */
export interface Opening {
  readonly session: number;
  readonly nowUs: number;
  readonly peer: string;
  readonly grant: Grant | undefined;
}

const type = 1;
const version = 1;

/** As bytes, in the coding of checkpoints. */
export function encodeOpening({ session, nowUs, peer, grant }: Opening): Uint8Array {
  const writer = new SnapshotWriter();
  writer.begin(type, 0, version);
  writer.varint(session);
  writer.float64(nowUs);
  writer.string(peer);
  writeGrant(writer, grant);
  return writer.end().bytes;
}

/** @throws SnapshotError for other bytes */
export function decodeOpening(bytes: Uint8Array): Opening {
  let opening: Opening | undefined;
  const loading = new SectionsLoading(
    new Map([
      [
        type,
        // biome-ignore lint/correctness/useYield: it is one chunk
        function* (reader) {
          reader.expectVersion(version);
          const session = reader.varint(Number.MAX_SAFE_INTEGER, 'the number of a session');
          opening = { session, nowUs: reader.float64(), peer: reader.string(), grant: readGrant(reader) };
        },
      ],
    ]),
  );
  loading.take({ type, key: 0, bytes });
  loading.end();
  return opening!;
}
