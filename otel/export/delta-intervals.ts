import { StreamgaugeError } from '../../proto/error.ts';
import type { Clock } from '../clock.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import type { Collection } from '../state/point-batch.ts';
import { longestTurnMs, nextTurn } from '../turns.ts';
import { CollectionQueue } from './collection-queue.ts';
import { Commit } from './commit.ts';
import { DeltaInterval } from './delta-interval.ts';
import { IntervalsPicture, loadIntervals } from './delta-intervals-section.ts';
import type { Encode } from './encoding-in-turns.ts';
import type { ExportQueue } from './export-queue.ts';
import type { IntervalJournal } from './interval-journal.ts';
import { OutputLedger } from './output-ledger.ts';
import { PointsUnderWay } from './points-under-way.ts';
import type { QueueFigures, QueueLimits } from './queue-limits.ts';
import { QueuedCollection, type QueuedRequest } from './queued-collection.ts';
import { bookCollectionFailed, bookDropped, type ReaderBooks } from './reader-core.ts';

export interface DeltaIntervalsOptions {
  /** The reader's. */
  readonly name: string;
  /** Reads the state at this time and moves what the next interval begins at, step by step as it is walked. */
  readonly collect: (timeUs: number) => Collection;
  readonly encode: Encode;
  /** Of what is made next: it may change. */
  readonly maxRequestBytes: number;
  readonly limits: QueueLimits;
  readonly clock: Clock;
  readonly books: ReaderBooks;
  /** Absent: what waits ends with the process. */
  readonly journal?: IntervalJournal | undefined;
  /** See `PeriodicReaderOptions.committed`. */
  readonly committed?: (() => Promise<void>) | undefined;
  /** So long one turn of reading takes at most, milliseconds. Default: {@link longestTurnMs}; 0: one step. */
  readonly turnMs?: number;
}

/**
 * The intervals of one delta reader that its backend has not taken, oldest first. Each increment belongs to one interval, fixed with its bytes before any of
 * it is sent. While there is no room none is made: then the next one is longer, and nothing is lost.
 *
 * After a restart the state is made again by replay of a journal, and the intervals with it: `load` of a snapshot, then `replay…` in the order of the
 * journal, then `finishReplay`. An interval that was half-made is finished by `resume`.
 */
export class DeltaIntervals implements ExportQueue {
  readonly name: string;
  readonly isDurable: boolean;
  readonly #options: DeltaIntervalsOptions;
  readonly #queue: CollectionQueue;
  #making: DeltaInterval | undefined;
  /** Of the newest interval: about what the next one needs. */
  #lastBytes = 0;
  #isReplaying = false;
  /** What is replayed was counted by another process. */
  readonly #replayed = new OutputLedger();
  #whenMade: (() => void)[] = [];

  constructor(options: DeltaIntervalsOptions) {
    this.name = options.name;
    this.isDurable = options.journal !== undefined;
    this.#options = options;
    this.#queue = new CollectionQueue(options.limits, options.books);
  }

