import type { Temporality } from '../../otel/model/metric.ts';
import { scopeKey } from '../../otel/model/scope.ts';
import type { MetricEntry, SeriesDefinition } from '../../otel/state/definitions.ts';
import type { ResourceEntry } from '../../otel/state/interned-resources.ts';
import { MetricStore } from '../../otel/state/metric-store.ts';
import type { Collection, MetricStream, PointBatch, ResourceMetrics } from '../../otel/state/point-batch.ts';
import type { PlansFor } from '../views/stream-plan.ts';
import { FoldScratch } from './fold-scratch.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { OutputProblems } from './output-problems.ts';
import type { OutputStream } from './output-stream.ts';
import { OutputTree } from './output-tree.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';

/** What a metric becomes. */
interface MetricOutputs {
  readonly scopeId: string;
  readonly outgoing: readonly Outgoing[];
}

export interface OutputsOptions {
  /** The store's clock: microseconds; it does not go back. */
  readonly nowUs: () => number;
  readonly plansFor: PlansFor;
  /** The `service.instance.id` of what merging views make: the one writer of these totals. */
  readonly writerId: string;
  /** How long a point stays whose series are all gone. */
  readonly outputExpiryMs: number;
  /** Told of streams in each other's way, and of views that make nothing of a metric. */
  readonly problems?: OutputProblems;
}

/** How long the last state of a series that ended waits for a backend that does not take it. Then it is freed all the same. */
const longestWaitS = 3600;
/** How often points without series are looked for. */
const expireEveryS = 60;
/** How long a sweep waits for collections that are read with pauses, before it asks them to end soon. */
const patienceUs = 10e6;

/**
 * Everything that leaves the collector, as resources, scopes and metric streams, and the readers that collect it. A new series is put into the
 * outputs of the views that match it, once; from then on a report does not know of outputs, and a collection walks columns.
 */
export class Outputs {
  readonly store: MetricStore;
  readonly #plansFor: PlansFor;
  readonly #problems: OutputProblems;
  readonly #metrics = new WeakMap<MetricEntry, MetricOutputs>();
  readonly #tree: OutputTree;
  readonly #cursors: ReaderCursor[] = [];
  /** Collections that are being read. */
  #held = 0;
  /** Since when a sweep waits for them. */
  #awaitedSinceUs: number | undefined;
  readonly #onAwaited = new Set<() => void>();
  readonly #spareScratch: FoldScratch[] = [];
  readonly #nowUs: () => number;
  readonly #outputExpiryS: number;
  #expireS = 0;

  constructor({ nowUs, plansFor, writerId, outputExpiryMs, problems }: OutputsOptions) {
    this.#nowUs = nowUs;
    this.#plansFor = plansFor;
    this.#outputExpiryS = outputExpiryMs / 1000;
    this.#problems = problems ?? new OutputProblems(() => {});
    this.store = new MetricStore(nowUs(), (_state, slot, definition, resource) =>
      this.#attach(slot, definition, resource),
    );
    this.#tree = new OutputTree(this.store, writerId, this.#problems);
  }

  /** A cursor for a reader that stays. */
  addReader(temporality: Temporality): ReaderCursor {
    const { birthUs } = this.store;
    const cursor = {
      index: this.#cursors.length,
      temporality,
      collectedUs: birthUs,
      collectedAtUs: birthUs,
      deliveredUs: birthUs,
      collections: 0,
    };
    this.#cursors.push(cursor);
    this.store.gauges.windows.addReader();
    return cursor;
  }

  /** A cursor for one that comes and goes, as a scrape does: cumulative, and nothing waits for it. */
  passerBy(): ReaderCursor {
    const { birthUs } = this.store;
    return {
      index: -1,
      temporality: 'cumulative',
      collectedUs: birthUs,
      collectedAtUs: birthUs,
      deliveredUs: Number.MAX_SAFE_INTEGER,
      collections: 0,
    };
  }

