import type { Clock } from '../../otel/clock.ts';
import type { BackOffOptions } from '../../otel/stream/back-off.ts';
import { agentNames } from '../../otel/stream/end-names.ts';
import { HeldSeries } from '../../otel/stream/held-series.ts';
import type { Identity } from '../../otel/stream/identity.ts';
import {
  type DrainReport,
  StreamConnection,
  type StreamTarget,
} from '../../otel/stream/stream-connection.ts';
import { StreamCounters, type StreamStatus } from '../../otel/stream/stream-status.ts';
import type { AgentLog } from '../log.ts';
import { AgentState } from '../state/agent-state.ts';
import type { SamplingGroup } from '../state/sampling-group.ts';
import { Refusals } from './refusals.ts';
import { StreamReports } from './stream-reports.ts';
import { type Channel, keepaliveTimeoutMs, TelemetryCall } from './telemetry-call.ts';

/** Nobody here waits for an Ack but at Goodbye, when it comes at once: one may stand for many reports. It is how soon a dead collector is noticed, too. */
export const ackDelayMs = 20_000;
/** On a stream that begins with final states: the next life of a series may wait for the Ack of the one before. */
const finalsAckDelayMs = 250;

/** Where the uplink connects to, and as whom. May change while it runs. */
export interface UplinkTarget {
  readonly identity: Identity;
  readonly channel: Channel;
  /** As configured, for logs and status. */
  readonly endpoint: string;
  readonly backOff?: BackOffOptions | undefined;
  /** How long to wait for a connection and the collector's Welcome, together. Default 10,000. */
  readonly welcomeTimeoutMs?: number | undefined;
}

export interface UplinkOptions extends UplinkTarget {
  /** All groups there are, at any time. */
  readonly groups: () => Iterable<SamplingGroup>;
  /** What only the agent holds. Default: one that lasts as long as this. */
  readonly state?: AgentState | undefined;
  readonly clock: Clock;
  readonly log: AgentLog;
}

/** What of a connection depends on the target. */
function streamTarget(target: UplinkTarget): StreamTarget {
  const { identity, channel, endpoint, backOff, welcomeTimeoutMs } = target;
  return {
    identity,
    endpoint,
    backOff,
    welcomeTimeoutMs,
    ackOverdueMs: ackDelayMs + (channel.keepaliveTimeoutMs ?? keepaliveTimeoutMs),
    openCall: (events) => new TelemetryCall(channel, events),
  };
}

/** What became of the last report and the farewell. */
export type AgentDrainReport = DrainReport;

/** The agent's connection to its collector: what the sampling groups hold, over as many streams as it takes. */
export class Uplink {
  readonly #connection: StreamConnection;

  constructor(options: UplinkOptions) {
    const { groups, clock, log } = options;
    const incarnation = Buffer.from(options.identity.incarnation).toString('hex');
    const state = options.state ?? new AgentState({ ...options, incarnation });
    const counters = new StreamCounters();
    const held = new HeldSeries();
    const refusals = new Refusals({ ...options, counters });
    this.#connection = new StreamConnection({
      ...streamTarget(options),
      names: agentNames,
      counters,
      clock,
      log,
      content: {
        get position() {
          return state.position;
        },
        get ackDelayMs() {
          return state.finals.size > 0 ? finalsAckDelayMs : ackDelayMs;
        },
        begin: ({ limits, lastReport }, welcomeMs, writer) => {
          const reports = new StreamReports({
            groups,
            clock,
            held,
            state,
            counters,
            onLeftOut: (series, why) => refusals.leftOut(series, why),
            limits,
            welcomeMs,
            ...writer,
          });
          state.welcomed(lastReport);
          return {
            cut: () => reports.cut(),
            refused: (refuse) => refusals.handle(refuse, reports),
            get series() {
              return reports.book.size;
            },
            get isOvergrown() {
              return reports.isOvergrown;
            },
          };
        },
        acknowledged: (report, position) => state.acknowledged(report, position),
      },
    });
  }

  /** Opens the first stream. Never fails: what goes wrong is tried again. */
  start(): void {
    this.#connection.start();
  }

  /** The groups were collected. Reports them when the stream takes a report; otherwise their newer state is reported later. */
  report(): void {
    this.#connection.report();
  }

  /**
   * Connects to another target, or as another resource, from now on: see StreamConnection.
   * @param needsStream false: the present stream can go on
   */
  retarget(target: UplinkTarget, needsStream: boolean): void {
    this.#connection.retarget(streamTarget(target), needsStream);
  }

  status(): StreamStatus {
    return this.#connection.status();
  }

  /**
   * Sends the groups' state a last time, says Goodbye and waits until the collector has acknowledged it and ended the stream. Without
   * a stream it tries once to get one. Never rejects; afterwards the uplink is idle. Called again it gives the same report.
   */
  drain(deadlineMs: number): Promise<AgentDrainReport> {
    return this.#connection.drain(deadlineMs);
  }

  /** Ends the stream at once. Safe before start and when repeated. */
  stop(): void {
    this.#connection.stop();
  }
}
