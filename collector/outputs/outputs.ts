import { type Attributes, attributes } from '../../otel/model/attributes.ts';
import { metricKey, type Temporality } from '../../otel/model/metric.ts';
import { type Resource, resourceKey } from '../../otel/model/resource.ts';
import { type InstrumentationScope, scopeKey } from '../../otel/model/scope.ts';
import type { MetricEntry, SeriesDefinition } from '../../otel/state/definitions.ts';
import type { ResourceEntry } from '../../otel/state/interned-resources.ts';
import { MetricStore } from '../../otel/state/metric-store.ts';
import type { Collection, MetricStream, PointBatch, ResourceMetrics } from '../../otel/state/point-batch.ts';
import type { PlansFor, StreamPlan } from '../views/stream-plan.ts';
import { FoldScratch } from './fold-scratch.ts';
import { makeOutput } from './make-output.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';

interface ScopeOutputs {
  readonly scope: InstrumentationScope;
  readonly streams: Map<string, OutputStream>;
}

/** What a metric becomes, and under which keys. */
interface MetricPlans {
  readonly scopeId: string;
  readonly streams: readonly { readonly plan: StreamPlan; readonly streamId: string }[];
}

/** The resource that a plan makes of another one. */
interface OutputResource {
  readonly from: ResourceEntry;
  readonly id: string;
  readonly resource: Resource;
}

interface ResourceOutputs {
  readonly resource: Resource;
  readonly scopes: Map<string, ScopeOutputs>;
}

export interface OutputsOptions {
  /** The store's clock: microseconds; it does not go back. */
  readonly nowUs: () => number;
  readonly plansFor: PlansFor;
  /** The `service.instance.id` of what merging views make: the one writer of these totals. */
  readonly writerId: string;
  /** How long a point stays whose series are all gone. */
  readonly outputExpiryMs: number;
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
  readonly #plansFor: PlansFor;
  readonly #plans = new WeakMap<MetricEntry, MetricPlans>();
  /** What each plan made of the last resource it had: members define their series in a row. */
  readonly #lastResources = new Map<StreamPlan, OutputResource>();
  readonly #resources = new Map<string, ResourceOutputs>();
  readonly #cursors: ReaderCursor[] = [];
  /** Collections that are being read. */
  #held = 0;
  readonly #spareScratch: FoldScratch[] = [];
  readonly #writer: Attributes;
  readonly #nowUs: () => number;
  readonly #outputExpiryS: number;
  #expireS = 0;
  /** Of streams that are no more. */
  #overflowed = 0;

