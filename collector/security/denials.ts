import { type Denial, type DenialCause, denialCauses } from './denial.ts';
import { Seldom } from './seldom.ts';

export type DenialCounters = Record<DenialCause, number>;

export function denialCounters(): DenialCounters {
  return Object.fromEntries(denialCauses.map((cause) => [cause, 0])) as DenialCounters;
}

/** Where a denial happened. */
export interface DeniedPeer {
  /** The port: `grpc`, `http`, `admin`, the name of a reader. */
  readonly port: string;
  /** Address and port of the peer. */
  readonly address: string;
}

/**
 * All that were not let in: counted by cause, and told in the log. Of those with one cause from one address with one credential the first
 * is, and then one in each minute with the number of those in between.
 */
export class Denials {
  readonly counters: DenialCounters;
  readonly #log: (fields: object, message: string) => void;
  readonly #seldom: Seldom;

  constructor(
    counters: DenialCounters,
    log: (fields: object, message: string) => void,
    nowMs?: () => number,
  ) {
    this.counters = counters;
    this.#log = log;
    this.#seldom = new Seldom(nowMs);
  }

  /** @param isQuiet it is counted only */
  denied({ port, address }: DeniedPeer, { cause, reason, who }: Denial, isQuiet = false): void {
    this.counters[cause]++;
    if (isQuiet) return;
    const times = this.#seldom.due(`${port} ${cause} ${who} ${address.replace(/:\d+$/, '')}`, cause);
    if (times === undefined) return;
    const more = times > 1 ? { times } : {};
    this.#log({ port, peer: address, cause, who, reason, ...more }, 'a peer was not let in');
  }
}
