import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { StreamLimits } from '../config/collector-config.ts';
import type { Denial } from '../security/denial.ts';
import type { Grant } from '../security/grant.ts';
import type { Owners } from './owners.ts';
import type { Session } from './session.ts';
import type { EndCause, SessionCounters } from './session-counters.ts';
import type { SessionJournal } from './session-journal.ts';

/** What a session needs of its surroundings. */
export interface SessionHost {
  readonly store: MetricStore;
  readonly owners: Owners;
  readonly counters: SessionCounters;
  readonly journal: SessionJournal;
  readonly limits: StreamLimits;
  /** Silent for so long, a member or series leaves gauges and up-down sums, and is freed. */
  readonly stalenessMs: number;
  readonly evictionMs: number;
  /** By the store's clock, microseconds. */
  nowUs(): number;
  /** The session is over. */
  ended(session: Session): void;
  log(level: 'info' | 'warn', fields: object, message: string): void;
}

/** The peer's end of the stream. */
export interface SessionPeer {
  /** Its address, for logs. */
  readonly address: string;
  /** What it may do and write, where that has bounds. */
  readonly grant?: Grant | undefined;
  /** Told that it went beyond them, before the end. */
  readonly denied?: ((denial: Denial) => void) | undefined;
  send(bytes: Buffer): void;
  /** Ends the stream; nothing may be sent after it. */
  end(cause: EndCause, message: string): void;
}