  get hasRoom(): boolean {
    const isEmpty = this.#queue.first === undefined;
    return this.#making === undefined && (isEmpty || this.#queue.excess(this.#lastBytes) <= 0);
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

  /** What waits, oldest first: time in microseconds, and the requests that have no answer. */
  get waiting(): readonly { readonly timeUs: number; readonly requests: readonly QueuedRequest[] }[] {
    return this.#queue.all;
  }

  /** Whether an interval is half-made: no picture can be taken then. */
  get isMaking(): boolean {
    return this.#making !== undefined;
  }

  /** Resolves when no interval is half-made; another one may have begun when the caller goes on. */
  whenMade(): Promise<void> {
    if (this.#making === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#whenMade.push(resolve));
  }

  /** Makes an interval in turns of {@link longestTurnMs}, when none is half-made. */
  async collect(timeUs: number): Promise<QueuedCollection | undefined> {
    const { journal, maxRequestBytes, clock, books } = this.#options;
    journal?.began(timeUs, maxRequestBytes);
    try {
      this.#making = this.#begin(timeUs, maxRequestBytes, books.ledger);
    } catch (error) {
      bookCollectionFailed(books, clock, error);
      return undefined;
    }
    return this.#make(this.#making);
  }

  /**
   * Reads an interval that is half-made to its end at once: what it is read from is about to become something else.
   * @param told how many steps that took; not called when none is half-made
   * @param committed resolves when what was told is committed
   */
  finishNow(told: (steps: number) => void, committed?: () => Promise<void>): void {
    const interval = this.#making;
    if (interval === undefined) return;
    const fromMs = performance.now();
    let steps = 1;
    while (interval.step()) steps++;
    told(steps);
    if (!this.#isReplaying) this.#book(interval, performance.now() - fromMs);
    this.#finish(interval, new Commit(committed?.()));
  }

  /** {@link finishNow} of what this process reads. */
  finishOwn(): void {
    const { journal, committed } = this.#options;
    this.finishNow((steps) => journal?.steps(steps), committed);
  }

  async resume(): Promise<void> {
    this.finishReplay();
    if (this.#making !== undefined) await this.#make(this.#making);
  }

  answered(isDelivered: boolean): void {
    if (!isDelivered) this.#queue.first!.isWhole = false;
    this.#queue.shift();
    this.#options.journal?.answered(1);
  }

  dropTooOld(): boolean {
    const requests = this.#queue.dropTooOld(this.#options.clock.monotonicMs());
    if (requests > 0) this.#options.journal?.answered(requests);
    return requests > 0;
  }

  hurry(): void {}

  end(cause: string): number {
    if (this.isDurable) return this.figures.points;
    this.#queue.giveUpAll('failed', cause);
    return 0;
  }

  /**
   * What waits now, to be written while it goes on. It takes no time and no memory: it refers to the bytes.
   * @throws StreamgaugeError `bug` while an interval is half-made
   */
  picture(): IntervalsPicture {
    if (this.#making !== undefined)
      throw new StreamgaugeError(
        'bug',
        `an interval of the reader ${this.name} is half-made: await whenMade before a picture is taken`,
      );
    return new IntervalsPicture(this.name, this.#queue.all);
  }

  /** Takes over what a picture wrote, after its name, when nothing waits. */
  *load(reader: SnapshotReader): Generator<void, void> {
    this.#isReplaying = true;
    for (const { timeUs, requests } of yield* loadIntervals(reader)) {
      const underWay = new PointsUnderWay(this.#replayed);
      for (const { request, points } of requests) underWay.restore(request, points);
      const made = requests.map(({ request }) => request);
      this.#push(new QueuedCollection(timeUs, this.#bornMs(timeUs), made, underWay, new Commit(undefined)));
    }
  }

  /** Does again what {@link IntervalJournal.began} told. */
  replayBegan(timeUs: number, maxRequestBytes: number): void {
    this.#isReplaying = true;
    if (this.#making !== undefined && this.#making.stepsMade > 0) throw this.#mismatch('another one begins');
    // One that could not be read, which was booked then.
    this.#making?.close();
    this.#making = undefined;
    try {
      this.#making = this.#begin(timeUs, maxRequestBytes, this.#replayed);
    } catch {
      // As it was then.
    }
  }

  /** Does again what {@link IntervalJournal.steps} told. @throws StreamgaugeError `invalid_data` when there are not so many */
  replaySteps(count: number): void {
    const interval = this.#making;
    if (interval === undefined) throw this.#mismatch(`${count} steps are recorded and none has begun`);
    for (let i = 0; i < count; i++) {
      if (interval.isDone) throw this.#mismatch(`${count - i} more steps are recorded`);
      interval.step();
    }
    if (interval.isDone) this.#finish(interval, new Commit(undefined));
  }

  /** Does again what {@link IntervalJournal.answered} told. @throws StreamgaugeError `invalid_data` when there are not so many */
  replayAnswered(count: number): void {
    for (let i = 0; i < count; i++) {
      const collection = this.#queue.first;
      if (collection === undefined)
        throw this.#mismatch(`${count - i} more requests are recorded as answered`);
      collection.underWay.settle(collection.requests[0]!, 'exported');
      this.#queue.shift();
    }
  }

  /** The reader was no more then: what waited was lost and booked, and a half-made interval too. */
  replayGone(): void {
    this.#making?.close();
    this.#making = undefined;
    for (const { underWay } of this.#queue.all) underWay.settleRest('failed');
    this.#queue.clear();
  }

  /** There is nothing more to replay: what waits is this process's to count. Safe when repeated. */
  finishReplay(): void {
    if (!this.#isReplaying) return;
    this.#isReplaying = false;
    const { ledger } = this.#options.books;
    for (const { underWay } of this.#queue.all) underWay.moveTo(ledger);
    this.#making?.underWay.moveTo(ledger);
  }

  /** For a reader that is no more, after a replay: lets go of the state that a half-made interval holds, and forgets what waits. */
  abandon(): void {
    this.#making?.close();
    this.#making = undefined;
    this.#queue.giveUpAll('failed', 'reader_gone');
    for (const resolve of this.#whenMade.splice(0)) resolve();
  }

  #begin(timeUs: number, maxRequestBytes: number, ledger: OutputLedger): DeltaInterval {
    const { collect, encode, books } = this.#options;
    const collection = collect(timeUs);
    const underWay = new PointsUnderWay(ledger);
    const book = bookDropped(books, underWay, maxRequestBytes);
    return new DeltaInterval(
      timeUs,
      collection,
      underWay,
      encode,
      (dropped) => (this.#isReplaying ? underWay.dropped(dropped.points) : book(dropped)),
      maxRequestBytes,
    );
  }

  async #make(interval: DeltaInterval): Promise<QueuedCollection> {
    const { journal, committed, turnMs = longestTurnMs } = this.#options;
    let workMs = 0;
    for (;;) {
      const fromMs = performance.now();
      let isMore: boolean;
      let steps = 0;
      do {
        isMore = interval.step();
        steps++;
      } while (isMore && performance.now() - fromMs < turnMs);
      workMs += performance.now() - fromMs;
      // Before anything runs that may change what the next step reads, letting go of the state included.
      journal?.steps(steps);
      if (!isMore) break;
      await nextTurn();
      // Somebody could not wait.
      if (interval.made !== undefined) return interval.made;
    }
    this.#book(interval, workMs);
    return this.#finish(interval, new Commit(committed?.()));
  }

  #book({ failure, points }: DeltaInterval, workMs: number): void {
    const { books, clock } = this.#options;
    if (failure !== undefined) bookCollectionFailed(books, clock, failure);
    else books.record.collection(workMs, points);
  }

  #finish(interval: DeltaInterval, commit: Commit): QueuedCollection {
    const { timeUs, requests, underWay, failure } = interval;
    interval.close();
    this.#making = undefined;
    const collection = new QueuedCollection(timeUs, this.#bornMs(timeUs), requests, underWay, commit);
    collection.isWhole = failure === undefined;
    interval.made = collection;
    this.#push(collection);
    for (const resolve of this.#whenMade.splice(0)) resolve();
    return collection;
  }

  #push(collection: QueuedCollection): void {
    this.#lastBytes = collection.bytes;
    this.#queue.push(collection);
  }

  /** Across restarts only the wall clock tells; within a process it may be set. */
  #bornMs(timeUs: number): number {
    const { clock } = this.#options;
    return clock.monotonicMs() - Math.max(0, clock.nowUs() - timeUs) / 1000;
  }

  #mismatch(what: string): StreamgaugeError {
    return new StreamgaugeError(
      'invalid_data',
      `the journal does not fit the intervals of the reader ${this.name}: ${what}. It was written over other state, or by another version`,
    );
  }
}
