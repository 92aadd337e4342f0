import type { Clock } from '../clock.ts';
import type { Temporality } from '../model/metric.ts';
import { defaultMaxRequestBytes, encodeInSteps } from '../otlp/encode-requests.ts';
import { RequestBuffers } from '../otlp/request-buffers.ts';
import type { Collection } from '../state/point-batch.ts';
import type { Encode } from './encoding-in-turns.ts';
import type { IntervalJournal } from './interval-journal.ts';
import { defaultQueue, type QueueLimits } from './queue-limits.ts';
import type { ExportLog } from './reader-log.ts';
import type { ReaderObserver } from './reader-status.ts';
import type { RequestSender } from './request-sender.ts';
import type { RetryPolicy } from './retrying-sender.ts';

export interface PeriodicReaderOptions {
  /** For logs, status and metrics. */
  readonly name: string;
  /** Default 60,000. */
  readonly intervalMs?: number | undefined;
  /** When to export first, counted from the start. Default: after one interval. */
  readonly firstAfterMs?: number | undefined;
  /** How long one try of one request may take. Give the sender the same; this holds for senders that forget. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** How long an export of the newest state may go on retrying; at most until the next interval, which is the default. */
  readonly exportTimeoutMs?: number | undefined;
  readonly temporality: Temporality;
  /** Default {@link defaultMaxRequestBytes}. */
  readonly maxRequestBytes?: number | undefined;
  /** Everything at this time, in the reader's temporality. It is read in turns, so live state is shown as it is when it is read. */
  readonly collect: (timeUs: number) => Collection;
  /** The metrics of the exporting process itself. They leave at each interval in requests of their own, and wait for no commit. */
  readonly collectOwn?: (() => Promise<Collection>) | undefined;
  /** Resolves once all that was read so far is committed: nothing read leaves before. Does not reject. Absent: at once. */
  readonly committed?: (() => Promise<void>) | undefined;
  /** What may wait for the backend. Default {@link defaultQueue}; without room, a cumulative reader keeps the newest state only. */
  readonly queue?: QueueLimits | undefined;
  /** Of a delta reader: told what changes state, so that its intervals can be made again after a restart. Absent: they end with the process. */
  readonly journal?: IntervalJournal | undefined;
  /** Told when the backend has taken the whole of the last collection, and nothing waits. */
  readonly onDelivered?: (() => void) | undefined;
  /** Closed with the reader. */
  readonly sender: RequestSender;
  readonly log: ExportLog;
  readonly observer?: ReaderObserver | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly clock?: Clock | undefined;
  /** Default: OTLP requests of `maxRequestBytes`. */
  readonly encode?: Encode | undefined;
}

/** What of a reader may be changed while it runs. */
export type PeriodicReaderChange = Pick<
  PeriodicReaderOptions,
  'intervalMs' | 'timeoutMs' | 'exportTimeoutMs' | 'maxRequestBytes' | 'queue'
> & {
  /** The one that it has, or another one that takes its place. */
  readonly sender: RequestSender;
};

/** Whether a cumulative reader has room for more than the newest state. */
export function keepsHistory({ maxBytes }: QueueLimits): boolean {
  return maxBytes > 0;
}

/** Into OTLP requests, whose memory is used again. */
export function otlpEncode(): Encode {
  const buffers = new RequestBuffers();
  return (collection, onDropped, maxBytes) => encodeInSteps(collection, { maxBytes, onDropped, buffers });
}

/** With its defaults. @throws RangeError when an interval, timeout or limit is out of range */
export function withDefaults(options: PeriodicReaderOptions) {
  const settings = settingsWithDefaults(options, options.temporality);
  return {
    ...options,
    ...settings,
    firstAfterMs: options.firstAfterMs ?? settings.intervalMs,
    encode: options.encode ?? otlpEncode(),
  };
}

/** What may be changed, likewise. */
export function settingsWithDefaults(
  options: Omit<PeriodicReaderChange, 'sender'>,
  temporality: Temporality,
) {
  const { intervalMs = 60_000, timeoutMs = 10_000 } = options;
  const queue = options.queue ?? defaultQueue[temporality];
  positive('intervalMs', intervalMs);
  positive('timeoutMs', timeoutMs);
  positive('queue.maxAgeMs', queue.maxAgeMs);
  if (!(queue.maxBytes >= 0)) throw new RangeError(`queue.maxBytes is ${queue.maxBytes}: give 0 or more`);
  return {
    intervalMs,
    timeoutMs,
    queue,
    exportTimeoutMs: options.exportTimeoutMs ?? intervalMs,
    maxRequestBytes: options.maxRequestBytes ?? defaultMaxRequestBytes,
  };
}

function positive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} is ${value}: give a number of milliseconds above 0`);
}
