import type { QueueFigures, QueueLimits } from './queue-limits.ts';
import type { QueuedCollection, QueuedRequest } from './queued-collection.ts';
import type { ReaderBooks } from './reader-core.ts';

/** What a request needs beside its bytes, about: many small ones are bounded too. */
const besideBytes = 512;

/** Collections that wait for a backend, oldest first, and the books of what becomes of them. Those without requests are not among them. */
export class CollectionQueue {
  /** What comes next is held to these. */
  limits: QueueLimits;
  readonly #books: ReaderBooks;
  readonly #collections: QueuedCollection[] = [];
  #requests = 0;
  #points = 0;
  #bytes = 0;

  constructor(limits: QueueLimits, books: ReaderBooks) {
    this.limits = limits;
    this.#books = books;
  }

  get first(): QueuedCollection | undefined {
    return this.#collections[0];
  }

  get all(): readonly QueuedCollection[] {
    return this.#collections;
  }

  /** When the first will have waited for too long, by the monotonic clock: milliseconds. */
  get tooOldMs(): number {
    return (this.first?.bornMs ?? Number.POSITIVE_INFINITY) + this.limits.maxAgeMs;
  }

  /** How far so many bytes more are beyond the limit; negative: how much room is left. */
  excess(moreBytes: number): number {
    return this.#bytes + this.#requests * besideBytes + moreBytes - this.limits.maxBytes;
  }

  push(collection: QueuedCollection): void {
    if (collection.requests.length === 0) {
      collection.underWay.settleRest('failed');
      return;
    }
    this.#collections.push(collection);
    this.#add(collection, 1);
  }

  /** Takes out the first request, whose points are settled, and its collection with the last one. */
  shift(): QueuedRequest {
    const { requests, underWay } = this.#collections[0]!;
    const request = requests.shift()!;
    this.#requests--;
    this.#points -= request.points;
    this.#bytes -= request.bytes.length;
    if (requests.length === 0) {
      this.#collections.shift();
      // What was read and went into no request, because encoding failed.
      underWay.settleRest('failed');
    }
    return request;
  }

  /** Takes a collection out; its points have this outcome. */
  giveUp(collection: QueuedCollection, outcome: 'failed' | 'superseded' | 'dropped', cause: string): void {
    this.#collections.splice(this.#collections.indexOf(collection), 1);
    this.#add(collection, -1);
    collection.isWhole = false;
    this.#books.record.points(outcome, collection.points, cause);
    collection.underWay.settleRest(outcome);
  }

  giveUpAll(outcome: 'failed' | 'superseded', cause: string): void {
    for (const collection of [...this.#collections]) this.giveUp(collection, outcome, cause);
  }

  /** Forgets everything, which is booked elsewhere. */
  clear(): void {
    for (const collection of this.#collections.splice(0)) this.#add(collection, -1);
  }

  /** Drops what has waited for too long. Gives how many requests that were. */
  dropTooOld(nowMs: number): number {
    let requests = 0;
    for (let { first } = this; first !== undefined && nowMs >= this.tooOldMs; first = this.first) {
      requests += first.requests.length;
      this.giveUp(first, 'dropped', 'too_old');
      this.#books.log.droppedWaiting('too_old');
    }
    return requests;
  }

  figures(nowMs: number): QueueFigures {
    return {
      collections: this.#collections.length,
      requests: this.#requests,
      points: this.#points,
      bytes: this.#bytes,
      maxBytes: this.limits.maxBytes,
      oldestAgeMs: this.first === undefined ? 0 : Math.max(0, nowMs - this.first.bornMs),
    };
  }

  #add({ requests, points, bytes }: QueuedCollection, sign: 1 | -1): void {
    this.#requests += sign * requests.length;
    this.#points += sign * points;
    this.#bytes += sign * bytes;
  }
}
