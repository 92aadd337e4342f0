import { status } from '@grpc/grpc-js';
import type { Clock } from '../../otel/clock.ts';
import { attributesToWire } from '../../otel/model/any-value.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { type AgentMessage, encodeAgentMessage } from '../../proto/messages/agent-message.ts';
import {
  type CollectorMessage,
  decodeCollectorMessage,
  type Welcome,
} from '../../proto/messages/collector-message.ts';
import type { Instruct } from '../../proto/messages/instruct.ts';
import type { AgentState } from '../state/agent-state.ts';
import type { SamplingGroup } from '../state/sampling-group.ts';
import { AckWatch } from './ack-watch.ts';
import type { HeldSeries } from './held-series.ts';
import type { Identity } from './identity.ts';
import type { Refusals } from './refusals.ts';
import { StreamReports } from './stream-reports.ts';
import { type Channel, keepaliveTimeoutMs, TelemetryCall } from './telemetry-call.ts';
import type { UplinkCounters } from './uplink-status.ts';

/** The version of the protocol that this agent speaks. */
const protocolVersion = 1;
/** Nobody here waits for an Ack but at Goodbye, when it comes at once: one may stand for many reports. It is how soon a dead collector is noticed, too. */
export const ackDelayMs = 20_000;
/** On a stream that begins with final states: the next life of a series may wait for the Ack of the one before. */
const finalsAckDelayMs = 250;

/** How long a collector that said it drains may take to end the stream after our half-close. */
const leaveTimeoutMs = 10_000;
/** Answers that may wait for the transport; a collector that asks faster than it reads is not served. */
const maxWaiting = 256;

export interface SessionOptions {
  readonly identity: Identity;
  readonly channel: Channel;
  readonly groups: () => Iterable<SamplingGroup>;
  readonly clock: Clock;
  readonly welcomeTimeoutMs: number;
  readonly held: HeldSeries;
  readonly state: AgentState;
  readonly refusals: Refusals;
  readonly counters: UplinkCounters;
  readonly onWelcome: (fields: { session: string; durability: string; peer: string }) => void;
  /** Once, at the end, unless the session was closed from this side. */
  readonly onEnd: (end: SessionEnd) => void;
}

export interface SessionEnd {
  /** The gRPC status code, or that of what this side found wrong. */
  readonly code: number;
  readonly details: string;
  /** How long the stream was welcome, in milliseconds; 0: never. */
  readonly upMs: number;
  /** The stream ended as it should, and another one is wanted after so long; `undefined`: it failed. */
  readonly reconnectDelayMs: number | undefined;
}

/**
 * - `new`: not opened yet.
 * - `hello`: Hello is on its way; nothing else is sent before Welcome.
 * - `open`: reports flow.
 * - `leaving`: half-closed, because the collector drains or the stream is renewed; the end is awaited.
 * - `farewell`: the last report and Goodbye go out as soon as the transport takes them; then Ack and the end are awaited.
 * - `ended`.
 */
type State = 'new' | 'hello' | 'open' | 'leaving' | 'farewell' | 'ended';

/** One stream: the conversation of telemetry_stream.proto from Hello to the end, as the agent leads it. */
export class StreamSession {
  readonly #options: SessionOptions;
  #call: TelemetryCall | undefined;
  #state: State = 'new';
  #welcome: Welcome | undefined;
  #welcomeMs = 0;
  #reports: StreamReports | undefined;
  /** A collection found the transport busy: its state goes out as soon as that has taken what it has. */
  #pending = false;
  /** No reports before this moment, by the collector's wish. */
  #notBeforeMs = 0;
  #saidGoodbye = false;
  #cancelTimeout: (() => void) | undefined;
  /** What this side found wrong: told in place of the CANCELLED that it makes of the call. */
  #fault: { code: number; details: string } | undefined;
  #leave: { delayMs: number; why: string } | undefined;
  readonly #acks: AckWatch;

