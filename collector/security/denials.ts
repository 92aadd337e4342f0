import { type Denial, type DenialCause, denialCauses } from './denial.ts';

export type DenialCounters = Record<DenialCause, number>;

export function denialCounters(): DenialCounters {
  return Object.fromEntries(denialCauses.map((cause) => [cause, 0])) as DenialCounters;
}

/** How long a denial that comes again and again stays unmentioned. */
const periodMs = 60_000;
/** Kinds of denial that are told apart; of further kinds one line for each cause is written in each period. */
const maxKinds = 256;

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
  readonly #nowMs: () => number;
  readonly #kinds = new Map<string, { saidMs: number; unsaid: number }>();

  constructor(
    counters: DenialCounters,
    log: (fields: object, message: string) => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.counters = counters;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** @param isQuiet it is counted only */
  denied({ port, address }: DeniedPeer, { cause, reason, who }: Denial, isQuiet = false): void {
    this.counters[cause]++;
    if (isQuiet) return;
    const times = this.#due(`${port} ${cause} ${who} ${address.replace(/:\d+$/, '')}`, cause);
    if (times === undefined) return;
    const more = times > 1 ? { times } : {};
    this.#log({ port, peer: address, cause, who, reason, ...more }, 'a peer was not let in');
  }

  /** How many there were since the last line, this one included; `undefined` when no line is due. */
  #due(kind: string, cause: DenialCause): number | undefined {
    const nowMs = this.#nowMs();
    let key = kind;
    if (!this.#kinds.has(kind) && this.#kinds.size >= maxKinds) {
      for (const [old, { saidMs }] of this.#kinds) if (nowMs - saidMs >= periodMs) this.#kinds.delete(old);
      if (this.#kinds.size >= maxKinds) key = cause;
    }
    const known = this.#kinds.get(key);
    if (known === undefined) {
      this.#kinds.set(key, { saidMs: nowMs, unsaid: 0 });
      return 1;
    }
    known.unsaid++;
    if (nowMs - known.saidMs < periodMs) return undefined;
    const times = known.unsaid;
    known.saidMs = nowMs;
    known.unsaid = 0;
    return times;
  }
}
