import type { Member } from '../../otel/state/members.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { StreamLimits } from '../config/collector-config.ts';
import { Owners } from './owners.ts';
import { Session } from './session.ts';
import type { RestoredSession } from './session-capture.ts';
import type { SessionCounters } from './session-counters.ts';
import type { SessionHost, SessionPeer } from './session-host.ts';
import type { SessionJournal } from './session-journal.ts';

/** What may change while sessions go on. */
export interface SessionRules {
  readonly limits: StreamLimits;
  /** Silent for so long, a member leaves gauges and up-down sums. */
  readonly stalenessMs: number;
  /** Silent for so long, a member is freed. */
  readonly evictionMs: number;
}

export interface SessionsOptions extends SessionRules {
  readonly store: MetricStore;
  readonly counters: SessionCounters;
  readonly journal: SessionJournal;
  readonly nowUs: () => number;
  readonly log: SessionHost['log'];
}

/** All streams, and what time does to their members. */
export class Sessions {
  readonly counters: SessionCounters;
  readonly owners: Owners;
  readonly #sessions = new Map<number, Session>();
  readonly #host: Omit<SessionHost, keyof SessionRules> & {
    -readonly [Key in keyof SessionRules]: SessionRules[Key];
  };
  #lastNumber: number;
  #draining = false;

  /** @param before the sessions of an earlier run, all of which are over: who spoke for whom goes on */
  constructor(options: SessionsOptions, before?: Sessions) {
    this.counters = options.counters;
    this.owners = before?.owners ?? new Owners();
    this.#lastNumber = before?.lastNumber ?? 0;
    const { store, journal, limits, stalenessMs, evictionMs, nowUs, log } = options;
    this.#host = {
      store,
      owners: this.owners,
      counters: this.counters,
      journal,
      limits,
      stalenessMs,
      evictionMs,
      nowUs,
      log,
      ended: (session) => void this.#sessions.delete(session.number),
    };
  }

  /** Other rules from now on; sessions that are open keep their limits. */
  change({ limits, stalenessMs, evictionMs }: SessionRules): void {
    this.#host.limits = limits;
    this.#host.stalenessMs = stalenessMs;
    this.#host.evictionMs = evictionMs;
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
    if (this.#host.journal.isCongested) {
      this.counters.streamsEnded.overloaded++;
      return {
        reason: 'more waits to be written to the disk than is good; connect again later',
        isRetryable: true,
      };
    }
    const { maxStreams } = this.#host.limits;
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
    this.#sessions.set(restored.number, restored);
    return restored;
  }

  open(peer: SessionPeer): Session {
    const { journal, nowUs } = this.#host;
    const number = this.#lastNumber + 1;
    const openedUs = nowUs();
    journal.opened(number, openedUs, peer.address, peer.grant);
    this.#lastNumber = number;
    const session = new Session(this.#host, peer, number, openedUs);
    this.#sessions.set(number, session);
    return session;
  }

  get(number: number): Session | undefined {
    return this.#sessions.get(number);
  }

  /** Members and series that are silent for too long become stale, and are freed after longer. Called every second or so. */
  tick(nowUs = this.#host.nowUs()): void {
    let changes = 0;
    for (const session of this.#sessions.values()) if (session.expire(nowUs)) changes++;
    for (const member of this.#host.store.members) if (this.#look(member, nowUs)) changes++;
    if (this.#freeSurplus(nowUs)) changes++;
    if (changes > 0) this.#host.journal.ticked(nowUs);
  }

  /** Gives whether time has changed something. */
  #look(member: Member, nowUs: number): boolean {
    const { store, stalenessMs, evictionMs } = this.#host;
    const silentMs = (nowUs - member.lastReportUs) / 1000;
    const unreportedMs = (nowUs - member.reportedUs) / 1000;
    const isStale = member.isPresent && unreportedMs > stalenessMs;
    if (isStale) {
      store.leave(member, nowUs);
      this.counters.membersStale++;
      this.#host.log('info', { member: member.id, silentMs: Math.round(unreportedMs) }, 'member is stale');
    }
    if (this.owners.isLive(member.id)) return isStale;
    if (member.slots === 0) {
      // It never had a series, or all have been retired: there is nothing to wait for.
      store.evict(member, nowUs);
      this.owners.forget(member.id);
      return true;
    }
    if (silentMs <= evictionMs) return isStale;
    this.#evict(member, silentMs, nowUs);
    return true;
  }

  /** Over the limit, the members without a stream that have been silent longest are freed before their time. Gives whether any were. */
  #freeSurplus(nowUs: number): boolean {
    const { store, limits } = this.#host;
    const surplus = store.members.size - limits.maxMembers;
    if (surplus <= 0) return false;
    const silent = [...store.members].filter(({ id }) => !this.owners.isLive(id));
    silent.sort((a, b) => a.lastReportUs - b.lastReportUs);
    const freed = silent.slice(0, surplus);
    for (const member of freed) this.#evict(member, (nowUs - member.lastReportUs) / 1000, nowUs);
    return freed.length > 0;
  }

  #evict(member: Member, silentMs: number, nowUs: number): void {
    this.#host.store.evict(member, nowUs);
    this.owners.forget(member.id);
    this.counters.membersEvicted++;
    this.#host.log('info', { member: member.id, silentMs: Math.round(silentMs) }, 'member freed');
  }

  /** Asks all agents to leave, and waits until they have half-closed or the deadline is over. Gives how many did and how many did not. */
  async drain(deadlineMs: number): Promise<{ left: number; cutOff: number }> {
    this.#draining = true;
    const asked = [...this.#sessions.values()];
    for (const session of asked) session.drain(reconnectDelayMs);
    const deadline = performance.now() + deadlineMs;
    while (this.#sessions.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const cutOff = this.#sessions.size;
    for (const session of [...this.#sessions.values()])
      session.end('draining', 'the collector is stopping; connect again later');
    return { left: asked.length - cutOff, cutOff };
  }

  stop(): void {
    for (const session of [...this.#sessions.values()])
      session.end('draining', 'the collector is stopping; connect again later');
    this.#sessions.clear();
  }
}

/** Agents that were asked to leave come back after this long; their own jitter spreads them. */
const reconnectDelayMs = 1000;
