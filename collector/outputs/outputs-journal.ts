import type { Sweeping } from './output-stream.ts';
import type { ReaderCursor } from './reader-cursor.ts';
import type { ShownShape } from './shown-shape.ts';

/** How the delta intervals of a reader become requests, which are made again after a restart. */
export interface KeptRequests {
  readonly format: 'otlp' | 'console';
  readonly maxBytes: number;
}

/** Told, in order, of everything that readers and time change in the outputs, so that it can be done again. */
export interface OutputsJournal {
  /** A reader that stays, from now on or again. @param isAfresh whatever stood under its name before is forgotten */
  readerAdded(
    cursor: ReaderCursor,
    name: string,
    requests: KeptRequests | undefined,
    isAfresh: boolean,
  ): void;
  /** It is no more. */
  readerRemoved(cursor: ReaderCursor): void;
  /** Its interval ends here. Before anything is read. */
  collected(cursor: ReaderCursor, wallUs: number, nowUs: number): void;
  delivered(cursor: ReaderCursor): void;
  /**
   * A read, whoever's, has brought points to another scale or zero threshold than they were shown with; before it is over. Not told of reads that are done again: those
   * of readers whose requests are made again. @param stream its number
   */
  shown(stream: number, shapes: readonly ShownShape[]): void;
  swept(sweeping: Sweeping): void;
}

/** For a collector whose state lives as long as its process. */
export const noOutputsJournal: OutputsJournal = {
  readerAdded() {},
  readerRemoved() {},
  collected() {},
  delivered() {},
  shown() {},
  swept() {},
};
