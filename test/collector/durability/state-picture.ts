import { createHash } from 'node:crypto';
import type { CollectorState } from '../../../collector/collector-state.ts';
import { noOutputsJournal } from '../../../collector/outputs/outputs-journal.ts';
import type { Sessions } from '../../../collector/sessions/sessions.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { StoreSnapshot } from '../../../otel/state/snapshot/store-snapshot.ts';
import { dump } from '../outputs/snapshot/side.ts';
import { sectionsOf } from '../sessions/snapshot/twin.ts';
import type { DurableReader } from './durable-reader.ts';

/** All that a state is, in a form that differs legibly where two states do. */
export interface StatePicture {
  /** What a scrape shows at one time. */
  readonly shown: readonly string[];
  readonly rules: object;
  readonly horizonUs: number;
  readonly members: readonly object[];
  /** The bytes of what waits for their backends; where they stand is among the outputs. */
  readonly readers: readonly object[];
  /** Checksums of what a checkpoint would hold, by section and chunk. */
  readonly store: readonly string[];
  readonly streams: readonly string[];
  readonly outputs: readonly string[];
}

/** Not while another picture is open: it takes one. Nor of a state that is to go on: it is read, and no journal told of it. */
export function pictureOf(
  state: CollectorState,
  sessions: Sessions,
  readers: readonly DurableReader[],
  nowUs: number,
): StatePicture {
  const { outputs, store } = state;
  outputs.recordIn(noOutputsJournal);
  const storeSnapshot = new StoreSnapshot(store, state.points);
  storeSnapshot.take();
  return {
    rules: state.rules,
    horizonUs: store.horizonUs,
    members: [...store.members].map(({ id, slots, isPresent, lastReportUs, reportedUs }) => ({
      id,
      slots,
      isPresent,
      lastReportUs,
      reportedUs,
    })),
    readers: readers.map(({ name, intervals }) => ({
      name,
      isMaking: intervals?.isMaking,
      waiting: intervals?.waiting.map(({ timeUs, requests }) => [
        timeUs,
        ...requests.map(({ bytes }) => hash(bytes)),
      ]),
    })),
    store: hashes(storeSnapshot.write(new SnapshotWriter())),
    streams: hashes(sectionsOf(sessions, store)),
    outputs: hashes(outputs.snapshot().chunks(new SnapshotWriter())),
    // Last, as it may change what points are shown with from then on.
    shown: dump(outputs.collect(outputs.passerBy(), nowUs)),
  };
}

function hashes(chunks: Iterable<SnapshotChunk>): string[] {
  return Array.from(chunks, ({ type, key, bytes }) => `${type}/${key} ${hash(bytes)}`);
}

function hash(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash('sha1').update(bytes).digest('hex').slice(0, 16)}`;
}