  constructor(options: SessionOptions) {
    this.#options = options;
    const overdueMs = ackDelayMs + (options.channel.keepaliveTimeoutMs ?? keepaliveTimeoutMs);
    this.#acks = new AckWatch(options.clock, overdueMs, () =>
      this.#fail(status.UNAVAILABLE, `no report has been acknowledged for ${overdueMs / 1000} s`),
    );
  }

  /** Welcome has come and reports are taken. */
  get connected(): boolean {
    return this.#state === 'open' || this.#state === 'farewell';
  }

  /** The collector's name for the session. */
  get name(): string {
    return this.#welcome?.session ?? '';
  }

  get durability(): string {
    return this.#welcome?.durability ?? '';
  }

  /** Series that have a number. */
  get series(): number {
    return this.#reports?.book.size ?? 0;
  }

  /** The last report and Goodbye were sent. */
  get saidGoodbye(): boolean {
    return this.#saidGoodbye;
  }

  open(): void {
    const { channel, identity, clock, state, welcomeTimeoutMs } = this.#options;
    this.#state = 'hello';
    this.#cancelTimeout = clock.setTimeout(
      () => this.#fail(status.DEADLINE_EXCEEDED, `no Welcome came within ${welcomeTimeoutMs} ms`),
      welcomeTimeoutMs,
    );
    try {
      this.#call = new TelemetryCall(channel, {
        onMessage: (bytes) => this.#onMessage(bytes),
        onWritable: () => this.#onWritable(),
        onEnd: (code, details) => this.#onEnd(code, details),
      });
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      if (error.kind !== 'config') throw thrown;
      // A file of certificates or tokens, which may be all right at the next attempt.
      this.#onEnd(status.FAILED_PRECONDITION, error.message);
      return;
    }
    this.#send({
      type: 'hello',
      protocolVersion,
      memberId: identity.memberId,
      incarnation: identity.incarnation,
      bootId: identity.bootId,
      resource: attributesToWire(identity.resource.attributes),
      resourceSchemaUrl: identity.resource.schemaUrl,
      capabilities: [],
      clockUs: clock.nowUs(),
      lastAck: state.position,
      userAgent: identity.userAgent,
      ackDelayMs: state.finals.size > 0 ? finalsAckDelayMs : ackDelayMs,
    });
  }

  /** The groups were collected: reports them now, or says that it was skipped and reports their state when the transport is ready. */
  report(): void {
    if (this.#state !== 'open') return;
    if (this.#options.clock.monotonicMs() < this.#notBeforeMs || !this.#call!.writable) {
      this.#options.counters.skipped++;
      this.#pending = true;
      return;
    }
    this.#cut();
  }

  /** Sends the groups' state a last time and says Goodbye. Before Welcome it waits for that; its caller has the deadline. */
  goodbye(): void {
    if (this.#state !== 'open') return;
    this.#state = 'farewell';
    this.#onWritable();
  }

  /** Ends the stream at once and silently. */
  close(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelTimeout?.();
    this.#acks.stop();
    this.#call?.cancel();
  }

  #onWritable(): void {
    const call = this.#call!;
    if (!call.writable) return;
    if (this.#state === 'open' && this.#pending) {
      if (this.#options.clock.monotonicMs() >= this.#notBeforeMs) this.#cut();
    } else if (this.#state === 'farewell' && !this.#saidGoodbye) {
      this.#cut();
      this.#saidGoodbye = true;
      this.#send({ type: 'goodbye', lastReport: this.#options.counters.lastReport });
    }
  }

  #cut(): void {
    this.#pending = false;
    this.#reports!.cut();
    if (this.#reports!.isOvergrown && this.#state === 'open')
      this.#leaveStream(0, 'the stream is renewed to drop definitions that are no longer used');
  }

  #onMessage(bytes: Buffer): void {
    if (this.#state === 'ended' || this.#fault !== undefined) return;
    let message: CollectorMessage;
    try {
      message = decodeCollectorMessage(bytes);
    } catch (error) {
      this.#fail(
        status.INTERNAL,
        `the collector's message cannot be read: ${StreamgaugeError.from(error).message}`,
      );
      return;
    }
    if (message.type === 'welcome') {
      this.#onWelcome(message);
      return;
    }
    if (this.#welcome === undefined) {
      this.#fail(status.INTERNAL, `the collector sent ${message.type} before Welcome`);
      return;
    }
    switch (message.type) {
      case 'ack':
        this.#acknowledged(message.report, message.position);
        return;
      case 'refuse':
        this.#notBeforeMs = this.#options.refusals.handle(message, this.#reports!) ?? this.#notBeforeMs;
        return;
      case 'instruct':
        this.#instructed(message);
    }
  }

  #onWelcome(welcome: Welcome): void {
    const { groups, clock, counters, held, state, refusals, onWelcome } = this.#options;
    if (this.#state !== 'hello') {
      this.#fail(status.INTERNAL, 'the collector sent Welcome twice');
      return;
    }
    if (welcome.protocolVersion !== protocolVersion) {
      this.#fail(
        status.UNIMPLEMENTED,
        `the collector wants protocol version ${welcome.protocolVersion}, and this agent speaks ${protocolVersion}`,
      );
      return;
    }
    this.#cancelTimeout?.();
    this.#welcome = welcome;
    this.#welcomeMs = clock.monotonicMs();
    this.#reports = new StreamReports({
      groups,
      clock,
      held,
      state,
      counters,
      onLeftOut: (series, why) => refusals.leftOut(series, why),
      limits: welcome.limits,
      welcomeMs: this.#welcomeMs,
      writeControl: (message) => this.#send(message),
      writeReport: (bytes) => {
        this.#acks.sent();
        this.#call!.writeReport(bytes);
      },
    });
    counters.acknowledged = Math.min(
      Math.max(counters.acknowledged, welcome.lastReport),
      counters.lastReport,
    );
    state.welcomed(welcome.lastReport);
    this.#state = 'open';
    onWelcome({ session: welcome.session, durability: welcome.durability, peer: this.#call!.peer });
    for (const instruct of welcome.instructions) this.#instructed(instruct);
    if (this.#state === 'open') this.#cut();
  }

  #acknowledged(report: number, position: Welcome['position']): void {
    const { counters, clock, state } = this.#options;
    if (report > counters.lastReport) {
      this.#fail(
        status.INTERNAL,
        `the collector acknowledged report ${report}, and the last one sent is ${counters.lastReport}`,
      );
      return;
    }
    counters.acknowledged = Math.max(counters.acknowledged, report);
    counters.lastAckUs = clock.nowUs();
    this.#acks.acknowledged(report === counters.lastReport);
    const base = this.#welcome!.position;
    const journalPosition = position?.journalPosition ?? base?.journalPosition ?? 0;
    const directoryId = position?.directoryId.length ? position.directoryId : base?.directoryId;
    const term = position?.term.length ? position.term : base?.term;
    const isKnown = directoryId !== undefined && term !== undefined;
    state.acknowledged(report, isKnown ? { directoryId, term, journalPosition } : undefined);
  }

  #instructed(instruct: Instruct): void {
    if (this.#state !== 'open') return;
    if (this.#call!.waiting > maxWaiting) {
      this.#fail(
        status.RESOURCE_EXHAUSTED,
        'the collector sends instructions faster than it reads the answers',
      );
      return;
    }
    const { instruction, number } = instruct;
    const answer = (error: string) => this.#send({ type: 'answer', instruction: number, error });
    switch (instruction.type) {
      case 'drain':
        answer('');
        this.#leaveStream(instruction.reconnectDelayMs, 'the collector is going away');
        return;
      case 'sampling_interval':
        answer('this agent does not change sampling intervals on instruction');
        return;
      case 'configuration':
        answer('this agent does not take a configuration from the collector');
        return;
      case 'unknown':
        answer('this agent does not know the instruction');
    }
  }

  /** Half-closes after the state as it is now; another stream follows. */
  #leaveStream(delayMs: number, why: string): void {
    if (this.#pending && this.#call!.writable) this.#cut();
    this.#state = 'leaving';
    this.#leave = { delayMs, why };
    this.#call!.halfClose();
    this.#cancelTimeout = this.#options.clock.setTimeout(() => this.#call!.cancel(), leaveTimeoutMs);
  }

  #fail(code: number, details: string): void {
    if (this.#state === 'ended' || this.#fault !== undefined) return;
    this.#fault = { code, details };
    this.#call!.cancel();
  }

  #onEnd(code: number, details: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelTimeout?.();
    this.#acks.stop();
    const upMs = this.#welcome === undefined ? 0 : this.#options.clock.monotonicMs() - this.#welcomeMs;
    const leave = this.#fault === undefined ? this.#leave : undefined;
    this.#options.onEnd({
      ...(this.#fault ?? { code, details: leave?.why ?? details }),
      upMs,
      reconnectDelayMs: leave?.delayMs,
    });
  }

  #send(message: AgentMessage): void {
    const bytes = encodeAgentMessage(message);
    this.#options.counters.controlBytes += bytes.length;
    this.#call!.writeControl(bytes);
  }
}
