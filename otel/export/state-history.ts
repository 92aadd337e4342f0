import type { Clock } from '../clock.ts';
import type { Collection } from '../state/point-batch.ts';
import { CollectionQueue } from './collection-queue.ts';
import { Commit } from './commit.ts';
import { type Encode, EncodingInTurns } from './encoding-in-turns.ts';
import type { ExportQueue } from './export-queue.ts';
import { PointsUnderWay } from './points-under-way.ts';
import type { QueueFigures, QueueLimits } from './queue-limits.ts';
import { QueuedCollection, type QueuedRequest } from './queued-collection.ts';
import { bookCollectionFailed, bookDropped, type ReaderBooks } from './reader-core.ts';

export interface StateHistoryOptions {
  readonly collect: (timeUs: number) => Collection;
  readonly encode: Encode;
  /** Of what is made next: it may change. */
  readonly maxRequestBytes: number;
  readonly limits: QueueLimits;
  readonly clock: Clock;
  readonly books: ReaderBooks;
  /** See `PeriodicReaderOptions.committed`. */
  readonly committed?: (() => Promise<void>) | undefined;
}

/**
 * The collections of one cumulative reader that its backend has not taken, oldest first: what an outage would cost in resolution. Totals do not depend on them, since the
 * newest has them all; so it is always kept, and those before it are thinned or dropped when there is no room. They end with the process.
 */
export class StateHistory implements ExportQueue {
  readonly isDurable = false;
  /** Room is made when a collection has come. */
  readonly hasRoom = true;
  readonly isMaking = false;
  readonly #options: StateHistoryOptions;
  readonly #queue: CollectionQueue;

  constructor(options: StateHistoryOptions) {
    this.#options = options;
    this.#queue = new CollectionQueue(options.limits, options.books);
  }

  get first(): QueuedCollection | undefined {
    return this.#queue.first;
  }

  get figures(): QueueFigures {
    return this.#queue.figures(this.#options.clock.monotonicMs());
  }

  get limits(): QueueLimits {
    return this.#queue.limits;
  }

  set limits(limits: QueueLimits) {
    this.#queue.limits = limits;
  }

  get tooOldMs(): number {
    return this.#queue.tooOldMs;
  }

  async resume(): Promise<void> {}

  async collect(timeUs: number): Promise<QueuedCollection | undefined> {
    const { encode, maxRequestBytes, clock, books, committed } = this.#options;
    const underWay = new PointsUnderWay(books.ledger);
    const requests: QueuedRequest[] = [];
    const bornMs = clock.monotonicMs();
    let encoding: EncodingInTurns | undefined;
    try {
      const collection = this.#options.collect(timeUs);
      const onDropped = bookDropped(books, underWay, maxRequestBytes);
      const steps = underWay.follow(encode(underWay.watch(collection), onDropped, maxRequestBytes));
      encoding = new EncodingInTurns(collection, steps, (points, workMs) =>
        books.record.collection(workMs, points),
      );
      await encoding.keepAll();
      for (let made = await encoding.next(); made !== undefined; made = await encoding.next())
        requests.push(made);
    } catch (error) {
      encoding?.close();
      bookCollectionFailed(books, clock, error);
      underWay.settleRest('failed');
      return undefined;
    }
    const made = new QueuedCollection(timeUs, bornMs, requests, underWay, new Commit(committed?.()));
    this.#queue.push(made);
    this.#makeRoom();
    return made;
  }

  answered(isDelivered: boolean): void {
    if (!isDelivered) this.#queue.first!.isWhole = false;
    this.#queue.shift();
  }

  dropTooOld(): boolean {
    return this.#queue.dropTooOld(this.#options.clock.monotonicMs()) > 0;
  }

  hurry(): void {
    this.#queue.giveUpAll('superseded', 'newer_state');
  }

  end(cause: string): number {
    this.#queue.giveUpAll('failed', cause);
    return 0;
  }

  #makeRoom(): void {
    const isThinned = this.#queue.limits.whenFull === 'coalesce';
    while (this.#queue.excess(0) > 0) {
      const victim = isThinned ? this.#leastMissed() : this.#oldest();
      if (victim === undefined) return;
      if (isThinned) this.#queue.giveUp(victim, 'superseded', 'coalesced');
      else {
        this.#queue.giveUp(victim, 'dropped', 'queue_full');
        this.#options.books.log.droppedWaiting('queue_full');
      }
    }
  }

  /** The oldest that is not being sent; never the newest. */
  #oldest(): QueuedCollection | undefined {
    return this.#queue.all.slice(0, -1).find(({ isTaken }) => !isTaken);
  }

  /** The one without which the largest gap that it leaves is smallest; neither the first, while there are others, nor the newest. */
  #leastMissed(): QueuedCollection | undefined {
    const { all } = this.#queue;
    let victim: QueuedCollection | undefined;
    let smallestMs = Number.POSITIVE_INFINITY;
    for (let i = 1; i < all.length - 1; i++) {
      const gapMs = all[i + 1]!.bornMs - all[i - 1]!.bornMs;
      if (gapMs >= smallestMs || all[i]!.isTaken) continue;
      smallestMs = gapMs;
      victim = all[i];
    }
    return victim ?? this.#oldest();
  }
}
