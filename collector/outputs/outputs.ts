import { attributes } from '../../otel/model/attributes.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import { scopeKey } from '../../otel/model/scope.ts';
import type { SnapshotReader } from '../../otel/snapshot/snapshot-reader.ts';
import type { MetricEntry, SeriesDefinition } from '../../otel/state/definitions.ts';
import type { ResourceEntry } from '../../otel/state/interned-resources.ts';
import { MetricStore } from '../../otel/state/metric-store.ts';
import type { Collection, MetricStream, PointBatch, ResourceMetrics } from '../../otel/state/point-batch.ts';
import type { PlansFor, StreamPlan } from '../views/stream-plan.ts';
import { changeViews } from './change-views.ts';
import { FoldScratch } from './fold-scratch.ts';
import { HeldPlaces } from './held-places.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { OutputProblems } from './output-problems.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { OutputTree } from './output-tree.ts';
import { type KeptRequests, noOutputsJournal, type OutputsJournal } from './outputs-journal.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';
import { passingBy, ReaderCursors } from './reader-cursors.ts';
import type { ShownShape } from './shown-shape.ts';
import { OutputsSnapshot, outputsSection } from './snapshot/outputs-snapshot.ts';
import { loadTree } from './snapshot/tree-loading.ts';

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
  readonly journal?: OutputsJournal;
}

/** How long the last state of a series that ended waits for a backend that does not take it. Then it is freed all the same. */
const longestWaitS = 3600;
/** How often points without series are looked for. */
const expireEveryS = 60;

/**
 * Everything that leaves the collector, as resources, scopes and metric streams, and the readers that collect it. A new series is put into the
 * outputs of the views that match it, once; from then on a report does not know of outputs, and a collection walks columns.
 */
export class Outputs {
  readonly store: MetricStore;
  #plansFor: PlansFor;
  readonly #problems: OutputProblems;
  #metrics = new WeakMap<MetricEntry, MetricOutputs>();
  #tree: OutputTree;
  #journal: OutputsJournal;
  readonly #cursors: ReaderCursors;
  /** Places must stay while a collection is read, or a snapshot written. */
  readonly #places = new HeldPlaces(() => void this.sweep());
  readonly #spareScratch: FoldScratch[] = [];
  /** Readers whose reads are done again after a restart: delta readers whose intervals are kept. */
  readonly #repeated = new WeakSet<ReaderCursor>();
  readonly #nowUs: () => number;
  #outputExpiryS: number;
  #expireS = 0;

  constructor({ nowUs, plansFor, writerId, outputExpiryMs, problems, journal }: OutputsOptions) {
    this.#nowUs = nowUs;
    this.#plansFor = plansFor;
    this.#outputExpiryS = outputExpiryMs / 1000;
    this.#problems = problems ?? new OutputProblems(() => {});
    this.#journal = journal ?? noOutputsJournal;
    this.store = new MetricStore(nowUs(), (_state, slot, definition, resource) =>
      this.#attach(slot, definition, resource),
    );
    this.#tree = new OutputTree(this.store, attributes({ 'service.instance.id': writerId }), this.#problems);
    this.#cursors = new ReaderCursors(this.store);
  }

  /**
   * A cursor for a reader that stays. After a load it goes on where a reader of this name and temporality stood, if there was one.
   * @param requests of its delta intervals, where these are made again after a restart
   * @param isAfresh whatever stood under its name and temporality is forgotten; while nothing is read, and no snapshot is open
   */
  addReader(temporality: Temporality, name = '', requests?: KeptRequests, isAfresh = false): ReaderCursor {
    const before = isAfresh ? this.#cursors.find(temporality, name) : undefined;
    if (before !== undefined) this.#forgetReader(before);
    const cursor = this.#cursors.add(temporality, name);
    if (requests !== undefined && temporality === 'delta') this.#repeated.add(cursor);
    else this.#repeated.delete(cursor);
    this.#journal.readerAdded(cursor, name, requests, isAfresh);
    return cursor;
  }

  /** A reader is no more, and nothing waits for it. While nothing is read, and no snapshot is open. */
  removeReader(cursor: ReaderCursor): void {
    this.#journal.readerRemoved(cursor);
    this.#forgetReader(cursor);
  }

