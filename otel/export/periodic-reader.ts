import { type Clock, pause, systemClock } from '../clock.ts';
import type { Temporality } from '../model/metric.ts';
import { defaultMaxRequestBytes, encodeInSteps } from '../otlp/encode-requests.ts';
import type { EncodedRequest } from '../otlp/open-request.ts';
import { RequestBuffers } from '../otlp/request-buffers.ts';
import type { Collection } from '../state/point-batch.ts';
import { Backend } from './backend.ts';
import { Commit } from './commit.ts';
import { type Encode, EncodingInTurns } from './encoding-in-turns.ts';
import { type OutputFigures, OutputLedger } from './output-ledger.ts';
import { OwnMetrics } from './own-metrics.ts';
import { PointsUnderWay } from './points-under-way.ts';
import { type ExportLog, ReaderLog } from './reader-log.ts';
import { type ReaderObserver, ReaderRecord, type ReaderStatus } from './reader-status.ts';
import type { RequestSender } from './request-sender.ts';
import { RetryingSender, type RetryPolicy } from './retrying-sender.ts';

export interface PeriodicReaderOptions {
  /** For logs, status and metrics. */
  readonly name: string;
  /** Default 60,000. */
  readonly intervalMs?: number | undefined;
  /** When to export first, counted from the start. Default: after one interval. */
  readonly firstAfterMs?: number | undefined;
  /** How long one try of one request may take. Give the sender the same; this holds for senders that forget. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** How long a cumulative export may go on retrying; at most until the next interval, which is the default. */
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
  /** Told when the backend has taken the whole of the last collection. */
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

export interface DrainResult {
  /** The last state, or the last delta interval, is with the backend, and nothing from before is missing. The exporting process's own metrics are in none of these. */
  readonly delivered: boolean;
  /** Points that the backend took while draining. */
  readonly pointsDelivered: number;
  /** Points that are lost with the end of the process. What a delta reader could not even collect is not among them. */
  readonly pointsUndelivered: number;
  /** Why not everything was delivered. */
  readonly error: string | undefined;
}

/** Of those who make one try. */
const noPatience = AbortSignal.abort();

/** The sender's own timeout ends a try; this much later the reader does. */
const timeoutSlackMs = 1000;

/**
 * Collects at each interval and exports, after OpenTelemetry's periodic exporting MetricReader. One export is under way at a time, in a
 * loop of the reader's own, so a slow or dead backend delays nobody else. When the next interval comes during an export:
 *
 * - Cumulative, and likewise when the export's timeout is over: a request that is being tried may finish, and the rest of the collection follows as long as tries succeed. What waits for
 *   a retry is given up, counted as superseded, and the newest state is collected once the back-off or the server's delay has passed.
 * - Delta: nothing is given up. Each increment is in exactly one interval, fixed when it was collected; a retry repeats its bytes. The
 *   reader does not collect meanwhile, so the next interval is longer, and nothing waits but the one interval.
 *
 * What fails for good is counted as failed; the requests after it are tried all the same.
 *
 * A cumulative collection is encoded while it is sent, one request ahead. A delta collection is encoded whole before its first request
 * is sent, and each request is kept until the backend has answered.
 *
 * Lifecycle: `start` once; `drain` exports the last state within a deadline; `stop` ends everything at once, is safe before start and when repeated.
 */
export class PeriodicReader {
  readonly name: string;
  readonly temporality: Temporality;
  readonly #intervalMs: number;
  readonly #firstAfterMs: number;
  readonly #exportTimeoutMs: number;
  readonly #clock: Clock;
  readonly #collect: PeriodicReaderOptions['collect'];
  readonly #encode: Encode;
  readonly #onDelivered: (() => void) | undefined;
  readonly #maxRequestBytes: number;
  readonly #sender: RetryingSender;
  readonly #backend: Backend;
  readonly #own: OwnMetrics;
  readonly #committed: (() => Promise<void>) | undefined;
  /** Of the requests that are not answered yet. */
  readonly #commits = new WeakMap<EncodedRequest, Commit>();
  readonly #record: ReaderRecord;
  readonly #ledger = new OutputLedger();
  readonly #log: ReaderLog;
  /** Aborted by stop: ends tries and waits. */
  readonly #stopped = new AbortController();
  /** Aborted by drain: ends waiting for the next interval, and a cumulative export. */
  readonly #draining = new AbortController();
  readonly #ended = AbortSignal.any([this.#stopped.signal, this.#draining.signal]);
  #state: ReaderStatus['state'] = 'idle';
  #loop: Promise<void> | undefined;
  #drained: Promise<DrainResult> | undefined;

