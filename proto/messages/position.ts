import { integer, type LoaderMessage, sized } from './loader.ts';

/** A place in a collector's journal. */
export interface Position {
  /** 16 bytes, or none where they are those of Welcome. */
  readonly directoryId: Uint8Array;
  /** 8 bytes, or none where they are those of Welcome. */
  readonly term: Uint8Array;
  readonly journalPosition: number;
}

export function positionFrom(message: LoaderMessage, fieldPath: string): Position | undefined {
  if (message === null || message === undefined) return undefined;
  return {
    directoryId: sized(message.directoryId, [0, 16], `${fieldPath}.directory_id`),
    term: sized(message.term, [0, 8], `${fieldPath}.term`),
    journalPosition: integer(message.journalPosition, `${fieldPath}.journal_position`),
  };
}

export function positionTo(position: Position | undefined): LoaderMessage {
  return position === undefined
    ? undefined
    : { ...position, journalPosition: String(position.journalPosition) };
}
