import { type Clock, systemClock } from '../clock.ts';
import type { Temporality } from '../model/metric.ts';
import { Backend } from './backend.ts';
import { DeltaIntervals } from './delta-intervals.ts';
import { ExportTimes } from './export-times.ts';
import { NewestStateExport } from './newest-state-export.ts';
import { type OutputFigures, OutputLedger } from './output-ledger.ts';
import { OwnMetrics } from './own-metrics.ts';
import {
  keepsHistory,
  type PeriodicReaderChange,
  type PeriodicReaderOptions,
  settingsWithDefaults,
  withDefaults,
} from './periodic-reader-options.ts';
import { noFigures } from './queue-limits.ts';
import { QueuedExport } from './queued-export.ts';
import type { ExportWay, ReaderCore, ReaderSettings } from './reader-core.ts';
import { ReaderLog } from './reader-log.ts';
import { ReaderRecord, type ReaderStatus } from './reader-status.ts';
import { RetryingSender } from './retrying-sender.ts';
import { StateHistory } from './state-history.ts';

export {
  keepsHistory,
  type PeriodicReaderChange,
  type PeriodicReaderOptions,
} from './periodic-reader-options.ts';

export interface DrainResult {
  /** The last state, or the last delta interval, is with the backend, and nothing from before is missing. The exporting process's own metrics are in none of these. */
  readonly delivered: boolean;
  /** Points that the backend took while draining. */
  readonly pointsDelivered: number;
  /** Points that are lost with the end of the process. What a delta reader could not even collect is not among them. */
  readonly pointsUndelivered: number;
  /** Points that wait on the disk, and are delivered after the next start. */
  readonly pointsKept: number;
  /** Why not everything was delivered. */
  readonly error: string | undefined;
}

/** The sender's own timeout ends a try; this much later the reader does. */
const timeoutSlackMs = 1000;

/**
 * Collects at each interval and exports, after OpenTelemetry's periodic exporting MetricReader. One request is under way at a time, in a
 * loop of the reader's own, so a slow or dead backend delays nobody else. What becomes of collections that the backend does not take:
 *
 * - Cumulative: given up for the newest state ({@link NewestStateExport}), or, with room in a queue, kept as history ({@link StateHistory}).
 * - Delta: nothing is given up. Each increment is in exactly one interval, fixed when it was collected; a retry repeats its bytes. Intervals wait in a queue; when that
 *   is full, the reader does not collect, so the next interval is longer ({@link DeltaIntervals}).
 *
 * What fails for good is counted as failed; the requests after it are tried all the same.
 *
 * Lifecycle: `start` once; `drain` exports the last state within a deadline; `stop` ends everything at once, is safe before start and when repeated.
 */
export class PeriodicReader {
  readonly name: string;
  readonly temporality: Temporality;
  /** Of a delta reader: what waits, its replay and its pictures. */
  readonly intervals: DeltaIntervals | undefined;
  readonly #firstAfterMs: number;
  readonly #clock: Clock;
  readonly #queue: StateHistory | DeltaIntervals | undefined;
  readonly #way: ExportWay;
  readonly #sender: RetryingSender;
  readonly #own: OwnMetrics;
  readonly #times: ExportTimes;
  readonly #settings: ReaderSettings;
  readonly #record: ReaderRecord;
  readonly #ledger = new OutputLedger();
  /** Aborted by stop: ends tries and waits. */
  readonly #stopped = new AbortController();
  /** Aborted by drain: ends waiting for the next interval, and an export of the newest state. */
  readonly #draining = new AbortController();
  #state: ReaderStatus['state'] = 'idle';
  #loop: Promise<void> | undefined;
  #drained: Promise<DrainResult> | undefined;
  #pointsKept = 0;

