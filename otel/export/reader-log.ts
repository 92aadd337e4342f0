import type { DroppedPoints } from '../otlp/encode-requests.ts';
import type { PartialSuccess } from '../otlp/export-answer.ts';
import type { SendError } from './request-sender.ts';

type Write = (fields: object, message: string) => void;

/** What readers log with; a pino logger is one. */
export interface ExportLog {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
}

/** Metrics whose dropped points were logged; above this many nothing more is remembered or said. */
const mostDroppedMetrics = 100;

/** One event for each change of a reader's state, never one for each request. */
export class ReaderLog {
  readonly #log: ExportLog;
  readonly #reader: string;
  #failing = '';
  #partial = '';
  readonly #dropped = new Set<string>();
  readonly #droppedWaiting = new Set<string>();

  constructor(log: ExportLog, reader: string) {
    this.#log = log;
    this.#reader = reader;
  }

  failed(error: SendError, isRetried: boolean): void {
    const state = `${error.code} ${isRetried}`;
    if (state === this.#failing) return;
    this.#failing = state;
    const fields = { reader: this.#reader, code: error.code, error: error.message };
    if (isRetried) this.#log.warn(fields, 'export fails and is tried again');
    else this.#log.error(fields, 'export failed for good: the backend would refuse the same points again');
  }

  succeeded(partial: PartialSuccess | undefined, warning: string | undefined): void {
    if (this.#failing !== '') this.#log.info({ reader: this.#reader }, 'export works again');
    this.#failing = '';
    this.#droppedWaiting.clear();
    const message = partial === undefined ? (warning ?? '') : `${partial.rejected > 0} ${partial.message}`;
    if (message === this.#partial) return;
    this.#partial = message;
    if (partial !== undefined) {
      const { rejected, message: reason } = partial;
      const fields = { reader: this.#reader, rejectedPoints: rejected, reason };
      this.#log.warn(fields, rejected > 0 ? 'the backend rejected some points' : 'the backend has a warning');
    } else if (warning !== undefined) {
      this.#log.warn(
        { reader: this.#reader, reason: warning },
        'the backend took a request and its answer cannot be read',
      );
    }
  }

  dropped({ metric, cause }: DroppedPoints, maxRequestBytes: number): void {
    const key = `${cause} ${metric.name}`;
    if (this.#dropped.has(key) || this.#dropped.size >= mostDroppedMetrics) return;
    this.#dropped.add(key);
    const fields = { reader: this.#reader, metric: metric.name, cause, maxRequestBytes };
    this.#log.warn(
      fields,
      'a point with its resource is larger than a request may be and is not exported: shorten its attributes or raise the request size',
    );
  }

  /** Points that waited for the backend were given up. Said once for each cause until the backend takes something again. */
  droppedWaiting(cause: 'too_old' | 'queue_full'): void {
    if (this.#droppedWaiting.has(cause)) return;
    this.#droppedWaiting.add(cause);
    const why =
      cause === 'too_old'
        ? 'what waited longer than streamgauge.queue.max_age is dropped, and counted'
        : 'the queue is full, and the oldest that waited is dropped, and counted: see streamgauge.queue.max_bytes';
    this.#log.warn({ reader: this.#reader, cause }, why);
  }

  collectionFailed(error: unknown): void {
    this.#log.error(
      { reader: this.#reader, err: error },
      'collecting failed: nothing is exported for this interval',
    );
  }
}
