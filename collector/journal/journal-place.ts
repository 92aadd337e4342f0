import type { Storage } from './storage.ts';

/** Where a journal goes on. */
export interface JournalPlace {
  readonly storage: Storage;
  readonly directoryId: Buffer;
  readonly term: Buffer;
  readonly bornMs: number;
  readonly position: number;
  /** The checksum of the last frame that holds, or 0. */
  readonly previous: number;
}