  /** @throws RangeError when an interval, timeout or size is out of range */
  constructor(options: PeriodicReaderOptions) {
    const { intervalMs = 60_000, timeoutMs = 10_000 } = options;
    positive('intervalMs', intervalMs);
    positive('timeoutMs', timeoutMs);
    this.name = options.name;
    this.temporality = options.temporality;
    this.#intervalMs = intervalMs;
    this.#firstAfterMs = options.firstAfterMs ?? intervalMs;
    this.#exportTimeoutMs = options.exportTimeoutMs ?? intervalMs;
    this.#clock = options.clock ?? systemClock;
    this.#collect = options.collect;
    this.#committed = options.committed;
    this.#onDelivered = options.onDelivered;
    this.#maxRequestBytes = options.maxRequestBytes ?? defaultMaxRequestBytes;
    const buffers = new RequestBuffers();
    this.#encode =
      options.encode ??
      ((collection, onDropped, maxBytes) => encodeInSteps(collection, { maxBytes, onDropped, buffers }));
    this.#record = new ReaderRecord(options.observer ?? {});
    this.#log = new ReaderLog(options.log, options.name);
    const observer: ConstructorParameters<typeof RetryingSender>[2] = {
      attempt: (result, bytes, durationMs) => {
        const error = result.kind === 'success' ? undefined : result.error;
        this.#record.request(this.#nowMs(), durationMs, bytes, error);
        if (result.kind === 'success') this.#log.succeeded(result.partialSuccess, result.warning);
        else this.#log.failed(result.error, result.kind === 'retryable');
        if (this.#state === 'retrying') this.#state = 'exporting';
      },
      retry: (delayMs, error) => {
        if (this.#state === 'exporting') this.#state = 'retrying';
        this.#record.retry(delayMs, error.code);
      },
    };
    this.#sender = new RetryingSender(
      options.sender,
      timeoutMs + timeoutSlackMs,
      observer,
      options.retry,
      this.#clock,
    );
    this.#backend = new Backend(this.#sender, this.#record);
    this.#own = new OwnMetrics({
      collect: options.collectOwn,
      temporality: this.temporality,
      encode: this.#encode,
      maxRequestBytes: this.#maxRequestBytes,
      backend: this.#backend,
      record: this.#record,
      log: this.#log,
      ledger: this.#ledger,
      clock: this.#clock,
    });
  }

  get status(): ReaderStatus {
    const { lastSuccessTimeMs, lastError, failuresInARow, counts } = this.#record;
    return {
      name: this.name,
      state: this.#state,
      lastSuccessTimeMs,
      lastError,
      failuresInARow,
      counts: { ...counts },
    };
  }

  /** What became of the points that it read, by metric. */
  ledger(): OutputFigures[] {
    return this.#ledger.figures();
  }