  #forgetReader(cursor: ReaderCursor): void {
    this.#tree.forgetReader(cursor.index);
    this.#cursors.remove(cursor);
  }

  /** Whether nothing is read at present, and no snapshot is open. */
  get isFree(): boolean {
    return this.#places.isFree;
  }

  /** Resolves when it is, or the signal is aborted; something may be again when the caller goes on. Who reads slowly is asked to read on. */
  whenFree(signal: AbortSignal): Promise<void> {
    return this.#places.whenFree(signal);
  }

  /** No reader is there any more: those that come are found by their names. Those that do not come are forgotten with the next restart. */
  unclaimReaders(): void {
    this.#cursors.unclaim();
  }

  /** Who is told of changes from now on. */
  recordIn(journal: OutputsJournal): void {
    this.#journal = journal;
  }

  /** A cursor for one that comes and goes, as a scrape does: cumulative, and nothing waits for it. */
  passerBy(): ReaderCursor {
    return passingBy(this.store.birthUs);
  }

  /** What there is now, for one reader. A delta reader's interval ends here, and the next one begins. Points are read as the caller walks it. */
  collect(cursor: ReaderCursor, wallUs: number): Collection {
    // A wall clock that was set back must not make an interval that ends before it begins.
    const timeUs = Math.max(wallUs, cursor.collectedUs + 1);
    const nowUs = this.#nowUs();
    // One that comes and goes leaves nothing behind.
    if (cursor.index >= 0) this.#journal.collected(cursor, wallUs, nowUs);
    const collecting: Collecting = {
      cursor,
      collection: ++cursor.collections,
      timeUs,
      nowUs,
      sinceUs: cursor.collectedUs,
      deliveredS: this.store.secondsAt(cursor.deliveredUs),
      scratch: this.#spareScratch.pop() ?? new FoldScratch(),
      onShown: (stream, shapes) => {
        if (!this.#repeated.has(cursor)) this.#journal.shown(stream, shapes);
      },
    };
    this.store.gauges.windows.collected(cursor.index);
    cursor.collectedUs = timeUs;
    cursor.collectedAtUs = nowUs;
    let holders = 0;
    let isScratchBack = false;
    const hold = (onAwaited?: () => void) => {
      if (holders++ === 0) {
        // What it had was given back, and may be another collection's by now.
        if (isScratchBack) collecting.scratch = this.#spareScratch.pop() ?? new FoldScratch();
        isScratchBack = false;
      }
      const release = this.#places.hold(onAwaited);
      return () => {
        if (--holders === 0) {
          isScratchBack = true;
          // A few are kept: readers take turns.
          if (this.#spareScratch.length < 2) this.#spareScratch.push(collecting.scratch);
        }
        release();
      };
    };
    return { timeUs, resources: this.#walk(collecting, hold), hold };
  }

  /** The reader's backend has taken the whole of its last collection. */
  delivered(cursor: ReaderCursor): void {
    this.#journal.delivered(cursor);
    cursor.deliveredUs = cursor.collectedAtUs;
  }

  /** Does again what a read did in an earlier run: see OutputsJournal.shown. Gives false where none can have done so; then nothing has changed. */
  showAs(stream: number, shape: ShownShape): boolean {
    return this.#tree.numbered(stream)?.showAs?.(shape) ?? false;
  }

  /**
   * Frees series that ended, once every reader's backend has seen their last state, and forgets points that have had no series for
   * long. Gives how many series.
   */
  sweep(): number {
    const { store } = this;
    const nowUs = this.#nowUs();
    const nowS = store.secondsAt(nowUs);
    const deliveredUs = this.#cursors.deliveredUs(nowUs);
    const endedBeforeS = Math.max(store.secondsAt(deliveredUs), nowS - longestWaitS);
    const isReleasing = store.endedCount > 0 && store.hasReleasable(endedBeforeS);
    if (!isReleasing && nowS < this.#expireS) return 0;
    if (!this.#places.mayMove(nowUs)) return 0;
    const idleBeforeS = Math.min(endedBeforeS, nowS - this.#outputExpiryS);
    return this.sweepNow({ endedBeforeS, idleBeforeS, nowS, nowUs });
  }

  /** A sweep that was decided upon: by {@link Outputs.sweep}, or in an earlier run. */
  sweepNow(sweeping: Sweeping): number {
    this.#journal.swept(sweeping);
    this.#expireS = sweeping.nowS + expireEveryS;
    this.#tree.sweep(sweeping);
    const { endedBeforeS } = sweeping;
    return this.store.hasReleasable(endedBeforeS) ? this.store.releaseEnded(endedBeforeS) : 0;
  }

  /**
   * All outputs and readers as they are now, to be written while they go on; until it is closed nothing is swept, and no other is taken. The store's own state is not
   * in it. Take both at once, between the collections of delta readers: of one that is being read, a part is in the bases. @param onAwaited told when sweeps have waited long
   */
  snapshot(onAwaited?: () => void): OutputsSnapshot {
    const tree = this.#tree.snapshot();
    const writeCursors = this.#cursors.picture();
    const writeProblems = this.#problems.picture();
    const expireS = this.#expireS;
    const release = this.#places.hold(onAwaited);
    return new OutputsSnapshot({
      writeHead: (writer) => {
        writer.varint(expireS);
        writeCursors(writer);
        writeProblems(writer);
      },
      tree,
      onEnd: () => {
        this.#tree.endSnapshot();
        release();
      },
    });
  }

  /**
   * Other views from now on. An output whose plan is among them goes on; passing ones keep value and start; merged ones that changed begin at zero, at a new start
   * time, with what their series hold as baseline. What delta readers have not collected of outputs that are no more is not collected by anybody: collect before. Gives false, and changes
   * nothing, while a collection is read or a snapshot is open: try again then.
   * @param outputExpiryMs as among the options, if it changes too
   * @param nowUs the time that is recorded of it, which what begins has as its start
   */
  changeViews(
    plansFor: PlansFor,
    outputExpiryMs = this.#outputExpiryS * 1000,
    nowUs = this.#nowUs(),
  ): boolean {
    if (!this.#places.mayMove(nowUs)) return false;
    this.#outputExpiryS = outputExpiryMs / 1000;
    this.#changeTree(plansFor, nowUs, false);
    return true;
  }

  /**
   * All merged outputs begin at zero, at a start time of now, with what their series hold as baseline: something that was counted, and perhaps shown, is
   * lost. Before readers collect. @param nowUs the time that is recorded of it
   */
  beginAfresh(nowUs = this.#nowUs()): void {
    this.#changeTree(this.#plansFor, nowUs, true);
  }

  #changeTree(plansFor: PlansFor, nowUs: number, isAfresh: boolean): void {
    this.#plansFor = plansFor;
    this.#metrics = new WeakMap();
    for (const { entry } of this.store.definitions.metrics()) this.#metricOutputs(entry);
    const after = this.#tree.successor(nowUs);
    changeViews({
      store: this.store,
      before: this.#tree,
      after,
      outgoingOf: (entry) => this.#outgoingOf(entry),
      deltaReaders: this.#cursors.delta,
      nowS: this.store.secondsAt(nowUs),
      isAfresh,
    });
    this.#tree = after;
  }

  /**
   * Goes on as the outputs did that a snapshot was taken of: to be called for its section, before there are readers or series, and after the store has its
   * own state again. The views must be those of then.
   */
  *load(reader: SnapshotReader): Generator<void, void> {
    reader.expectVersion(outputsSection.version);
    this.#expireS = reader.varint(0xffff_ffff, 'a second');
    const indexes = this.#cursors.load(reader);
    this.#problems.load(reader);
    this.store.gauges.windows.arrangeReaders(indexes);
    // What is wrong with these was counted when they were new.
    for (const { entry } of this.store.definitions.metrics())
      this.#metrics.set(
        entry,
        this.#outputsOf(entry, () => {}),
      );
    const tree = yield* loadTree(reader, {
      store: this.store,
      outgoingOf: (entry) => this.#outgoingOf(entry),
      readerAt: (index) => {
        const now = indexes.indexOf(index);
        return now === -1 ? undefined : now;
      },
    });
    this.#tree.takeOver(tree);
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
      read: (batch: PointBatch, from: number) => {
        this.#tree.changes(stream);
        return stream.read(batch, collecting, from);
      },
    };
  }

  #attach(slot: number, definition: SeriesDefinition, from: ResourceEntry): void {
    const { entry } = definition;
    const metric = this.#metricOutputs(entry);
    for (const one of metric.outgoing)
      this.#tree.streamFor(one, entry.scope, metric.scopeId, from)?.attach(slot, definition);
  }

  /** Also of a metric that has no series: what is wrong with it is not told of. */
  #outgoingOf(entry: MetricEntry): readonly Outgoing[] {
    return (this.#metrics.get(entry) ?? this.#outputsOf(entry, () => {})).outgoing;
  }

  #metricOutputs(entry: MetricEntry): MetricOutputs {
    let metric = this.#metrics.get(entry);
    if (metric === undefined) {
      metric = this.#outputsOf(entry, (plan) =>
        this.#problems.noMeaning(entry.scope, entry.metric, plan.number),
      );
      this.#metrics.set(entry, metric);
    }
    return metric;
  }

  #outputsOf(entry: MetricEntry, noMeaning: (plan: StreamPlan) => void): MetricOutputs {
    const { metric, scope } = entry;
    const found: Outgoing[] = [];
    for (const plan of this.#plansFor(entry)) {
      const one = outgoing(metric, plan);
      if (one === undefined) noMeaning(plan);
      else found.push(one);
    }
    return { scopeId: scopeKey(scope), outgoing: found };
  }
}