  constructor({ nowUs, plansFor, writerId, outputExpiryMs }: OutputsOptions) {
    this.#nowUs = nowUs;
    this.#plansFor = plansFor;
    this.#outputExpiryS = outputExpiryMs / 1000;
    this.#writer = attributes({ 'service.instance.id': writerId });
    this.store = new MetricStore(nowUs(), (_state, slot, definition, resource) =>
      this.#attach(slot, definition, resource),
    );
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
    const collecting: Collecting = {
      cursor,
      collection: ++cursor.collections,
      timeUs,
      sinceUs: cursor.collectedUs,
      deliveredS: this.store.secondsAt(cursor.deliveredUs),
      scratch: this.#spareScratch.pop() ?? new FoldScratch(),
    };
    cursor.collectedUs = timeUs;
    cursor.collectedAtUs = this.#nowUs();
    let holders = 0;
    const hold = () => {
      if (holders++ === 0) this.#held++;
      return () => {
        if (--holders > 0) return;
        this.#held--;
        // A few are kept: readers take turns.
        if (this.#spareScratch.length < 2) this.#spareScratch.push(collecting.scratch);
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
    // Places must stay while a collection is read; it is swept next time.
    if (this.#held > 0) return 0;
    const nowUs = this.#nowUs();
    const nowS = store.secondsAt(nowUs);
    let deliveredUs = nowUs;
    for (const cursor of this.#cursors) deliveredUs = Math.min(deliveredUs, cursor.deliveredUs);
    const endedBeforeS = Math.max(store.secondsAt(deliveredUs), nowS - longestWaitS);
    const isReleasing = store.endedCount > 0 && store.hasReleasable(endedBeforeS);
    if (!isReleasing && nowS < this.#expireS) return 0;
    this.#expireS = nowS + expireEveryS;
    this.#sweepStreams({
      endedBeforeS,
      idleBeforeS: Math.min(endedBeforeS, nowS - this.#outputExpiryS),
      nowS,
      nowUs,
    });
    return isReleasing ? store.releaseEnded(endedBeforeS) : 0;
  }

  /** Input series that went into the overflow series of a cardinality limit since the start. */
  get overflowed(): number {
    let overflowed = this.#overflowed;
    for (const resource of this.#resources.values())
      for (const scope of resource.scopes.values())
        for (const stream of scope.streams.values()) overflowed += stream.overflowed;
    return overflowed;
  }

  /** Points that leave at most. */
  get points(): number {
    let points = 0;
    for (const resource of this.#resources.values())
      for (const scope of resource.scopes.values())
        for (const stream of scope.streams.values()) points += stream.points;
    return points;
  }

  #sweepStreams(sweeping: Sweeping): void {
    for (const [resourceId, resource] of this.#resources) {
      for (const [scopeId, scope] of resource.scopes) {
        for (const [streamId, stream] of scope.streams) {
          const { overflowed } = stream;
          stream.sweep(sweeping);
          if (!stream.isSpent) continue;
          this.#overflowed += overflowed;
          scope.streams.delete(streamId);
        }
        if (scope.streams.size === 0) resource.scopes.delete(scopeId);
      }
      if (resource.scopes.size === 0) this.#resources.delete(resourceId);
    }
  }

  *#walk(collecting: Collecting, hold: () => () => void): Generator<ResourceMetrics> {
    const release = hold();
    try {
      for (const { resource, scopes } of this.#resources.values()) {
        yield {
          resource,
          scopes: [...scopes.values()].map(({ scope, streams }) => ({
            scope,
            streams: [...streams.values()].map((stream) => collected(stream, collecting)),
          })),
        };
      }
    } finally {
      release();
    }
  }

  #attach(slot: number, definition: SeriesDefinition, resource: ResourceEntry): void {
    const { entry } = definition;
    let plans = this.#plans.get(entry);
    if (plans === undefined) {
      const streams = this.#plansFor(entry).map((plan) => ({
        plan,
        streamId: `${plan.number}:${metricKey(entry.metric)}`,
      }));
      plans = { scopeId: scopeKey(entry.scope), streams };
      this.#plans.set(entry, plans);
    }
    const { scopeId } = plans;
    for (const { plan, streamId } of plans.streams)
      this.#stream(entry, plan, resource, scopeId, streamId)?.attach(slot, definition);
  }

  #stream(
    entry: MetricEntry,
    plan: StreamPlan,
    from: ResourceEntry,
    scopeId: string,
    streamId: string,
  ): OutputStream | undefined {
    const { id: resourceId, resource: output } = this.#resource(from, plan);
    const known = this.#resources.get(resourceId)?.scopes.get(scopeId)?.streams.get(streamId);
    if (known !== undefined) return known;
    const stream = makeOutput(entry.metric, plan, this.store);
    if (stream === undefined) return undefined;
    let resource = this.#resources.get(resourceId);
    if (resource === undefined) {
      resource = { resource: output, scopes: new Map() };
      this.#resources.set(resourceId, resource);
    }
    let scope = resource.scopes.get(scopeId);
    if (scope === undefined) {
      scope = { scope: entry.scope, streams: new Map() };
      resource.scopes.set(scopeId, scope);
    }
    scope.streams.set(streamId, stream);
    return stream;
  }

  #resource(from: ResourceEntry, plan: StreamPlan): OutputResource {
    const last = this.#lastResources.get(plan);
    if (last?.from === from) return last;
    const { resourceKeys } = plan;
    const resource = resourceKeys === undefined ? from.resource : this.#mergedResource(from, resourceKeys);
    const id = resourceKeys === undefined ? from.key : resourceKey(resource);
    const output = { from, id, resource };
    this.#lastResources.set(plan, output);
    return output;
  }

  /** Without a schema URL: members may have different ones, and one total must not fall apart by them. */
  #mergedResource(from: ResourceEntry, keys: readonly string[]): Resource {
    const kept = from.resource.attributes.filter(([key]) => keys.includes(key));
    return {
      attributes: attributes([...this.#writer, ...kept]),
      schemaUrl: '',
    };
  }
}

/** A stream as one collection sees it. */
function collected(stream: OutputStream, collecting: Collecting): MetricStream {
  return {
    metric: stream.metric,
    temporality: stream.temporality(collecting.cursor.temporality),
    read: (batch: PointBatch, from: number) => stream.read(batch, collecting, from),
  };
}
