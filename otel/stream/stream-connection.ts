import type { Clock } from '../clock.ts';
import { BackOff, type BackOffOptions } from './back-off.ts';
import { callFailure } from './call-failure.ts';
import { ConnectionLog } from './connection-log.ts';
import type { EndNames } from './end-names.ts';
import type { Identity } from './identity.ts';
import { type SessionEnd, StreamSession } from './session.ts';
import type { OpenCall } from './stream-call.ts';
import type { StreamContent } from './stream-content.ts';
import type { StreamLog } from './stream-log.ts';
import type { StreamCounters, StreamStatus } from './stream-status.ts';

/** Where a connection goes to, and as whom. May change while it is kept. */
export interface StreamTarget {
  readonly identity: Identity;
  readonly openCall: OpenCall;
  /** As configured, for logs and status. */
  readonly endpoint: string;
  /** A report that was not acknowledged for so long means that the collector is gone. */
  readonly ackOverdueMs: number;
  readonly backOff?: BackOffOptions | undefined;
  /** How long to wait for a connection and the collector's Welcome, together. Default 10,000. */
  readonly welcomeTimeoutMs?: number | undefined;
}

export interface StreamConnectionOptions extends StreamTarget {
  /** How sentences name this end. */
  readonly names: EndNames;
  readonly content: StreamContent;
  readonly counters: StreamCounters;
  /** What may be used beyond version 1 of the protocol. Default: nothing. */
  readonly capabilities?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: StreamLog;
}

/** What became of the last report and the farewell. */
export interface DrainReport {
  /** The collector has acknowledged every report, the last one included. */
  readonly delivered: boolean;
  /** The number of the last report of this incarnation; 0: none was sent. */
  readonly lastReport: number;
  /** The highest report that was acknowledged; 0: none. */
  readonly acknowledged: number;
  /** Why not everything was delivered; empty when it was. */
  readonly reason: string;
}

/**
 * - `idle`: not started, or stopped.
 * - `session`: a stream is being opened or is open; the session knows which.
 * - `waiting`: between two attempts.
 */
type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'session'; readonly session: StreamSession }
  | { readonly kind: 'waiting'; readonly cancel: () => void };

interface Draining {
  readonly resolve: (report: DrainReport) => void;
  readonly cancelDeadline: () => void;
  /** A stream on which the farewell could be tried has been opened since. */
  tried: boolean;
}

const idle: State = { kind: 'idle' };

/**
 * Keeps a stream to the collector and reports the state on it. When a stream ends it opens another one after a while and
 * sends everything anew; in between nothing gathers but in the state itself. All failures end in the back-off and a line in the log.
 */
export class StreamConnection {
  #options: StreamConnectionOptions;
  #backOff: BackOff;
  #connectionLog: ConnectionLog;
  readonly #counters: StreamCounters;
  #state: State = idle;
  #draining: Draining | undefined;
  #drained: Promise<DrainReport> | undefined;

  constructor(options: StreamConnectionOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#backOff = new BackOff(options.backOff);
    this.#connectionLog = new ConnectionLog(options.log, options.clock, options.endpoint);
  }

