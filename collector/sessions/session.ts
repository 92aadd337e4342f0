import { resourceFromDefinition } from '../../otel/model/definitions.ts';
import { type Resource, resourceKey } from '../../otel/model/resource.ts';
import type { Member } from '../../otel/state/members.ts';
import { InvalidDataError, StreamgaugeError } from '../../proto/error.ts';
import { encodeAck } from '../../proto/messages/ack.ts';
import { type AgentMessage, decodeAgentMessage, type Hello } from '../../proto/messages/agent-message.ts';
import { type CollectorMessage, encodeCollectorMessage } from '../../proto/messages/collector-message.ts';
import { isReport } from '../../proto/report/read-report.ts';
import type { StreamCopies } from '../../proto/report/stream-capture.ts';
import { DeniedError } from '../security/denial.ts';
import { permittedMember } from '../security/permitted-member.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { OwningStream } from './owners.ts';
import { PendingCapture } from './pending-capture.ts';
import { SeriesIntake } from './series-intake.ts';
import type { RestoredSession, SessionCapture } from './session-capture.ts';
import type { EndCause } from './session-counters.ts';
import type { SessionHost, SessionPeer } from './session-host.ts';
import { maxSlotsOf, type OnRefused, StreamSeries } from './stream-series.ts';

/**
 * - `waiting`: for Hello.
 * - `open`: welcomed; Define, Report, Retire and Answer come in.
 * - `ended`: the stream is over, by either side.
 */
export type SessionState = 'waiting' | 'open' | 'ended';

const protocolVersion = 1;
/** What agents may use beyond that: docs/protocol.md, "Welcome". */
const capabilities = ['exponential_histogram', 'summary'];
/** For both agents' logs and ours. */
const whichAgents =
  'where two agents run on one machine (npm start runs one) or on a cloned disk, give one of them an agent_id of its own';
const expireEveryUs = 3_600_000_000;
const quietEnds: ReadonlySet<EndCause> = new Set(['goodbye', 'half_closed']);

/** As the owners know it. */
export function incarnationOf({ incarnation }: Hello): string {
  return Buffer.from(incarnation).toString('hex');
}

/** One agent's stream: a state machine over its messages. */
export class Session implements OwningStream {
  /** From 1, never used again for the same store, which knows the stream's series by it. */
  readonly number: number;
  readonly id: string;
  readonly openedUs: number;
  state: SessionState = 'waiting';
  incarnation = '';
  hello: Hello | undefined;
  reports = 0;
  points = 0;
  lastReport = 0;
  readonly #host: SessionHost;
  readonly #peer: SessionPeer;
  #member: Member | undefined;
  #series: StreamSeries | undefined;
  #acks: Acknowledgements | undefined;
  /** When series that are not of this stream are looked for. */
  #expireUs: number;
  #pending: PendingCapture | undefined;
  /** When the message at hand came, by the store's clock. */
  #nowUs = 0;
  /** The peer is told nothing more. */
  #isPeerDone = false;

  constructor(host: SessionHost, peer: SessionPeer, number: number, openedUs: number) {
    this.#host = host;
    this.#peer = peer;
    this.number = number;
    this.openedUs = openedUs;
    this.id = `s${number}`;
    this.#expireUs = this.openedUs + host.stalenessMs * 1000;
  }

  /** A session that goes on where a captured one was, for another peer. It is told nothing of what was sent before. */
  static restore(
    host: SessionHost,
    peer: SessionPeer,
    { number, openedUs, expireUs, open }: RestoredSession,
  ): Session {
    const session = new Session(host, peer, number, openedUs);
    session.#expireUs = expireUs;
    if (open === undefined) return session;
    session.reports = open.reports;
    session.points = open.points;
    session.#open(open.hello, open.lastReport, open.member);
    const { series, member } = open;
    session.#series = StreamSeries.restore(series, host.store, member, host.counters, session.#onRefused);
    const owner = host.owners.get(open.hello.memberId)!;
    host.owners.restore(open.hello.memberId, { ...owner, live: session });
    return session;
  }