  /** What there is now, for one reader. A delta reader's interval ends here, and the next one begins. Points are read as the caller walks it. */
  collect(cursor: ReaderCursor, wallUs: number): Collection {
    // A wall clock that was set back must not make an interval that ends before it begins.
    const timeUs = Math.max(wallUs, cursor.collectedUs + 1);
    const nowUs = this.#nowUs();
    const collecting: Collecting = {
      cursor,
      collection: ++cursor.collections,
      timeUs,
      nowUs,
      sinceUs: cursor.collectedUs,
      deliveredS: this.store.secondsAt(cursor.deliveredUs),
      scratch: this.#spareScratch.pop() ?? new FoldScratch(),
    };
    cursor.collectedUs = timeUs;
    cursor.collectedAtUs = nowUs;
    let holders = 0;
    let isScratchBack = false;
    const hold = (onAwaited?: () => void) => {
      if (holders++ === 0) {
        this.#held++;
        // What it had was given back, and may be another collection's by now.
        if (isScratchBack) collecting.scratch = this.#spareScratch.pop() ?? new FoldScratch();
        isScratchBack = false;
      }
      if (onAwaited !== undefined) this.#onAwaited.add(onAwaited);
      return () => {
        if (onAwaited !== undefined) this.#onAwaited.delete(onAwaited);
        if (--holders > 0) return;
        this.#held--;
        isScratchBack = true;
        // A few are kept: readers take turns.
        if (this.#spareScratch.length < 2) this.#spareScratch.push(collecting.scratch);
        // Readers that take turns at holding would keep the next tick from finding a moment when none does.
        if (this.#held === 0 && this.#awaitedSinceUs !== undefined) this.sweep();
      };
    };
    return { timeUs, resources: this.#walk(collecting, hold), hold };
  }

  /** The reader's backend has taken the whole of its last collection. */
  delivered(cursor: ReaderCursor): void {
    cursor.deliveredUs = cursor.collectedAtUs;
  }

  /**
   * Frees series that ended, once every reader's backend has seen their last state, and forgets points that have had no series for
   * long. Gives how many series.
   */
  sweep(): number {
    const { store } = this;
    const nowUs = this.#nowUs();
    const nowS = store.secondsAt(nowUs);
    let deliveredUs = nowUs;
    for (const cursor of this.#cursors) deliveredUs = Math.min(deliveredUs, cursor.deliveredUs);
    const endedBeforeS = Math.max(store.secondsAt(deliveredUs), nowS - longestWaitS);
    const isReleasing = store.endedCount > 0 && store.hasReleasable(endedBeforeS);
    if (!isReleasing && nowS < this.#expireS) return 0;
    if (this.#held > 0) {
      // Places must stay while a collection is read.
      this.#awaitedSinceUs ??= nowUs;
      if (nowUs - this.#awaitedSinceUs >= patienceUs) for (const ask of [...this.#onAwaited]) ask();
      return 0;
    }
    this.#awaitedSinceUs = undefined;
    this.#expireS = nowS + expireEveryS;
    this.#tree.sweep({
      endedBeforeS,
      idleBeforeS: Math.min(endedBeforeS, nowS - this.#outputExpiryS),
      nowS,
      nowUs,
    });
    return isReleasing ? store.releaseEnded(endedBeforeS) : 0;
  }

  /** Input series that went into the overflow series of a cardinality limit since the start. */
  get overflowed(): number {
    return this.#tree.overflowed;
  }

  /** Points that leave at most. */
  get points(): number {
    return this.#tree.points;
  }

  *#walk(collecting: Collecting, hold: () => () => void): Generator<ResourceMetrics> {
    const release = hold();
    try {
      for (const { resource, scopes } of this.#tree.resources()) {
        yield {
          resource,
          scopes: [...scopes.values()].map(({ scope, streams }) => ({
            scope,
            streams: [...streams.values()].map((stream) => this.#collected(stream, collecting)),
          })),
        };
      }
    } finally {
      release();
    }
  }

  /** A stream as one collection sees it. */
  #collected(stream: OutputStream, collecting: Collecting): MetricStream {
    return {
      metric: this.#tree.metricOf(stream),
      temporality: stream.temporality(collecting.cursor.temporality),
      read: (batch: PointBatch, from: number) => stream.read(batch, collecting, from),
    };
  }

  #attach(slot: number, definition: SeriesDefinition, from: ResourceEntry): void {
    const { entry } = definition;
    let metric = this.#metrics.get(entry);
    if (metric === undefined) {
      metric = this.#outputsOf(entry);
      this.#metrics.set(entry, metric);
    }
    for (const one of metric.outgoing)
      this.#tree.streamFor(one, entry.scope, metric.scopeId, from)?.attach(slot, definition);
  }

  #outputsOf(entry: MetricEntry): MetricOutputs {
    const { metric, scope } = entry;
    const found: Outgoing[] = [];
    for (const plan of this.#plansFor(entry)) {
      const one = outgoing(metric, plan);
      if (one === undefined) this.#problems.noMeaning(scope, metric, plan.number);
      else found.push(one);
    }
    return { scopeId: scopeKey(scope), outgoing: found };
  }
}
