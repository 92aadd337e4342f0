import { Seldom } from './seldom.ts';

/**
 * Limits that strangers can exceed, before and beside what their messages hold:
 * - `connections`, `connections_per_address`, `connection_rate`, `connection_rate_per_address`: a connection was closed unread.
 * - `handshake_timeout`, `idle_timeout`, `connection_age`: a connection was ended.
 * - `pings`, `settings`: a connection was ended that sent more of these frames than keeping it alive asks for.
 * - `streams_per_address`, `stream_rate_per_address`, `headers`: a stream was refused.
 * - `message`: a message was longer than allowed, as it came or unpacked.
 * - `buffered`, `buffered_per_address`: a stream was ended that would have had too much wait in memory.
 * - `report_rate`: a stream was read more slowly; counted each time that it was stopped.
 * - `host`, `origin`: an HTTP request was for another host, or came from a page of another site.
 * - `pipelined`: an HTTP client asked again and again without awaiting answers.
 * - `body`: the body of an HTTP request was too large.
 * - `request_timeout`, `answer_timeout`: an HTTP request took too long to come, or its answer to be read.
 */
export const limitCauses = [
  'connections',
  'connections_per_address',
  'connection_rate',
  'connection_rate_per_address',
  'handshake_timeout',
  'idle_timeout',
  'connection_age',
  'pings',
  'settings',
  'streams_per_address',
  'stream_rate_per_address',
  'headers',
  'message',
  'buffered',
  'buffered_per_address',
  'report_rate',
  'host',
  'origin',
  'pipelined',
  'body',
  'request_timeout',
  'answer_timeout',
] as const;
export type LimitCause = (typeof limitCauses)[number];
export type LimitCounters = Record<LimitCause, number>;

export function limitCounters(): LimitCounters {
  return Object.fromEntries(limitCauses.map((cause) => [cause, 0])) as LimitCounters;
}

/** What happens as a matter of course is counted only. */
const quiet: ReadonlySet<LimitCause> = new Set(['idle_timeout', 'connection_age']);

/** All that went over a limit of a port: counted by cause, and told in the log, of one cause and address once and then once a minute. */
export class Exceeded {
  readonly counters: LimitCounters;
  readonly #log: (fields: object, message: string) => void;
  readonly #seldom: Seldom;

  constructor(counters: LimitCounters, log: (fields: object, message: string) => void, nowMs?: () => number) {
    this.counters = counters;
    this.#log = log;
    this.#seldom = new Seldom(nowMs);
  }

  /** What one port tells of. @param port `grpc`, `http`, `admin`, the name of a reader */
  of(port: string): PortExceeded {
    return {
      exceeded: (cause, address, reason) => this.#exceeded(port, cause, address, reason),
    };
  }

  #exceeded(port: string, cause: LimitCause, address: string, reason: string): void {
    this.counters[cause]++;
    if (quiet.has(cause)) return;
    const times = this.#seldom.due(`${port} ${cause} ${address.replace(/:\d+$/, '')}`, cause);
    if (times === undefined) return;
    this.#log({ port, peer: address, cause, reason, ...(times > 1 && { times }) }, 'a peer is over a limit');
  }
}

export interface PortExceeded {
  /**
   * @param address of the peer, with its port
   * @param reason a sentence for the log, which names the configuration's key
   */
  exceeded(cause: LimitCause, address: string, reason: string): void;
}

/** Where nobody counts. */
export const uncounted: PortExceeded = { exceeded: () => {} };
