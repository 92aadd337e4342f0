import type { StreamgaugeError } from '../../proto/error.ts';

export interface JournalStatus {
  /** `failing`: nothing is committed until the disk takes it; it is tried again and again. */
  readonly state: 'open' | 'failing' | 'closed';
  /** While it is failing: why, and since when (milliseconds since the Unix epoch). */
  readonly error: StreamgaugeError | undefined;
  readonly failingSinceMs: number | undefined;
  /** Behind the last record, and behind the last committed one. */
  readonly position: number;
  readonly committedPosition: number;
  /** Of records that are not committed. */
  readonly pendingBytes: number;
  /** Over all of this opening. */
  readonly commits: number;
  readonly commitErrors: number;
  readonly writtenBytes: number;
  /** Records that were not accepted because too many were pending. */
  readonly refusedRecords: number;
}

/** What became of a journal that was closed. */
export interface CloseResult {
  /** Records that could not be committed in time, in bytes; 0 when all is well. */
  readonly uncommittedBytes: number;
  /** Whether a call to the disk has not come back: it may still write. */
  readonly isStuck: boolean;
  /** Why not. */
  readonly error: StreamgaugeError | undefined;
}