  /** Begins to export, first after `firstAfterMs`. Does nothing when started or stopped before. @param signal stops the reader */
  start(signal?: AbortSignal): void {
    if (this.#loop !== undefined || this.#stopped.signal.aborted || this.#draining.signal.aborted) return;
    signal?.addEventListener('abort', () => void this.stop(), { signal: this.#stopped.signal });
    this.#loop = signal?.aborted === true ? this.stop() : this.#run();
  }

  /**
   * Ends the intervals, delivers what is under way (delta) or gives it up for the newest state (cumulative), and exports once more. Retries
   * until the deadline; our own back-off is cut short, a server's delay is kept. Then closes the sender. Repeated calls give the first one's result.
   * @param deadlineMs from now
   */
  drain(deadlineMs: number): Promise<DrainResult> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  /** Cancels what is under way and closes the sender. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await this.#drained;
    this.#own.end();
    this.#sender.close();
    this.#state = 'stopped';
  }

  async #run(): Promise<void> {
    const ended = this.#ended;
    let nextMs = this.#clock.monotonicMs() + this.#firstAfterMs;
    for (;;) {
      this.#state = 'waiting';
      const waitMs = nextMs - this.#clock.monotonicMs();
      if (waitMs > 0) await pause(this.#clock, waitMs, ended);
      if (ended.aborted) return;
      this.#state = 'retrying';
      await this.#sender.allowed(ended);
      await this.#sendOwn(ended);
      await this.#sender.allowed(ended);
      if (ended.aborted) return;
      // Stays on the grid; intervals that an export or a back-off has taken are left out.
      const late = Math.floor((this.#clock.monotonicMs() - nextMs) / this.#intervalMs);
      nextMs += (Math.max(0, late) + 1) * this.#intervalMs;
      await this.#exportUntil(nextMs);
    }
  }

  async #exportUntil(nextMs: number): Promise<void> {
    const patience = new AbortController();
    const isCumulative = this.temporality === 'cumulative';
    const cancel = isCumulative
      ? this.#clock.setTimeout(
          () => patience.abort(),
          Math.min(nextMs - this.#clock.monotonicMs(), this.#exportTimeoutMs),
        )
      : () => {};
    const signal = isCumulative ? this.#ended : this.#stopped.signal;
    await this.#export(signal, patience.signal);
    if (this.#own.isWaiting && isCumulative) await this.#own.send(signal, patience.signal);
    cancel();
  }

  /** The newest of the own metrics: one try, since others wait behind it. */
  async #sendOwn(signal: AbortSignal): Promise<void> {
    this.#own.due();
    await this.#own.send(signal, noPatience);
  }

  async #drain(deadlineMs: number): Promise<DrainResult> {
    const before = { ...this.#record.counts };
    const { exported, failed } = this.#own;
    const cancel = this.#clock.setTimeout(() => this.#stopped.abort(), deadlineMs);
    this.#sender.hurry();
    this.#draining.abort();
    await this.#loop;
    const { signal } = this.#stopped;
    let isComplete = false;
    if (!signal.aborted) {
      this.#state = 'draining';
      await this.#sender.allowed(signal);
      await this.#sendOwn(signal);
      await this.#sender.allowed(signal);
      if (!signal.aborted) isComplete = await this.#export(signal, signal);
    }
    cancel();
    this.#own.end();
    this.#sender.close();
    this.#state = 'stopped';
    const { counts, lastError, failuresInARow } = this.#record;
    const failure = failuresInARow > 0 || signal.aborted === false ? lastError?.message : undefined;
    const pointsUndelivered = counts.pointsFailed - before.pointsFailed - (this.#own.failed - failed);
    const delivered = isComplete && pointsUndelivered === 0;
    return {
      delivered,
      pointsDelivered: counts.pointsExported - before.pointsExported - (this.#own.exported - exported),
      pointsUndelivered,
      error: delivered
        ? undefined
        : (failure ?? `the backend did not take everything within ${deadlineMs} ms`),
    };
  }

  /** Collects and sends once. Gives whether all that was collected was answered with success. */
  async #export(signal: AbortSignal, patience: AbortSignal): Promise<boolean> {
    if (this.#state !== 'draining') this.#state = 'exporting';
    const underWay = new PointsUnderWay(this.#ledger);
    let encoding: EncodingInTurns | undefined;
    try {
      encoding = this.#begin(underWay);
      const isDelta = this.temporality === 'delta';
      if (isDelta) await encoding.keepAll();
      // An interval is fixed and committed whole before any of it leaves.
      const whole = isDelta ? new Commit(this.#committed?.()) : undefined;
      let isComplete = true;
      for (let request = await encoding.next(); request !== undefined; request = await encoding.next()) {
        const outcome = await this.#send(
          request,
          whole ?? this.#commits.get(request)!,
          encoding,
          underWay,
          signal,
          patience,
        );
        if (outcome !== 'delivered') isComplete = false;
        if (outcome === 'given up') break;
      }
      if (isComplete) this.#onDelivered?.();
      return isComplete;
    } catch (error) {
      this.#record.collectionFailed(this.#nowMs(), error);
      this.#log.collectionFailed(error);
      return false;
    } finally {
      encoding?.close();
      underWay.settleRest('failed');
    }
  }

  #begin(underWay: PointsUnderWay): EncodingInTurns {
    const collection = this.#collect(this.#clock.nowUs());
    const steps = this.#encode(
      underWay.watch(collection),
      (dropped) => {
        underWay.dropped(dropped.points);
        this.#record.points('dropped', dropped.points, dropped.cause);
        this.#log.dropped(dropped, this.#maxRequestBytes);
      },
      this.#maxRequestBytes,
    );
    return new EncodingInTurns(collection, this.#noteCommits(underWay.follow(steps)), (points, workMs) =>
      this.#record.collection(workMs, points),
    );
  }

  *#noteCommits(steps: Iterable<EncodedRequest | undefined>): Generator<EncodedRequest | undefined> {
    for (const request of steps) {
      if (request !== undefined) this.#commits.set(request, new Commit(this.#committed?.()));
      yield request;
    }
  }

  /** Sends one request. When that is given up, so is what comes after it: then `encoding` has been read to its end. */
  async #send(
    request: EncodedRequest,
    commit: Commit,
    encoding: EncodingInTurns,
    underWay: PointsUnderWay,
    signal: AbortSignal,
    patience: AbortSignal,
  ): Promise<'delivered' | 'failed' | 'given up'> {
    encoding.ahead();
    const isCommitted = await this.#whenCommitted(commit, signal, patience);
    const outcome = isCommitted
      ? await this.#backend.send(request, underWay, signal, patience)
      : { kind: 'unanswered' as const, code: 'not_committed' };
    if (outcome.kind !== 'unanswered') return outcome.kind;
    // Only a cumulative reader that goes on has a newer state to send instead.
    const isSuperseded = this.temporality === 'cumulative' && !this.#stopped.signal.aborted;
    const [rest, cause] = isSuperseded
      ? (['superseded', isCommitted ? 'newer_state' : outcome.code] as const)
      : (['failed', outcome.code] as const);
    this.#record.points(rest, request.points, cause);
    this.#record.points(rest, await encoding.discard(), cause);
    underWay.settleRest(rest);
    return 'given up';
  }

  /** Waits for a commit, and exports own metrics meanwhile. Gives whether it is there. */
  async #whenCommitted(commit: Commit, signal: AbortSignal, patience: AbortSignal): Promise<boolean> {
    const before = this.#state;
    while (!commit.isDone && !signal.aborted && !patience.aborted) {
      if (this.#state !== 'draining') this.#state = 'committing';
      const interval = new AbortController();
      const cancel = this.#clock.setTimeout(() => interval.abort(), this.#intervalMs);
      await commit.wait(signal, patience, interval.signal);
      cancel();
      if (interval.signal.aborted) await this.#sendOwn(signal);
    }
    this.#state = before;
    return commit.isDone;
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000);
  }
}

function positive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} is ${value}: give a number of milliseconds above 0`);
}
