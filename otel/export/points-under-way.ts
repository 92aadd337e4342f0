import type { EncodedRequest } from '../otlp/open-request.ts';
import type { Collection, MetricStream, PointBatch } from '../state/point-batch.ts';
import type { OutputLedger, PointsByMetric } from './output-ledger.ts';
import type { PointsOutcome } from './reader-status.ts';

interface Run {
  readonly metric: string;
  points: number;
}

/**
 * Follows the points of one collection by metric, from where they are read over the requests they go into to what becomes of these. It
 * counts on encoders to keep points in the order in which they are read.
 */
export class PointsUnderWay {
  #ledger: OutputLedger;
  #leave: () => void;
  /** Read, and in no request yet. */
  #runs: Run[] = [];
  #next = 0;
  /** In requests without an outcome. */
  readonly #requests = new Map<EncodedRequest, PointsByMetric>();

  constructor(ledger: OutputLedger) {
    this.#ledger = ledger;
    this.#leave = ledger.begin(() => this.#waiting());
  }

  /** The collection, with its reads counted. */
  watch(collection: Collection): Collection {
    const { resources } = collection;
    const watched = (stream: MetricStream) => this.#watched(stream);
    return {
      ...collection,
      resources: (function* () {
        for (const { resource, scopes } of resources)
          yield {
            resource,
            scopes: scopes.map(({ scope, streams }) => ({ scope, streams: streams.map(watched) })),
          };
      })(),
    };
  }

  /** The requests, each remembered with what is in it. */
  *follow<R extends EncodedRequest>(steps: Iterable<R | undefined>): Generator<R | undefined, void> {
    for (const request of steps) {
      if (request !== undefined) this.#requests.set(request, this.#take(request.points));
      yield request;
    }
  }

  /** A request that was made before, with what is in it; not in the ledger until `moveTo`. */
  restore(request: EncodedRequest, points: PointsByMetric): void {
    this.#requests.set(request, points);
  }

  /** What is in a request without an outcome. */
  pointsOf(request: EncodedRequest): PointsByMetric {
    return this.#requests.get(request) ?? new Map();
  }

  /** Whatever has no outcome yet is from now on in this ledger, which has not heard of it, and in the other one no more. */
  moveTo(ledger: OutputLedger): void {
    this.#leave();
    this.#ledger = ledger;
    for (const [metric, points] of this.#waiting()) ledger.collected(metric, points);
    this.#leave = ledger.begin(() => this.#waiting());
  }

  /** The next points in order went into no request. */
  dropped(points: number): void {
    this.#ledger.settle('dropped', this.#take(points));
  }

  /** A request has its outcome; of one that was exported, `rejected` points were refused. */
  settle(request: EncodedRequest, outcome: PointsOutcome, rejected = 0): void {
    const points = this.#requests.get(request) ?? new Map();
    this.#requests.delete(request);
    this.#ledger.settle(outcome, points);
    if (rejected > 0) this.#ledger.reject(points, rejected);
  }

  /** Everything that is left has this outcome. The last thing to be told. */
  settleRest(outcome: PointsOutcome): void {
    this.#ledger.settle(outcome, this.#waiting());
    this.#leave();
    this.#requests.clear();
    this.#runs = [];
    this.#next = 0;
  }

  #watched(stream: MetricStream): MetricStream {
    const { metric, temporality } = stream;
    return {
      metric,
      temporality,
      read: (batch: PointBatch, from: number) => {
        const next = stream.read(batch, from);
        if (batch.size > 0) this.#read(metric.name, batch.size);
        return next;
      },
    };
  }

  #read(metric: string, points: number): void {
    this.#ledger.collected(metric, points);
    const last = this.#runs.at(-1);
    if (last?.metric === metric && this.#next < this.#runs.length) last.points += points;
    else this.#runs.push({ metric, points });
  }

  #take(points: number): PointsByMetric {
    const taken = new Map<string, number>();
    let left = points;
    while (left > 0 && this.#next < this.#runs.length) {
      const run = this.#runs[this.#next]!;
      const count = Math.min(left, run.points);
      taken.set(run.metric, (taken.get(run.metric) ?? 0) + count);
      left -= count;
      run.points -= count;
      if (run.points === 0) this.#next++;
    }
    if (this.#next === this.#runs.length) {
      this.#runs = [];
      this.#next = 0;
    }
    return taken;
  }

  #waiting(): PointsByMetric {
    const waiting = new Map<string, number>();
    const add = (metric: string, points: number) => waiting.set(metric, (waiting.get(metric) ?? 0) + points);
    for (const points of this.#requests.values()) for (const [metric, count] of points) add(metric, count);
    for (const { metric, points } of this.#runs.slice(this.#next)) add(metric, points);
    return waiting;
  }
}
