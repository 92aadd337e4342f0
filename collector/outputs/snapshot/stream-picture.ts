import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import type { SeriesDefinition } from '../../../otel/state/definitions.ts';

/**
 * What an output, or a part of one, is at one moment. Taking it copies what a reader or a new series changes; of what only a sweep changes it
 * holds the arrays themselves, and how far they went, so nothing may be swept until it is written.
 */
export interface StreamPicture {
  /** Writes it, once, in pieces: a chunk may be cut behind each, so whoever reads one first asks whether the chunk at hand is spent. */
  write(writer: SnapshotWriter): Generator<SnapshotChunk, void>;
  /** It is not written after all. Absent: nothing is to be let go of. */
  release?(): void;
}

/** Pictures of parts, to be written one after the other. */
export function inARow(pictures: readonly StreamPicture[]): StreamPicture {
  return {
    *write(writer) {
      for (const picture of pictures) yield* picture.write(writer);
    },
    release() {
      for (const picture of pictures) picture.release?.();
    },
  };
}

/** What an output is loaded from. */
export interface StreamLoading {
  readonly reader: SnapshotReader;
  /**
   * The definition of a series that goes into the output.
   * @throws SnapshotError when there is no such series, when it belongs elsewhere, or when it is in the outputs of this view already
   */
  take(slot: number): SeriesDefinition;
  /** The index of a reader now, by the one it had; `undefined`: it is no more. */
  readerAt(index: number): number | undefined;
}
