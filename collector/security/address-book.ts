import { clientAddress } from './client-address.ts';
import { TokenBucket } from './token-bucket.ts';

/** How often the book is looked through for addresses that may be forgotten, while new ones come. */
const sweepEveryMs = 1000;

/** What one client address takes at present. */
export interface AddressUse {
  connections: number;
  streams: number;
  bufferedBytes: number;
  readonly newConnections: TokenBucket;
  readonly newStreams: TokenBucket;
}

/** Rates per second, over ten seconds. */
export interface AddressRates {
  readonly connections: number;
  readonly streams: number;
  readonly windowSeconds: number;
}

/**
 * What each client address takes of a port. An address is forgotten once it takes nothing and its rates have recovered, so there are never
 * more than connections, and new connections in the window of the rates.
 */
export class AddressBook {
  readonly #rates: AddressRates;
  readonly #uses = new Map<string, AddressUse>();
  #sweptMs = 0;

  constructor(rates: AddressRates) {
    this.#rates = rates;
  }

  /** Addresses that are known at present. */
  get size(): number {
    return this.#uses.size;
  }

  /** What an address takes, if it is known. @param address as a socket gives it */
  known(address: string | undefined): AddressUse | undefined {
    return this.#uses.get(clientAddress(address));
  }

  /** The same, known from now on. */
  use(address: string | undefined, nowMs: number): AddressUse {
    const key = clientAddress(address);
    let use = this.#uses.get(key);
    if (use !== undefined) return use;
    this.#sweep(nowMs);
    const { connections, streams, windowSeconds } = this.#rates;
    use = {
      connections: 0,
      streams: 0,
      bufferedBytes: 0,
      newConnections: new TokenBucket(connections, connections * windowSeconds, nowMs),
      newStreams: new TokenBucket(streams, streams * windowSeconds, nowMs),
    };
    this.#uses.set(key, use);
    return use;
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < sweepEveryMs) return;
    this.#sweptMs = nowMs;
    for (const [key, use] of this.#uses)
      if (isUnused(use) && use.newConnections.isFull(nowMs) && use.newStreams.isFull(nowMs))
        this.#uses.delete(key);
  }
}

function isUnused({ connections, streams, bufferedBytes }: AddressUse): boolean {
  return connections === 0 && streams === 0 && bufferedBytes === 0;
}
