import type { Position } from '../../proto/messages/position.ts';
import type { Grant } from '../security/grant.ts';

/** Told, in order, of everything that changes the state through streams, so that it can be done again; and asked when that is sure. */
export interface SessionJournal {
  /** Before the session is there. */
  opened(session: number, nowUs: number, peer: string, grant: Grant | undefined): void;
  /** Before the message is looked at. @throws StreamgaugeError `overloaded` when it cannot be taken now: then nothing may come of it */
  received(session: number, nowUs: number, bytes: Uint8Array): void;
  /** The stream is over, by whichever side, or cut off. */
  ended(session: number): void;
  /** Time has changed something. */
  ticked(nowUs: number): void;
  /** A member says up to where it was told that its reports were committed; called before its Hello is taken in. */
  returned(place: Position, nowUs: number): void;
  /** Runs once everything up to now is committed: nothing is acknowledged before. At once where nothing is kept. */
  whenCommitted(run: () => void): void;
  /** Everything up to now, as a place that agents are told. */
  place(): Position;
  /** So much waits to be kept that no further stream is to be opened. */
  readonly isCongested: boolean;
  /** What Welcome says of what an Ack means. */
  readonly durability: 'memory' | 'disk';
}

/** For a collector whose state lives as long as its process. */
export function memoryJournal(directoryId: Uint8Array, term: Uint8Array): SessionJournal {
  const place = { directoryId, term, journalPosition: 0 };
  return {
    opened() {},
    received() {},
    ended() {},
    ticked() {},
    returned() {},
    whenCommitted: (run) => run(),
    place: () => place,
    isCongested: false,
    durability: 'memory',
  };
}