  /** Opens the first stream. Never fails: what goes wrong is tried again. */
  start(): void {
    if (this.#state.kind === 'idle' && this.#drained === undefined) this.#connect();
  }

  /** There was a collection. Reports it when the stream takes a report; otherwise the newer state is reported later. */
  report(): void {
    if (this.#state.kind === 'session') this.#state.session.report();
  }

  /**
   * Connects to another target, or as another resource, from now on. An open stream is left in order, so that its last reports are
   * acknowledged; what it was told is told anew by the next one.
   * @param needsStream false: the present stream can go on, and the target holds for what comes next
   */
  retarget(target: StreamTarget, needsStream: boolean): void {
    const { log, clock } = this.#options;
    this.#options = { ...this.#options, ...target };
    this.#backOff = new BackOff(target.backOff);
    if (!needsStream) return;
    this.#connectionLog = new ConnectionLog(log, clock, target.endpoint);
    const state = this.#state;
    if (state.kind === 'idle' || this.#draining !== undefined) return;
    if (state.kind === 'session') {
      if (state.session.leave('the configuration has changed')) return;
      state.session.close();
    }
    this.#connect();
  }

  status(): StreamStatus {
    const session = this.#state.kind === 'session' ? this.#state.session : undefined;
    return this.#counters.status(this.#options.endpoint, session);
  }

  /**
   * Sends the state a last time, says Goodbye and waits until the collector has acknowledged it and ended the stream. Without
   * a stream it tries once to get one. Never rejects; afterwards it is idle. Called again it gives the same report.
   */
  drain(deadlineMs: number): Promise<DrainReport> {
    this.#drained ??= new Promise((resolve) => {
      const cancelDeadline = this.#options.clock.setTimeout(
        () => this.#drainEnds(`the deadline of ${deadlineMs} ms passed first`),
        deadlineMs,
      );
      this.#draining = { resolve, cancelDeadline, tried: false };
      if (this.#state.kind === 'idle') this.#drainEnds(`the ${this.#options.names.self} was not running`);
      else if (this.#state.kind === 'waiting') this.#connect();
      else this.#state.session.goodbye();
    });
    return this.#drained;
  }

  /** Ends the stream at once. Safe before start and when repeated. */
  stop(): void {
    if (this.#draining !== undefined) this.#drainEnds(`the ${this.#options.names.self} was stopped`);
    else this.#toIdle();
  }

  #connect(): void {
    if (this.#state.kind === 'waiting') this.#state.cancel();
    const draining = this.#draining;
    if (draining !== undefined) draining.tried = true;
    const { log, endpoint, capabilities = [], welcomeTimeoutMs = 10_000 } = this.#options;
    const session = new StreamSession({
      ...this.#options,
      capabilities,
      welcomeTimeoutMs,
      self: this.#options.names.self,
      onWelcome: (fields) => {
        this.#connectionLog.connected(fields);
        if (this.#draining !== undefined) session.goodbye();
      },
      onEnd: (end) => this.#onEnd(session, end),
    });
    this.#state = { kind: 'session', session };
    log.debug({ endpoint }, 'connecting');
    session.open();
  }

  #onEnd(session: StreamSession, end: SessionEnd): void {
    if (this.#state.kind !== 'session' || this.#state.session !== session) return;
    const { endpoint, identity, names, clock, log } = this.#options;
    const failure = callFailure(end.code, end.details, endpoint, identity.memberId, names);
    const draining = this.#draining;
    if (draining !== undefined) {
      if (session.saidGoodbye || draining.tried) this.#drainEnds(failure.message);
      else this.#connect();
      return;
    }
    this.#counters.reconnects++;
    let delayMs: number;
    if (end.reconnectDelayMs === undefined) {
      delayMs = this.#backOff.next(end.upMs, failure.needsPeople);
      this.#counters.lastError = failure.message;
      this.#connectionLog.failed(failure, delayMs);
    } else {
      // Asked to: not before the delay, and not all of a fleet at one moment.
      delayMs = end.reconnectDelayMs + this.#backOff.next(end.upMs);
      log.info({ endpoint, retryInMs: Math.round(delayMs) }, `${end.details}; connecting again`);
    }
    this.#state = { kind: 'waiting', cancel: clock.setTimeout(() => this.#connect(), delayMs) };
  }

  /** @param reason why it ended; it counts when not everything had been acknowledged by then */
  #drainEnds(reason: string): void {
    const draining = this.#draining!;
    const { lastReport, acknowledged } = this.#counters;
    const said = this.#state.kind === 'session' && this.#state.session.saidGoodbye;
    const delivered = said && acknowledged >= lastReport;
    draining.cancelDeadline();
    this.#draining = undefined;
    this.#toIdle();
    draining.resolve({ delivered, lastReport, acknowledged, reason: delivered ? '' : reason });
  }

  #toIdle(): void {
    const state = this.#state;
    this.#state = idle;
    if (state.kind === 'waiting') state.cancel();
    if (state.kind === 'session') state.session.close();
  }
}
