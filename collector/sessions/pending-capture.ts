import type { StreamCopies } from '../../proto/report/stream-capture.ts';
import type { Session } from './session.ts';
import type { SessionCapture } from './session-capture.ts';

/**
 * What a session was at one moment, captured when it is asked for or before the session first changes, whichever comes first: so the moment
 * itself costs next to nothing, however many streams there are.
 */
export class PendingCapture {
  readonly #copies: StreamCopies;
  #session: Session | undefined;
  #capture: SessionCapture | undefined;

  /** @param copies has room for the stream's columns */
  constructor(session: Session, copies: StreamCopies) {
    this.#session = session;
    this.#copies = copies;
  }

  /** The session is about to change. */
  settle(): void {
    this.#capture ??= this.#session?.capture(this.#copies);
    this.#session = undefined;
  }

  /** Gives what the session was, once. */
  take(): SessionCapture | undefined {
    this.settle();
    const capture = this.#capture;
    this.#capture = undefined;
    return capture;
  }

  /** Nobody asks any more. */
  drop(): void {
    this.#session = undefined;
    this.#capture = undefined;
  }
}
