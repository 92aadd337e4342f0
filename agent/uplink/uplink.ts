import type { Clock } from '../../otel/clock.ts';
import type { AgentLog } from '../log.ts';
import { AgentState } from '../state/agent-state.ts';
import type { SamplingGroup } from '../state/sampling-group.ts';
import { BackOff, type BackOffOptions } from './back-off.ts';
import { callFailure } from './call-failure.ts';
import { ConnectionLog } from './connection-log.ts';
import { HeldSeries } from './held-series.ts';
import type { Identity } from './identity.ts';
import { Refusals } from './refusals.ts';
import { type SessionEnd, StreamSession } from './session.ts';
import type { Channel } from './telemetry-call.ts';
import { UplinkCounters, type UplinkStatus } from './uplink-status.ts';

export interface UplinkOptions {
  readonly identity: Identity;
  readonly channel: Channel;
  /** As configured, for logs and status. */
  readonly endpoint: string;
  /** All groups there are, at any time. */
  readonly groups: () => Iterable<SamplingGroup>;
  /** What only the agent holds. Default: one that lasts as long as this. */
  readonly state?: AgentState | undefined;
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly backOff?: BackOffOptions | undefined;
  /** How long to wait for a connection and the collector's Welcome, together. Default 10,000. */
  readonly welcomeTimeoutMs?: number | undefined;
}

/** What became of the last report and the farewell. */
export interface AgentDrainReport {
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
  readonly resolve: (report: AgentDrainReport) => void;
  readonly cancelDeadline: () => void;
  /** A stream on which the farewell could be tried has been opened since. */
  tried: boolean;
}

const idle: State = { kind: 'idle' };

/**
 * Keeps a stream to the collector and reports the groups' state on it. When a stream ends it opens another one after a while and
 * sends everything anew; in between nothing gathers but in the state itself. All failures end in the back-off and a line in the log.
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #backOff: BackOff;
  readonly #connectionLog: ConnectionLog;
  readonly #held = new HeldSeries();
  readonly #refusals: Refusals;
  readonly #counters = new UplinkCounters();
  readonly #agentState: AgentState;
  #state: State = idle;
  #draining: Draining | undefined;
  #drained: Promise<AgentDrainReport> | undefined;

  constructor(options: UplinkOptions) {
    this.#options = options;
    const incarnation = Buffer.from(options.identity.incarnation).toString('hex');
    this.#agentState = options.state ?? new AgentState({ ...options, incarnation });
    this.#backOff = new BackOff(options.backOff);
    this.#connectionLog = new ConnectionLog(options.log, options.clock, options.endpoint);
    this.#refusals = new Refusals({ ...options, counters: this.#counters });
  }

  /** Opens the first stream. Never fails: what goes wrong is tried again. */
  start(): void {
    if (this.#state.kind === 'idle' && this.#drained === undefined) this.#connect();
  }

  /** The groups were collected. Reports them when the stream takes a report; otherwise their newer state is reported later. */
  report(): void {
    if (this.#state.kind === 'session') this.#state.session.report();
  }

  status(): UplinkStatus {
    const session = this.#state.kind === 'session' ? this.#state.session : undefined;
    return this.#counters.status(this.#options.endpoint, session);
  }

  /**
   * Sends the groups' state a last time, says Goodbye and waits until the collector has acknowledged it and ended the stream. Without
   * a stream it tries once to get one. Never rejects; afterwards the uplink is idle. Called again it gives the same report.
   */
  drain(deadlineMs: number): Promise<AgentDrainReport> {
    this.#drained ??= new Promise((resolve) => {
      const cancelDeadline = this.#options.clock.setTimeout(
        () => this.#drainEnds(`the deadline of ${deadlineMs} ms passed first`),
        deadlineMs,
      );
      this.#draining = { resolve, cancelDeadline, tried: false };
      if (this.#state.kind === 'idle') this.#drainEnds('the agent was not running');
      else if (this.#state.kind === 'waiting') this.#connect();
      else this.#state.session.goodbye();
    });
    return this.#drained;
  }

  /** Ends the stream at once. Safe before start and when repeated. */
  stop(): void {
    if (this.#draining !== undefined) this.#drainEnds('the agent was stopped');
    else this.#toIdle();
  }

  #connect(): void {
    if (this.#state.kind === 'waiting') this.#state.cancel();
    const draining = this.#draining;
    if (draining !== undefined) draining.tried = true;
    const { identity, channel, groups, clock, log, endpoint, welcomeTimeoutMs = 10_000 } = this.#options;
    const session = new StreamSession({
      identity,
      channel,
      groups,
      clock,
      welcomeTimeoutMs,
      held: this.#held,
      state: this.#agentState,
      refusals: this.#refusals,
      counters: this.#counters,
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
    const { endpoint, identity, clock, log } = this.#options;
    const failure = callFailure(end.code, end.details, endpoint, identity.memberId);
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
      // Asked to: not before the delay, and not all agents at one moment.
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
