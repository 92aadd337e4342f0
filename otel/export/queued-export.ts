import { pause } from '../clock.ts';
import type { ExportQueue } from './export-queue.ts';
import type { QueuedCollection } from './queued-collection.ts';
import { type ExportWay, noPatience, type ReaderCore } from './reader-core.ts';

/**
 * The way of readers with a queue: one loop collects at each interval while there is room, another delivers what waits, oldest first. What was collected is
 * sent with the same bytes until the backend has answered for good, or it has waited for too long. Where there was no room at an interval, the next collection is made
 * as soon as there is.
 *
 * Own metrics go before each interval's turn, and whatever they come to, a request of the queue is tried before they are again.
 */
export class QueuedExport implements ExportWay {
  readonly #core: ReaderCore;
  readonly #queue: ExportQueue;
  readonly #onDelivered: (() => void) | undefined;
  /** Ends the wait that the delivering loop is in. */
  #patience = new AbortController();
  /** Whether that is a wait for something to deliver. */
  #isIdle = false;
  /** Aborted, and made anew, when there may be room again. */
  #room = new AbortController();
  #isCollecting = false;
  #isHurried = false;
  #isFinishing = false;
  /** The last that was collected, until the backend has taken it. */
  #newest: QueuedCollection | undefined;
  #newestWasWhole = false;
  /** Of the last failure, for what is lost at the end. */
  #code = 'not_sent';

  constructor(core: ReaderCore, queue: ExportQueue, onDelivered: (() => void) | undefined) {
    this.#core = core;
    this.#queue = queue;
    this.#onDelivered = onDelivered;
  }

  async run(firstAfterMs: number): Promise<void> {
    const { draining, stopped } = this.#core;
    this.#isCollecting = true;
    const interrupt = (): void => this.#patience.abort();
    draining.addEventListener('abort', interrupt, { once: true });
    const collecting = this.#collectAtIntervals(firstAfterMs).then(() => {
      this.#isCollecting = false;
      this.#patience.abort();
    });
    await this.#deliver(stopped);
    await collecting;
    draining.removeEventListener('abort', interrupt);
  }

  async finish(signal: AbortSignal): Promise<boolean> {
    const { own, backend } = this.#core;
    this.#isFinishing = true;
    await this.#queue.resume();
    await backend.allowed(signal);
    own.due();
    await own.send(signal, noPatience);
    if (signal.aborted) return false;
    await this.#collect();
    await this.#deliver(signal);
    return this.#queue.first === undefined && this.#newestWasWhole;
  }

  hurry(): void {
    // What was collected last is what there is to deliver.
    if (this.#isFinishing) return;
    this.#isHurried = true;
    this.#patience.abort();
  }

  end(): number {
    return this.#queue.end(this.#code);
  }

  async #collectAtIntervals(firstAfterMs: number): Promise<void> {
    const { times, own, draining, stopped } = this.#core;
    times.begin(firstAfterMs);
    let isOwed = false;
    await this.#queue.resume();
    this.#wake();
    for (;;) {
      const ends = isOwed ? [draining, stopped, this.#room.signal] : [draining, stopped];
      await times.wait(...ends);
      if (draining.aborted || stopped.aborted) return;
      if (times.isDue) {
        times.next();
        isOwed = true;
        own.due();
        if (own.isDue) this.#patience.abort();
      }
      if (!isOwed || !this.#queue.hasRoom) continue;
      isOwed = false;
      await this.#collect();
      this.#wake();
    }
  }

  async #collect(): Promise<void> {
    this.#newest = undefined;
    this.#newestWasWhole = false;
    this.#newest = await this.#queue.collect(this.#core.clock.nowUs());
  }

  /** There may be something to deliver. */
  #wake(): void {
    if (this.#isIdle) this.#patience.abort();
  }

  /** Until nothing waits and nothing more is collected, or everything is to end. */
  async #deliver(signal: AbortSignal): Promise<void> {
    const { own, backend, clock } = this.#core;
    for (;;) {
      if (own.isDue) await own.send(signal, noPatience);
      if (this.#queue.first !== undefined) {
        this.#core.enter('retrying');
        await backend.allowed(signal);
      }
      if (signal.aborted) return;
      this.#dropSome();
      this.#patience = new AbortController();
      const collection = this.#queue.first;
      if (collection === undefined) {
        this.#tellDelivered();
        if (!this.#isCollecting) return;
        await this.#idle(signal);
        continue;
      }
      const waitMs = Math.max(0, this.#queue.tooOldMs - clock.monotonicMs());
      const patience = this.#patience;
      // They came due while nothing might be sent: they wait for one try of this.
      if (own.isDue) patience.abort();
      const cancel = clock.setTimeout(() => patience.abort(), waitMs);
      await this.#send(collection, signal, patience.signal);
      cancel();
    }
  }

  /** Waits until there is something to deliver; tries own metrics again meanwhile that the backend has not taken. */
  async #idle(signal: AbortSignal): Promise<void> {
    const { own } = this.#core;
    const patience = this.#patience.signal;
    this.#isIdle = true;
    this.#core.enter('waiting');
    if (own.isWaiting) await own.send(signal, patience);
    else await pause(this.#core.clock, 2 ** 31, signal, patience);
    this.#isIdle = false;
  }

  async #send(collection: QueuedCollection, signal: AbortSignal, patience: AbortSignal): Promise<void> {
    collection.isTaken = true;
    if (!collection.commit.isDone) {
      this.#core.enter('committing');
      if (!(await collection.commit.wait(signal, patience))) return;
    }
    this.#core.enter('exporting');
    const { underWay, requests } = collection;
    const outcome = await this.#core.backend.send(requests[0]!, underWay, signal, patience);
    if (outcome.kind === 'unanswered') {
      this.#code = outcome.code;
      return;
    }
    this.#queue.answered(outcome.kind === 'delivered');
    this.#roomMade();
  }

  #dropSome(): void {
    const hasDropped = this.#queue.dropTooOld();
    if (this.#isHurried) this.#queue.hurry();
    if (hasDropped || this.#isHurried) this.#roomMade();
    this.#isHurried = false;
  }

  #roomMade(): void {
    this.#room.abort();
    this.#room = new AbortController();
  }

  /** When nothing waits: what was collected last is with the backend, if none of it is missing. */
  #tellDelivered(): void {
    const newest = this.#newest;
    this.#newest = undefined;
    if (newest === undefined) return;
    this.#newestWasWhole = newest.isWhole;
    if (newest.isWhole) this.#onDelivered?.();
  }
}
