import type { StreamgaugeError } from '../../proto/error.ts';

/** Where the state is kept beside memory, if anywhere: what the rest of the collector needs to know of it. */
export interface StateStorage {
  readonly kind: 'memory' | 'directory';
  /** Resolves once everything up to now is kept: nothing that depends on it leaves before. */
  committed(): Promise<void>;
  /** Whether more waits to be kept than is good; then {@link StateStorage.drained} resolves when that is over. */
  readonly isCongested: boolean;
  drained(): Promise<void>;
  /** Why nothing is kept at present, and so nothing acknowledged; `undefined` when all is well. */
  readonly failure: StreamgaugeError | undefined;
  readonly status: StorageStatus;
  /** Called every second or so. */
  tick(): void;
  /** No checkpoint is written until the function that it gives is called, and one that is under way is called off. */
  holdCheckpoints(): () => void;
  /** The rules were changed in place: the journal alone would do it again, slowly. */
  wantCheckpoint(): void;
  /** Makes the next start quick. Gives whether that was possible before the signal. */
  checkpoint(signal: AbortSignal): Promise<boolean>;
  /** Keeps what is not kept yet, within the deadline, and lets go. Gives why not everything is kept, if so. Safe to repeat. */
  close(deadlineMs: number): Promise<StreamgaugeError | undefined>;
}

/** For people and for the collector's own metrics; sizes are bytes, times milliseconds. */
export type StorageStatus =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly state: 'open' | 'failing' | 'closed';
      readonly error: string | null;
      readonly directoryId: string;
      readonly term: string;
      readonly position: number;
      readonly committedPosition: number;
      readonly pendingBytes: number;
      readonly commits: number;
      readonly commitErrors: number;
      readonly commitMs: number;
      readonly writtenBytes: number;
      readonly refusedRecords: number;
      readonly checkpoint: {
        readonly position: number;
        readonly bytes: number;
        readonly durationMs: number;
        readonly longestMomentMs: number;
      } | null;
      readonly checkpoints: { readonly written: number; readonly failed: number };
      /** Times that acknowledged data was found lost in this run, so that merged outputs began anew. */
      readonly losses: number;
      /** What opening the directory came to. */
      readonly recovery: { readonly records: number; readonly damages: number; readonly durationMs: number };
    };

export const memoryStorage: StateStorage = {
  kind: 'memory',
  committed: () => Promise.resolve(),
  isCongested: false,
  drained: () => Promise.resolve(),
  failure: undefined,
  status: { kind: 'memory' },
  tick() {},
  holdCheckpoints: () => () => {},
  wantCheckpoint() {},
  checkpoint: () => Promise.resolve(true),
  close: () => Promise.resolve(undefined),
};
