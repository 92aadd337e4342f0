import type { Member } from '../../otel/state/members.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { Position } from '../../proto/messages/position.ts';
import type { StreamLimits } from '../config/collector-config.ts';
import { Owners } from './owners.ts';
import { Session, type SessionHost, type SessionPeer } from './session.ts';
import type { RestoredSession } from './session-capture.ts';
import type { SessionCounters } from './session-counters.ts';

export interface SessionsOptions {
  readonly store: MetricStore;
  readonly counters: SessionCounters;
  readonly limits: StreamLimits;
  readonly position: Position;
  /** Silent for so long, a member leaves gauges and up-down sums. */
  readonly stalenessMs: number;
  /** Silent for so long, a member is freed. */
  readonly evictionMs: number;
  readonly nowUs: () => number;
  readonly log: SessionHost['log'];
}

/** All streams, and what time does to their members. */
export class Sessions {
  readonly counters: SessionCounters;
  readonly owners = new Owners();
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<Session>();
  readonly #host: SessionHost;
  #lastNumber = 0;
  #draining = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.counters = options.counters;
    const { store, limits, stalenessMs, evictionMs, position, nowUs, log } = options;
    this.#host = {
      store,
      owners: this.owners,
      counters: this.counters,
      limits,
      stalenessMs,
      evictionMs,
      position,
      nextNumber: () => ++this.#lastNumber,
      nowUs,
      log,
      ended: (session) => void this.#sessions.delete(session),
    };
  }

  /** Streams that are held at present. */
  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** Why no further stream is taken at present, or `undefined`. */
  refusal(): { readonly reason: string; readonly isRetryable: boolean } | undefined {
    if (this.#draining) {
      this.counters.streamsEnded.draining++;
      return { reason: 'the collector is stopping; connect again later', isRetryable: true };
    }
    const { maxStreams } = this.#options.limits;
    if (this.#sessions.size < maxStreams) return undefined;
    this.counters.streamsEnded.limit++;
    return {
      reason: `${this.#sessions.size} streams are held; at most ${maxStreams} are allowed (grpc.limits.max_streams)`,
      isRetryable: false,
    };
  }

  /** The number of the last session there was. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Goes on above the numbers of captured sessions. */
  restoreLastNumber(number: number): void {
    this.#lastNumber = number;
  }

  /** A captured session, for a peer of its own. See {@link Session.restore}. */
  restore(session: RestoredSession, peer: SessionPeer): Session {
    const restored = Session.restore(this.#host, peer, session);
    this.#sessions.add(restored);
    return restored;
  }

  open(peer: SessionPeer): Session {
    const session = new Session(this.#host, peer);
    this.#sessions.add(session);
    return session;
  }

  /** Members and series that are silent for too long become stale, and are freed after longer. Called every second or so. */
  tick(): void {
    const { store, stalenessMs, evictionMs } = this.#options;
    const nowUs = this.#options.nowUs();
    for (const session of this.#sessions) session.expire(nowUs);
    for (const member of store.members) {
      const silentMs = (nowUs - member.lastReportUs) / 1000;
      const unreportedMs = (nowUs - member.reportedUs) / 1000;
      if (member.isPresent && unreportedMs > stalenessMs) {
        store.leave(member, nowUs);
        this.counters.membersStale++;
        this.#host.log('info', { member: member.id, silentMs: Math.round(unreportedMs) }, 'member is stale');
      }
      if (this.owners.isLive(member.id)) continue;
      if (member.slots === 0) {
        // It never had a series, or all have been retired: there is nothing to wait for.
        store.evict(member, nowUs);
        this.owners.forget(member.id);
      } else if (silentMs > evictionMs) this.#evict(member, silentMs, nowUs);
    }
    this.#freeSurplus(nowUs);
  }

  /** Over the limit, the members without a stream that have been silent longest are freed before their time. */
  #freeSurplus(nowUs: number): void {
    const { store, limits } = this.#options;
    const surplus = store.members.size - limits.maxMembers;
    if (surplus <= 0) return;
    const silent = [...store.members].filter(({ id }) => !this.owners.isLive(id));
    silent.sort((a, b) => a.lastReportUs - b.lastReportUs);
    for (const member of silent.slice(0, surplus))
      this.#evict(member, (nowUs - member.lastReportUs) / 1000, nowUs);
  }

  #evict(member: Member, silentMs: number, nowUs: number): void {
    this.#options.store.evict(member, nowUs);
    this.owners.forget(member.id);
    this.counters.membersEvicted++;
    this.#host.log('info', { member: member.id, silentMs: Math.round(silentMs) }, 'member freed');
  }

  /** Asks all agents to leave, and waits until they have half-closed or the deadline is over. Gives how many did and how many did not. */
  async drain(deadlineMs: number): Promise<{ left: number; cutOff: number }> {
    this.#draining = true;
    const asked = [...this.#sessions];
    for (const session of asked) session.drain(reconnectDelayMs);
    const deadline = performance.now() + deadlineMs;
    while (this.#sessions.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const cutOff = this.#sessions.size;
    for (const session of [...this.#sessions])
      session.end('draining', 'the collector is stopping; connect again later');
    return { left: asked.length - cutOff, cutOff };
  }

  stop(): void {
    for (const session of [...this.#sessions])
      session.end('draining', 'the collector is stopping; connect again later');
    this.#sessions.clear();
  }
}

/** Agents that were asked to leave come back after this long; their own jitter spreads them. */
const reconnectDelayMs = 1000;