  /** @throws RangeError when an interval, timeout, size or limit is out of range */
  constructor(given: PeriodicReaderOptions) {
    const options = withDefaults(given);
    const { name, temporality, encode, committed, onDelivered } = options;
    this.name = name;
    this.temporality = temporality;
    this.#firstAfterMs = options.firstAfterMs;
    this.#clock = options.clock ?? systemClock;
    const clock = this.#clock;
    const settings: ReaderSettings = {
      exportTimeoutMs: options.exportTimeoutMs,
      maxRequestBytes: options.maxRequestBytes,
    };
    this.#settings = settings;
    this.#times = new ExportTimes(clock, options.intervalMs);
    const record = new ReaderRecord(options.observer ?? {}, () => this.#queue?.figures ?? noFigures);
    const log = new ReaderLog(options.log, name);
    const ledger = this.#ledger;
    this.#record = record;
    this.#sender = new RetryingSender(
      options.sender,
      options.timeoutMs + timeoutSlackMs,
      {
        attempt: (result, bytes, durationMs) => {
          const error = result.kind === 'success' ? undefined : result.error;
          record.request(this.#nowMs(), durationMs, bytes, error);
          if (result.kind === 'success') log.succeeded(result.partialSuccess, result.warning);
          else log.failed(result.error, result.kind === 'retryable');
          if (this.#state === 'retrying') this.#state = 'exporting';
        },
        retry: (delayMs, error) => {
          if (this.#state === 'exporting') this.#state = 'retrying';
          record.retry(delayMs, error.code);
        },
      },
      options.retry,
      clock,
    );
    const books = { record, log, ledger };
    const backend = new Backend(this.#sender, record);
    this.#own = new OwnMetrics({
      ...{ ...books, encode, temporality, backend, clock },
      get maxRequestBytes() {
        return settings.maxRequestBytes;
      },
      collect: options.collectOwn,
    });
    const core: ReaderCore = {
      ...{ ...books, clock, times: this.#times, settings, backend, own: this.#own },
      draining: this.#draining.signal,
      stopped: this.#stopped.signal,
      enter: (state) => {
        if (this.#state !== 'draining' && this.#state !== 'stopped') this.#state = state;
      },
    };
    const { collect, queue: limits, journal } = options;
    const making = {
      ...{ name, collect, encode, committed, limits, clock, books, journal },
      get maxRequestBytes() {
        return settings.maxRequestBytes;
      },
    };
    if (temporality === 'delta') {
      this.intervals = new DeltaIntervals(making);
      this.#queue = this.intervals;
    } else if (keepsHistory(limits)) {
      this.#queue = new StateHistory(making);
    }
    this.#way =
      this.#queue === undefined
        ? new NewestStateExport(core, { collect, encode, committed, onDelivered })
        : new QueuedExport(core, this.#queue, onDelivered);
  }

  get status(): ReaderStatus {
    return { name: this.name, state: this.#state, ...this.#record.status };
  }

  /**
   * Other settings while it goes on: with its queue, its books and its place in what it reads. They hold for what comes next; a try that is under way ends as it
   * began. What is left out has its default. A cumulative reader must go on with room for history, or without: {@link keepsHistory}.
   * @throws RangeError as the constructor does; nothing has changed then
   */
  change(given: PeriodicReaderChange): void {
    const { intervalMs, timeoutMs, exportTimeoutMs, maxRequestBytes, queue } = settingsWithDefaults(
      given,
      this.temporality,
    );
    if (this.temporality === 'cumulative' && keepsHistory(queue) !== (this.#queue !== undefined))
      throw new RangeError(
        `queue.maxBytes is ${queue.maxBytes}: a cumulative reader goes on with room or without`,
      );
    this.#settings.exportTimeoutMs = exportTimeoutMs;
    this.#settings.maxRequestBytes = maxRequestBytes;
    if (this.#queue !== undefined) this.#queue.limits = queue;
    this.#sender.change(given.sender, timeoutMs + timeoutSlackMs);
    this.#times.change(intervalMs);
  }

  /** What became of the points that it read, by metric. */
  ledger(): OutputFigures[] {
    return this.#ledger.figures();
  }

  /** Begins to export, first after `firstAfterMs`. Does nothing when started or stopped before. @param signal stops the reader */
  start(signal?: AbortSignal): void {
    if (this.#loop !== undefined || this.#stopped.signal.aborted || this.#draining.signal.aborted) return;
    signal?.addEventListener('abort', () => void this.stop(), { signal: this.#stopped.signal });
    this.#loop = signal?.aborted === true ? this.stop() : this.#way.run(this.#firstAfterMs);
  }

  /**
   * Ends the intervals, delivers what waits, or gives it up for the newest state (cumulative; history after half of the time), and exports once more. Retries
   * until the deadline; our own back-off is cut short, a server's delay is kept. Then closes the sender. Repeated calls give the first one's result.
   * @param deadlineMs from now
   */
  drain(deadlineMs: number): Promise<DrainResult> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  /** What waits is not to be delivered by anybody: it is lost, and counted as such. After `drain` or `stop`. Gives how many points. */
  giveUp(): number {
    const points = this.#pointsKept;
    this.#pointsKept = 0;
    this.intervals?.abandon();
    return points;
  }

  /** Cancels what is under way and closes the sender. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await this.#drained;
    this.#end();
  }

  async #drain(deadlineMs: number): Promise<DrainResult> {
    const before = { ...this.#record.counts };
    const { exported, failed } = this.#own;
    const cancels = [
      this.#clock.setTimeout(() => this.#stopped.abort(), deadlineMs),
      this.#clock.setTimeout(() => this.#way.hurry(), deadlineMs / 2),
    ];
    this.#sender.hurry();
    this.#draining.abort();
    await this.#loop;
    const { signal } = this.#stopped;
    let isComplete = false;
    if (!signal.aborted) {
      this.#state = 'draining';
      isComplete = await this.#way.finish(signal);
    }
    for (const cancel of cancels) cancel();
    this.#end();
    const { counts, lastError, failuresInARow } = this.#record;
    const failure = failuresInARow > 0 || signal.aborted === false ? lastError?.message : undefined;
    const pointsUndelivered = counts.pointsFailed - before.pointsFailed - (this.#own.failed - failed);
    const delivered = isComplete && pointsUndelivered === 0;
    return {
      delivered,
      pointsDelivered: counts.pointsExported - before.pointsExported - (this.#own.exported - exported),
      pointsUndelivered,
      pointsKept: this.#pointsKept,
      error: delivered
        ? undefined
        : (failure ?? `the backend did not take everything within ${deadlineMs} ms`),
    };
  }

  #end(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#own.end();
    this.#pointsKept = this.#way.end();
    this.#sender.close();
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000);
  }
}
