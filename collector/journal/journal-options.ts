import type { SyncPolicy } from './sync-policy.ts';

export interface JournalOptions {
  /** Default: `always`. */
  readonly sync?: SyncPolicy;
  /** A segment has at most so many bytes, but for one that holds a single, larger record. Default 32 MiB; at least 512 bytes. */
  readonly segmentBytes?: number;
  /** Records that are not committed have at most so many bytes. Default 64 MiB. */
  readonly maxPendingBytes?: number;
  /**
   * How long a commit waits for more, in milliseconds, at most 200. Default 0: it starts at once, in the same turn of the event loop, after the
   * input of that turn. More saves CPU time where many little things come, and delays each Ack so much.
   */
  readonly gatherMs?: number;
  /** Told of each commit, for metrics. */
  readonly onCommit?: (commit: CommitFigures) => void;
}

export interface CommitFigures {
  readonly bytes: number;
  readonly records: number;
  /** From the moment when it began to write, in milliseconds. */
  readonly durationMs: number;
}
