import type { SectionLoader } from '../../../otel/snapshot/load-sections.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotError } from '../../../otel/snapshot/snapshot-error.ts';
import { SnapshotSection } from '../../../otel/snapshot/snapshot-part.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import type { Sessions } from '../sessions.ts';
import { OwnersPart } from './owners-part.ts';
import { type PeerOf, SessionsPart } from './sessions-part.ts';

/** Types of sections, in the order in which they are written and loaded: after those of the store. */
export const sessionsSections = { owners: 32, sessions: 33 } as const;

const version = 1;

/**
 * The streams that are held and who speaks for whom, as sections of a snapshot. Made once for the sessions and used for each copy, as
 * StoreSnapshot is, and taken in the same synchronous step; or once for sessions without a stream that are loaded, after their store.
 */
export class SessionsSnapshot {
  readonly #owners: SnapshotSection;
  readonly #sessions: SnapshotSection;

  /** @param peerOf for each session that is loaded the other end; without it there is none */
  constructor(sessions: Sessions, store: MetricStore, peerOf?: PeerOf) {
    this.#owners = new SnapshotSection(sessionsSections.owners, 0, version, [
      new OwnersPart(sessions.owners),
    ]);
    this.#sessions = new SnapshotSection(sessionsSections.sessions, 0, version, [
      new SessionsPart(sessions, store, peerOf),
    ]);
  }

  /** Makes room for the next copy in small steps, between which others run. */
  *reserve(): Generator<void, void> {
    yield* this.#owners.reserve();
    yield* this.#sessions.reserve();
  }

  /**
   * The state as it is now, in the place of the copy before. Between two messages of every stream. Streams are copied before they change, or
   * when they are written. One snapshot at a time is taken of the same sessions.
   */
  take(): void {
    this.#owners.take();
    this.#sessions.take();
  }

  /** Writes the copy, chunk by chunk. */
  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* this.#owners.write(writer);
    yield* this.#sessions.write(writer);
  }

  /** By type of section. */
  get loaders(): Map<number, SectionLoader> {
    return new Map([
      [sessionsSections.owners, this.#owners.load],
      [
        sessionsSections.sessions,
        (reader) => {
          if (!this.#owners.isLoaded) throw reader.error('the section of owners is missing before it');
          return this.#sessions.load(reader);
        },
      ],
    ]);
  }

  /** All sections have been loaded. @throws SnapshotError when one was missing */
  finish(): void {
    for (const { type, isLoaded } of [this.#owners, this.#sessions])
      if (!isLoaded) throw new SnapshotError('is missing', { type, key: 0 });
  }
}
