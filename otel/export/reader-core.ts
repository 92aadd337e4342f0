import type { Clock } from '../clock.ts';
import type { DroppedPoints } from '../otlp/encode-requests.ts';
import type { Backend } from './backend.ts';
import type { ExportTimes } from './export-times.ts';
import type { OutputLedger } from './output-ledger.ts';
import type { OwnMetrics } from './own-metrics.ts';
import type { PointsUnderWay } from './points-under-way.ts';
import type { ReaderLog } from './reader-log.ts';
import type { ReaderRecord, ReaderStatus } from './reader-status.ts';

/** What of a reader's exports may change while it runs. */
export interface ReaderSettings {
  exportTimeoutMs: number;
  maxRequestBytes: number;
}

/** Where one reader writes down what it does. */
export interface ReaderBooks {
  readonly record: ReaderRecord;
  readonly log: ReaderLog;
  readonly ledger: OutputLedger;
}

/** What a reader's ways of exporting share. */
export interface ReaderCore extends ReaderBooks {
  readonly clock: Clock;
  readonly times: ExportTimes;
  /** As they are now: they may change while the reader runs. */
  readonly settings: Readonly<ReaderSettings>;
  readonly backend: Backend;
  readonly own: OwnMetrics;
  /** Aborted when the reader is to end by itself, delivering what it can. */
  readonly draining: AbortSignal;
  /** Aborted when everything is to end at once. */
  readonly stopped: AbortSignal;
  /** What the reader is doing now. */
  enter(state: ReaderStatus['state']): void;
}

/** When and what a reader exports. */
export interface ExportWay {
  /** Exports at each interval, first after so many milliseconds. Resolves when it was drained or stopped and nothing runs any more. Never rejects. */
  run(firstAfterMs: number): Promise<void>;
  /** Exports a last time, when `run` has resolved or was never called. Gives whether the backend has taken everything. Never rejects. */
  finish(signal: AbortSignal): Promise<boolean>;
  /** Half of the time for a drain is over. */
  hurry(): void;
  /** Nothing is sent any more: counts what is lost. Gives how many points are not: they wait on the disk for the next start. */
  end(): number;
}

/** Of those who make one try. */
export const noPatience = AbortSignal.abort();

/** Books points that no request could hold. */
export function bookDropped(
  { record, log }: ReaderBooks,
  underWay: PointsUnderWay,
  maxRequestBytes: number,
): (dropped: DroppedPoints) => void {
  return (dropped) => {
    underWay.dropped(dropped.points);
    record.points('dropped', dropped.points, dropped.cause);
    log.dropped(dropped, maxRequestBytes);
  };
}

export function bookCollectionFailed({ record, log }: ReaderBooks, clock: Clock, error: unknown): void {
  record.collectionFailed(Math.floor(clock.nowUs() / 1000), error);
  log.collectionFailed(error);
}
