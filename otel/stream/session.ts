import { StreamgaugeError } from '../../proto/error.ts';
import { type AgentMessage, encodeAgentMessage } from '../../proto/messages/agent-message.ts';
import {
  type CollectorMessage,
  decodeCollectorMessage,
  type Welcome,
} from '../../proto/messages/collector-message.ts';
import type { Instruct } from '../../proto/messages/instruct.ts';
import type { Clock } from '../clock.ts';
import { attributesToWire } from '../model/any-value.ts';
import { AckWatch } from './ack-watch.ts';
import { grpcStatus as status } from './grpc-status.ts';
import type { Identity } from './identity.ts';
import type { OpenCall, StreamCall } from './stream-call.ts';
import type { StreamContent, StreamReporter } from './stream-content.ts';
import type { StreamCounters } from './stream-status.ts';

/** The version of the protocol that is spoken here. */
const protocolVersion = 1;

/** How long a collector that said it drains may take to end the stream after our half-close. */
const leaveTimeoutMs = 10_000;
/** Answers that may wait for the transport; a collector that asks faster than it reads is not served. */
const maxWaiting = 256;

export interface SessionOptions {
  readonly identity: Identity;
  readonly openCall: OpenCall;
  readonly content: StreamContent;
  /** What may be used beyond version 1. */
  readonly capabilities: readonly string[];
  readonly clock: Clock;
  readonly welcomeTimeoutMs: number;
  /** A report that was not acknowledged for so long means that the collector is gone. */
  readonly ackOverdueMs: number;
  /** For sentences: `agent`. */
  readonly self: string;
  readonly counters: StreamCounters;
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

/** One stream: the conversation of telemetry_stream.proto from Hello to the end, as the end that opened it leads it. */
export class StreamSession {
  readonly #options: SessionOptions;
  #call: StreamCall | undefined;
  #state: State = 'new';
  #welcome: Welcome | undefined;
  #welcomeMs = 0;
  #reports: StreamReporter | undefined;
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
    const { ackOverdueMs } = options;
    this.#acks = new AckWatch(options.clock, ackOverdueMs, () =>
      this.#fail(status.UNAVAILABLE, `no report has been acknowledged for ${ackOverdueMs / 1000} s`),
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
    return this.#reports?.series ?? 0;
  }

  /** The last report and Goodbye were sent. */
  get saidGoodbye(): boolean {
    return this.#saidGoodbye;
  }

  open(): void {
    const { openCall, identity, clock, content, capabilities, welcomeTimeoutMs } = this.#options;
    this.#state = 'hello';
    this.#cancelTimeout = clock.setTimeout(
      () => this.#fail(status.DEADLINE_EXCEEDED, `no Welcome came within ${welcomeTimeoutMs} ms`),
      welcomeTimeoutMs,
    );
    try {
      this.#call = openCall({
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
      capabilities,
      clockUs: clock.nowUs(),
      lastAck: content.position,
      userAgent: identity.userAgent,
      ackDelayMs: content.ackDelayMs,
    });
  }

  /** There was a collection: reports it now, or says that it was skipped and reports the newest state when the transport is ready. */
  report(): void {
    if (this.#state !== 'open') return;
    if (this.#options.clock.monotonicMs() < this.#notBeforeMs || !this.#call!.writable) {
      this.#options.counters.skipped++;
      this.#pending = true;
      return;
    }
    this.#cut();
  }

  /** Sends the state a last time and says Goodbye. Before Welcome it waits for that; its caller has the deadline. */
  goodbye(): void {
    if (this.#state !== 'open') return;
    this.#state = 'farewell';
    this.#onWritable();
  }

  /** Half-closes an open stream, so that what it has told is acknowledged before the end. @returns false when it is not open */
  leave(why: string): boolean {
    if (this.#state === 'leaving') return true;
    if (this.#state !== 'open') return false;
    this.#leaveStream(0, why);
    return true;
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
        this.#notBeforeMs = this.#reports!.refused(message) ?? this.#notBeforeMs;
        return;
      case 'instruct':
        this.#instructed(message);
    }
  }

  #onWelcome(welcome: Welcome): void {
    const { clock, counters, content, self, onWelcome } = this.#options;
    if (this.#state !== 'hello') {
      this.#fail(status.INTERNAL, 'the collector sent Welcome twice');
      return;
    }
    if (welcome.protocolVersion !== protocolVersion) {
      this.#fail(
        status.UNIMPLEMENTED,
        `the collector wants protocol version ${welcome.protocolVersion}, and this ${self} speaks ${protocolVersion}`,
      );
      return;
    }
    this.#cancelTimeout?.();
    this.#welcome = welcome;
    this.#welcomeMs = clock.monotonicMs();
    this.#reports = content.begin(welcome, this.#welcomeMs, {
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
    this.#state = 'open';
    onWelcome({ session: welcome.session, durability: welcome.durability, peer: this.#call!.peer });
    for (const instruct of welcome.instructions) this.#instructed(instruct);
    if (this.#state === 'open') this.#cut();
  }

  #acknowledged(report: number, position: Welcome['position']): void {
    const { counters, clock, content } = this.#options;
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
    content.acknowledged(report, isKnown ? { directoryId, term, journalPosition } : undefined);
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
    const { self } = this.#options;
    const answer = (error: string) => this.#send({ type: 'answer', instruction: number, error });
    switch (instruction.type) {
      case 'drain':
        answer('');
        this.#leaveStream(instruction.reconnectDelayMs, 'the collector is going away');
        return;
      case 'sampling_interval':
        answer(`this ${self} does not change sampling intervals on instruction`);
        return;
      case 'configuration':
        answer(`this ${self} does not take a configuration from the collector`);
        return;
      case 'unknown':
        answer(`this ${self} does not know the instruction`);
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