  /** What the session is now, to be captured before it changes. Takes the place of the one before. */
  captureLater(copies: StreamCopies): PendingCapture {
    this.#pending = new PendingCapture(this, copies);
    return this.#pending;
  }

  /** Nothing of what is captured changes but after this. */
  #settleCapture(): void {
    this.#pending?.settle();
    this.#pending = undefined;
  }

  /** Between two messages. `copies` has room for the stream's columns. */
  capture(copies: StreamCopies): SessionCapture {
    const { number, openedUs, peer, hello, lastReport, reports, points } = this;
    const series = this.#series?.capture(copies);
    const open =
      hello === undefined || series === undefined
        ? undefined
        : { hello, lastReport, reports, points, series };
    return { number, openedUs, expireUs: this.#expireUs, peer, grant: this.#peer.grant, open };
  }

  get peer(): string {
    return this.#peer.address;
  }

  /** Series defined at present. */
  get series(): number {
    return this.#series?.size ?? 0;
  }

  /** Their cells. */
  get cells(): number {
    return this.#series?.cells ?? 0;
  }

  /** By the store's clock, microseconds; 0 before Welcome. */
  get lastReportUs(): number {
    return this.#member?.lastReportUs ?? 0;
  }

  /** A message from the agent. What breaks the protocol ends the stream; only a bug is thrown. */
  receive(bytes: Buffer): void {
    if (this.state === 'ended') return;
    if (this.#pending !== undefined) this.#settleCapture();
    const host = this.#host;
    host.counters.receivedBytes += bytes.length;
    this.#nowUs = host.nowUs();
    try {
      if (this.state === 'waiting') this.#announceReturn(bytes);
      host.journal.received(this.number, this.#nowUs, bytes);
    } catch (thrown) {
      this.end('overloaded', StreamgaugeError.from(thrown).message);
      return;
    }
    try {
      if (isReport(bytes)) this.#report(bytes);
      else this.#control(decodeAgentMessage(bytes));
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      if (error.kind !== 'invalid_data' && error.kind !== 'overloaded') throw thrown;
      if (error instanceof DeniedError) {
        this.#peer.denied?.(error.denial);
        this.end('denied', error.message);
      } else this.end(error.kind === 'overloaded' ? 'limit' : 'invalid', error.message);
    }
  }

  /** The agent has half-closed: no more comes, and it may come back. */
  receivedEnd(): void {
    if (this.state === 'ended') return;
    this.#acks?.flush();
    this.end('half_closed', '');
  }

  /** The connection is gone. What the member counted stays; it is stale if it does not come back. */
  closed(): void {
    this.#isPeerDone = true;
    if (this.state === 'ended') return;
    this.#release();
    // Who said nothing was nobody, and may come as often as it likes.
    if (this.hello !== undefined) this.#host.log('info', this.#fields(), 'connection closed without goodbye');
  }

  /**
   * Called every second or so. What the member reported on an earlier stream and has not defined on this one within the staleness is
   * stale; from then on an hour is soon enough. Gives whether it was time.
   */
  expire(nowUs: number): boolean {
    if (this.state !== 'open' || nowUs < this.#expireUs) return false;
    this.#settleCapture();
    const { store, stalenessMs, evictionMs } = this.#host;
    this.#expireUs = nowUs + Math.max(stalenessMs * 1000, expireEveryUs);
    store.expire(this.#member!, this.number, nowUs, evictionMs * 1000);
    return true;
  }

  /** Asks the agent to leave, and to come back after a delay. */
  drain(reconnectDelayMs: number): void {
    if (this.state === 'waiting') this.end('draining', 'the collector is stopping; connect again later');
    if (this.state !== 'open') return;
    const instruction = { type: 'drain', reconnectDelayMs } as const;
    this.#sendMessage({ type: 'instruct', number: 1, timeToLiveMs: 0, instruction });
  }

  displace(by: string): void {
    this.end('displaced', `the agent at ${by} has the same id and took over; ${whichAgents}`);
  }

  /** Ends the stream from our side. */
  end(cause: EndCause, message: string): void {
    if (this.state === 'ended') return;
    this.#host.counters.streamsEnded[cause]++;
    // Who is denied may come again at once and for ever: that is logged where it is kept in bounds.
    if (cause !== 'denied') this.#logEnd(cause, message);
    this.#release();
    if (quietEnds.has(cause)) this.#host.journal.whenCommitted(() => this.#endPeer(cause, message));
    else this.#endPeer(cause, message);
  }

  #endPeer(cause: EndCause, message: string): void {
    if (this.#isPeerDone) return;
    this.#isPeerDone = true;
    this.#peer.end(cause, message);
  }

  #logEnd(cause: EndCause, message: string): void {
    if (quietEnds.has(cause)) this.#host.log('info', this.#fields(), `stream ended: ${cause}`);
    else
      this.#host.log('warn', { ...this.#fields(), cause, reason: message }, 'stream ended by the collector');
  }

  #release(): void {
    this.state = 'ended';
    this.#acks?.stop();
    this.#host.journal.ended(this.number);
    this.#host.ended(this);
    if (this.hello !== undefined) this.#host.owners.release(this.hello.memberId, this, this.lastReport);
  }

  #report(bytes: Buffer): void {
    const series = this.#series;
    if (series === undefined) throw new InvalidDataError('a report came before hello');
    const host = this.#host;
    const member = this.#member!;
    const startedMs = performance.now();
    const points = series.report(bytes);
    this.lastReport = series.lastReport;
    member.lastReportUs = this.#nowUs;
    member.reportedUs = this.#nowUs;
    member.isPresent = true;
    this.reports++;
    this.points += points;
    const { counters } = host;
    counters.reports++;
    counters.points += points;
    const tookMs = performance.now() - startedMs;
    counters.mergeMs += tookMs;
    if (tookMs > counters.maxMergeMs) counters.maxMergeMs = tookMs;
    this.#acks!.due(this.lastReport);
  }

  #control(message: AgentMessage): void {
    const series = this.#series;
    if (message.type === 'hello') {
      this.#welcome(message);
      return;
    }
    if (series === undefined) throw new InvalidDataError(`${message.type} came before hello`);
    switch (message.type) {
      case 'define':
        series.define(message, this.#nowUs);
        break;
      case 'retire':
        series.retire(message.series, message.reason, this.#nowUs);
        break;
      case 'answer': {
        const { error } = message;
        if (error !== '')
          this.#host.log('warn', { ...this.#fields(), error }, 'agent did not do as instructed');
        break;
      }
      case 'goodbye':
        this.#goodbye(message.lastReport);
    }
  }

  #welcome(hello: Hello): void {
    if (this.state !== 'waiting') throw new InvalidDataError('hello came twice');
    if (hello.protocolVersion < 1)
      throw new InvalidDataError(`is ${hello.protocolVersion}; 1 is spoken here`, {
        fieldPath: 'hello.protocol_version',
      });
    const host = this.#host;
    const { attributes, schemaUrl } = { attributes: hello.resource, schemaUrl: hello.resourceSchemaUrl };
    const said = resourceFromDefinition({ attributes, schemaUrl }, 'hello.resource');
    const { grant } = this.#peer;
    const intake = new SeriesIntake(host.limits, grant);
    intake.checkAttributes(said.attributes, 'hello.resource');
    const resource = grant === undefined ? said : permittedMember(grant, hello.memberId, said, host.store);
    this.incarnation = incarnationOf(hello);
    if (this.#movesTooOften(hello.memberId, resource)) {
      this.end(
        'limit',
        `the resource has changed too often: the series that it had before are held until readers have seen them; at most ${maxSlotsOf(host.limits)} are`,
      );
      return;
    }
    const claim = host.owners.claim(hello.memberId, hello.bootId, this);
    if (!claim.granted) {
      this.end('clone', `the agent at ${claim.holder.peer} has the same id and is connected; ${whichAgents}`);
      return;
    }
    claim.displaced?.displace(this.peer);
    const { store, limits, counters } = host;
    const welcomeUs = this.#nowUs;
    const member = store.join(hello.memberId, resource, welcomeUs);
    this.#open(hello, claim.lastReport, member);
    const stream = { holder: this.number, welcomeUs, lastReport: claim.lastReport };
    this.#series = new StreamSeries(store, member, intake, limits, stream, counters, this.#onRefused);
    counters.streamsWelcomed++;
    this.#sendMessage({
      type: 'welcome',
      session: this.id,
      lastReport: claim.lastReport,
      durability: host.journal.durability,
      limits,
      clockUs: Date.now() * 1000,
      instructions: [],
      protocolVersion,
      capabilities,
      position: host.journal.place(),
    });
    host.log('info', { ...this.#fields(), agent: hello.userAgent }, 'agent connected');
  }

  /** A member's own series go on in other slots when its resource changes, and those before are held for a while. */
  #movesTooOften(memberId: string, resource: Resource): boolean {
    const { store, limits } = this.#host;
    const member = store.members.get(memberId);
    if (member === undefined || member.resource.key === resourceKey(resource)) return false;
    return member.slots + member.series.size > maxSlotsOf(limits);
  }

  #open(hello: Hello, lastReport: number, member: Member): void {
    this.incarnation = incarnationOf(hello);
    this.hello = hello;
    this.state = 'open';
    this.lastReport = lastReport;
    this.#member = member;
    this.#acks = new Acknowledgements(lastReport, hello.ackDelayMs, (report) => {
      const { journal, counters } = this.#host;
      counters.acks++;
      const place = journal.durability === 'disk' ? journal.place().journalPosition : undefined;
      this.#send(encodeAck(report, place));
    });
  }

  /** What an agent was told before is looked at before anything of it is taken in. Bytes that are no Hello are found out later. */
  #announceReturn(bytes: Buffer): void {
    let lastAck: Hello['lastAck'];
    try {
      const message = isReport(bytes) ? undefined : decodeAgentMessage(bytes);
      if (message?.type === 'hello') lastAck = message.lastAck;
    } catch {
      return;
    }
    if (lastAck !== undefined) this.#host.journal.returned(lastAck, this.#nowUs);
  }

  readonly #onRefused: OnRefused = (kind, report, series, { reason, fieldPath, retryDelayMs }) =>
    this.#sendMessage({ type: 'refuse', kind, report, series, reason, fieldPath, retryDelayMs });

  #goodbye(lastReport: number): void {
    // Without a report on this stream the number is of an earlier one, which may have been forgotten here.
    if (this.reports > 0 && lastReport > this.lastReport)
      throw new InvalidDataError(`is ${lastReport}, but the last report that came is ${this.lastReport}`, {
        fieldPath: 'goodbye.last_report',
      });
    this.#host.store.leave(this.#member!, this.#nowUs);
    this.#acks?.flush();
    this.end('goodbye', '');
  }

  #fields(): object {
    return { session: this.id, member: this.hello?.memberId, peer: this.peer };
  }

  #sendMessage(message: CollectorMessage): void {
    this.#send(encodeCollectorMessage(message));
  }

  /** Once all that came before is committed: what the peer is told, it may count on. A peer that does not read is cut off in the midst of what it is told. */
  #send(bytes: Buffer): void {
    this.#host.journal.whenCommitted(() => {
      if (this.#isPeerDone) return;
      this.#host.counters.sentBytes += bytes.length;
      this.#peer.send(bytes);
    });
  }
}
