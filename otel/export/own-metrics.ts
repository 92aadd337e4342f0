import type { Clock } from '../clock.ts';
import type { Temporality } from '../model/metric.ts';
import type { EncodedRequest } from '../otlp/open-request.ts';
import type { Collection } from '../state/point-batch.ts';
import type { Backend } from './backend.ts';
import type { Encode } from './encoding-in-turns.ts';
import type { OutputLedger } from './output-ledger.ts';
import { PointsUnderWay } from './points-under-way.ts';
import type { ReaderLog } from './reader-log.ts';
import type { ReaderRecord } from './reader-status.ts';

export interface OwnMetricsOptions {
  readonly collect: (() => Promise<Collection>) | undefined;
  readonly temporality: Temporality;
  readonly encode: Encode;
  /** Of what is made next: it may change. */
  readonly maxRequestBytes: number;
  readonly backend: Backend;
  readonly record: ReaderRecord;
  readonly log: ReaderLog;
  readonly ledger: OutputLedger;
  readonly clock: Clock;
}

/**
 * The exporting process's own metrics, in requests of their own: they say how exporting goes, so they wait for nothing that the aggregated metrics
 * wait for. One collection is kept until the backend has answered: of cumulative ones the newest; a delta one is not followed by another before.
 */
export class OwnMetrics {
  /** Points, since the start. */
  exported = 0;
  failed = 0;
  readonly #options: OwnMetricsOptions;
  #pending: EncodedRequest[] = [];
  #underWay: PointsUnderWay | undefined;
  #isDue = false;
  #code = 'CANCELLED';

  constructor(options: OwnMetricsOptions) {
    this.#options = options;
  }

  /** The next `send` collects anew. */
  due(): void {
    this.#isDue = this.#options.collect !== undefined;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** Whether there is something to send. */
  get isWaiting(): boolean {
    return this.#isDue || this.#pending.length > 0;
  }

  /**
   * Collects if that is due, and sends what waits. Never rejects.
   * @param signal ends a try that is under way, and everything
   * @param patience ends waiting for another try; what then has no answer waits for the next call
   */
  async send(signal: AbortSignal, patience: AbortSignal): Promise<void> {
    const isCumulative = this.#options.temporality === 'cumulative';
    while (!signal.aborted) {
      if (this.#isDue && (isCumulative || this.#pending.length === 0)) {
        this.#isDue = false;
        await this.#collect();
      }
      const [request] = this.#pending;
      if (request === undefined) return;
      if (await this.#isUnanswered(request, signal, patience)) break;
    }
    this.#isDue = false;
  }

  /** What waits is lost. */
  end(): void {
    this.#isDue = false;
    this.#settleRest('failed', this.#code);
  }

  async #isUnanswered(request: EncodedRequest, signal: AbortSignal, patience: AbortSignal): Promise<boolean> {
    const { backend } = this.#options;
    await backend.allowed(signal);
    if (signal.aborted) return true;
    const outcome = await backend.send(request, this.#underWay!, signal, patience);
    if (outcome.kind === 'unanswered') {
      this.#code = outcome.code;
      return true;
    }
    this.#pending.shift();
    if (outcome.kind === 'delivered') this.exported += outcome.exported;
    else this.failed += request.points;
    if (this.#pending.length === 0) this.#underWay!.settleRest('failed');
    return false;
  }

  async #collect(): Promise<void> {
    const { collect, encode, maxRequestBytes, record, log, ledger, clock } = this.#options;
    try {
      const collection = await collect!();
      // Only of cumulative ones is there anything left.
      this.#settleRest('superseded', 'newer_state');
      const underWay = new PointsUnderWay(ledger);
      this.#underWay = underWay;
      const steps = encode(
        underWay.watch(collection),
        (dropped) => {
          underWay.dropped(dropped.points);
          record.points('dropped', dropped.points, dropped.cause);
          log.dropped(dropped, maxRequestBytes);
        },
        maxRequestBytes,
      );
      for (const request of underWay.follow(steps)) if (request !== undefined) this.#pending.push(request);
    } catch (error) {
      this.#settleRest('failed', 'COLLECT');
      record.collectionFailed(Math.floor(clock.nowUs() / 1000), error);
      log.collectionFailed(error);
    }
  }

  #settleRest(outcome: 'failed' | 'superseded', cause: string): void {
    const points = this.#pending.reduce((sum, request) => sum + request.points, 0);
    this.#options.record.points(outcome, points, cause);
    if (outcome === 'failed') this.failed += points;
    this.#underWay?.settleRest(outcome);
    this.#pending = [];
  }
}
