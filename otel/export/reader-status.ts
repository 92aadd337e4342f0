import { noFigures, type QueueFigures } from './queue-limits.ts';
import type { SendError } from './request-sender.ts';

/** Counts since the reader was made. Points are data points. */
export interface ReaderCounts {
  collections: number;
  collectionsFailed: number;
  /** Tries, repeated ones too. */
  requests: number;
  requestsFailed: number;
  retries: number;
  bytes: number;
  pointsExported: number;
  /** In requests that were taken, refused by the backend: partial success. */
  pointsRejected: number;
  /** Lost: the backend refused the request for good, or the reader was stopped before it could deliver. */
  pointsFailed: number;
  /** Not delivered, and replaced by a newer cumulative state. */
  pointsSuperseded: number;
  /** Never in a request, since one point is too large; or they waited for too long, or for more room than there is. */
  pointsDropped: number;
}

/** A reader's state for pages and status answers. Holds no secrets. */
export interface ReaderStatus {
  readonly name: string;
  /** `waiting`: for the next interval. `committing`: for what is to be sent to be committed. `retrying`: for the end of a back-off. */
  readonly state: 'idle' | 'waiting' | 'exporting' | 'committing' | 'retrying' | 'draining' | 'stopped';
  /** Milliseconds since the Unix epoch. */
  readonly lastSuccessTimeMs: number | undefined;
  readonly lastError:
    | { readonly timeMs: number; readonly code: string; readonly message: string }
    | undefined;
  /** Tries that failed since the last success. */
  readonly failuresInARow: number;
  readonly counts: Readonly<ReaderCounts>;
  /** What waits for the backend. */
  readonly queue: QueueFigures;
}

/** What became of points, for a reader's own metrics. */
export type PointsOutcome = 'exported' | 'rejected' | 'failed' | 'superseded' | 'dropped';

/** Told of everything as it happens, so that it can be measured. Must not throw. */
export interface ReaderObserver {
  /** @param cause a few stable words: the code of the error, `too_large`, `partial_success`, `newer_state`, `not_committed`, `coalesced`, `too_old`, `queue_full`; empty for exported points */
  points?(outcome: PointsOutcome, points: number, cause: string): void;
  /** One try of one request. `code` is empty on success. */
  request?(durationMs: number, bytes: number, code: string): void;
  retry?(delayMs: number, code: string): void;
  /** One collection with its encoding. */
  collection?(durationMs: number, points: number): void;
  collectionFailed?(error: unknown): void;
  /** Given once, at the beginning: how to read what waits. */
  queue?(read: () => QueueFigures): void;
}

/** Keeps counts and the last results of one reader, and tells the observer. */
export class ReaderRecord {
  readonly counts: ReaderCounts = {
    collections: 0,
    collectionsFailed: 0,
    requests: 0,
    requestsFailed: 0,
    retries: 0,
    bytes: 0,
    pointsExported: 0,
    pointsRejected: 0,
    pointsFailed: 0,
    pointsSuperseded: 0,
    pointsDropped: 0,
  };
  lastSuccessTimeMs: number | undefined;
  lastError: ReaderStatus['lastError'];
  failuresInARow = 0;
  readonly #observer: ReaderObserver;
  readonly #queue: () => QueueFigures;

  constructor(observer: ReaderObserver, queue: () => QueueFigures = () => noFigures) {
    this.#observer = observer;
    this.#queue = queue;
    observer.queue?.(queue);
  }

  /** All but who and where. */
  get status(): Omit<ReaderStatus, 'name' | 'state'> {
    const { lastSuccessTimeMs, lastError, failuresInARow, counts } = this;
    return { lastSuccessTimeMs, lastError, failuresInARow, counts: { ...counts }, queue: this.#queue() };
  }

  points(outcome: PointsOutcome, points: number, cause = ''): void {
    if (points === 0) return;
    const { counts } = this;
    if (outcome === 'exported') counts.pointsExported += points;
    else if (outcome === 'rejected') counts.pointsRejected += points;
    else if (outcome === 'failed') counts.pointsFailed += points;
    else if (outcome === 'superseded') counts.pointsSuperseded += points;
    else counts.pointsDropped += points;
    this.#observer.points?.(outcome, points, cause);
  }

  /** One try. @param error `undefined` for a success */
  request(timeMs: number, durationMs: number, bytes: number, error: SendError | undefined): void {
    this.counts.requests++;
    this.counts.bytes += bytes;
    if (error === undefined) {
      this.lastSuccessTimeMs = timeMs;
      this.failuresInARow = 0;
    } else {
      this.counts.requestsFailed++;
      this.failuresInARow++;
      this.lastError = { timeMs, code: error.code, message: error.message };
    }
    this.#observer.request?.(durationMs, bytes, error?.code ?? '');
  }

  retry(delayMs: number, code: string): void {
    this.counts.retries++;
    this.#observer.retry?.(delayMs, code);
  }

  collection(durationMs: number, points: number): void {
    this.counts.collections++;
    this.#observer.collection?.(durationMs, points);
  }

  collectionFailed(timeMs: number, error: unknown): void {
    this.counts.collectionsFailed++;
    const message = error instanceof Error ? error.message : String(error);
    this.lastError = { timeMs, code: 'COLLECT', message };
    this.#observer.collectionFailed?.(error);
  }
}
