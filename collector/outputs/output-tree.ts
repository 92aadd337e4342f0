import { type Attributes, attributes } from '../../otel/model/attributes.ts';
import type { MetricDescription } from '../../otel/model/metric.ts';
import { type Resource, resourceKey } from '../../otel/model/resource.ts';
import type { InstrumentationScope } from '../../otel/model/scope.ts';
import type { ResourceEntry } from '../../otel/state/interned-resources.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import type { StreamPlan } from '../views/stream-plan.ts';
import { makeOutput } from './make-output.ts';
import { NumberedStreams } from './numbered-streams.ts';
import { conflictOf, joined, type Outgoing } from './outgoing.ts';
import type { OutputProblems } from './output-problems.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import type { LoadedTree } from './snapshot/tree-loading.ts';
import { TreeSnapshot } from './snapshot/tree-snapshot.ts';
import { firstVariant, variantId, variantOf } from './stream-id.ts';
import { StreamNames } from './stream-names.ts';

/** The streams of one scope within a resource, by their ids. */
export interface ScopeOutputs {
  readonly scope: InstrumentationScope;
  readonly streams: Map<string, OutputStream>;
}

export interface ResourceOutputs {
  readonly resource: Resource;
  readonly scopes: Map<string, ScopeOutputs>;
}

/** The resource that a plan makes of another one. */
interface OutputResource {
  readonly from: ResourceEntry;
  readonly id: string;
  readonly resource: Resource;
}

/** A stream with its place in the tree. */
export interface PlacedStream {
  readonly resourceId: string;
  readonly resource: Resource;
  readonly scopeId: string;
  readonly scope: InstrumentationScope;
  readonly variant: number;
  readonly stream: OutputStream;
  /** What the first stream of its kind was made of. */
  readonly outgoing: Outgoing;
  /** What leaves. */
  readonly metric: MetricDescription;
}

/** Streams of one identity that do not take each other's series: histograms with other bounds. There is no output of further ones. */
export const maxVariants = 64;

/**
 * All metric streams that leave, in their resources and scopes: finds the one that a new series goes into, or makes it, and sees where
 * streams are in each other's way.
 */
export class OutputTree {
  readonly #store: MetricStore;
  readonly #writer: Attributes;
  readonly #problems: OutputProblems;
  readonly #resources = new Map<string, ResourceOutputs>();
  readonly #names = new StreamNames();
  /** What each plan made of the last resource it had: members define their series in a row. */
  readonly #lastResources = new Map<StreamPlan, OutputResource>();
  /** What leaves of streams that more has joined than what they were made for. */
  readonly #joined = new WeakMap<OutputStream, MetricDescription>();
  #numbered = new NumberedStreams();
  /** Of streams that are no more. */
  #overflowed = 0;
  /** One that is being written. */
  #snapshot: TreeSnapshot | undefined;
  #snapshots = 0;
  /** When the views came into force: new streams do not begin before. 0: with the store. Microseconds by the store's clock. */
  #sinceUs = 0;

  /** @param writer what merging views make has of itself: the `service.instance.id` of the one writer */
  constructor(store: MetricStore, writer: Attributes, problems: OutputProblems) {
    this.#store = store;
    this.#writer = writer;
    this.#problems = problems;
  }

  resources(): IterableIterator<ResourceOutputs> {
    return this.#resources.values();
  }

  /** Input series that went into the overflow series of a cardinality limit since the start. */
  get overflowed(): number {
    let overflowed = this.#overflowed;
    for (const stream of this.#streams()) overflowed += stream.overflowed;
    return overflowed;
  }

  /** Points that leave at most. */
  get points(): number {
    let points = 0;
    for (const stream of this.#streams()) points += stream.points;
    return points;
  }

  /** What leaves of a stream, after all that has joined it. */
  metricOf(stream: OutputStream): MetricDescription {
    return this.#joined.get(stream) ?? stream.metric;
  }

  /** The stream for series of a metric from a resource; `undefined` where nothing makes it. */
  streamFor(
    outgoing: Outgoing,
    scope: InstrumentationScope,
    scopeId: string,
    from: ResourceEntry,
  ): OutputStream | undefined {
    const { id, resource } = this.#resource(from, outgoing.plan);
    const streams = this.#resources.get(id)?.scopes.get(scopeId)?.streams;
    // Only histograms with other bounds do not take each other's series.
    const variants = outgoing.shape.way === 'histogram' ? maxVariants : 1;
    let held: OutputStream | undefined;
    let free: string | undefined;
    // A stream that takes the series may stand behind one that is no more.
    for (let variant = 0; variant < variants; variant++) {
      const streamId = variantId(outgoing.streamId, variant);
      const stream = streams?.get(streamId);
      if (stream === undefined) {
        free ??= streamId;
        continue;
      }
      if (stream.accepts?.(outgoing.input) ?? true) {
        this.changes(stream);
        this.#join(stream, outgoing.shape.metric);
        return stream;
      }
      held ??= stream;
    }
    if (held !== undefined) this.#problems.conflict('bounds', scope, held.metric, outgoing.shape.metric);
    if (free === undefined) return undefined;
    const made = makeOutput(outgoing.shape, outgoing.input, outgoing.plan, this.#store, this.#sinceUs);
    const into = this.#scope(id, resource, scopeId, scope);
    this.#findConflicts(into, scopeId, outgoing);
    made.savedIn = this.#snapshots;
    this.#numbered.enter(made);
    into.streams.set(free, made);
    return made;
  }

  /** The stream that a journal knows by this number. */
  numbered(number: number): OutputStream | undefined {
    return this.#numbered.at(number);
  }

  /** Before a series joins a stream, or it is read. */
  changes(stream: OutputStream): void {
    this.#snapshot?.keep(stream);
  }

  /**
   * What all streams are at this moment. It is written while they go on, and until {@link OutputTree.endSnapshot} nothing may be swept. One
   * at a time.
   */
  snapshot(): TreeSnapshot {
    if (this.#snapshot !== undefined)
      throw new StreamgaugeError(
        'bug',
        'a snapshot of the outputs is still open; close it before taking another',
      );
    this.#snapshot = new TreeSnapshot(++this.#snapshots, {
      resources: this.#resources,
      kinds: [...this.#names.kinds()],
      overflowed: this.#overflowed,
      sinceUs: this.#sinceUs,
      lastNumber: this.#numbered.last,
      metricOf: (stream) => this.metricOf(stream),
    });
    return this.#snapshot;
  }

  endSnapshot(): void {
    this.#snapshot?.release();
    this.#snapshot = undefined;
  }

  /** All streams in their places. */
  *placed(): Generator<PlacedStream, void> {
    for (const [resourceId, { resource, scopes }] of this.#resources)
      for (const [scopeId, { scope, streams }] of scopes)
        for (const [streamId, stream] of streams) {
          const outgoing = this.#names.kindOf(scopeId, stream.metric.name, firstVariant(streamId));
          const variant = variantOf(streamId);
          const metric = this.metricOf(stream);
          yield { resourceId, resource, scopeId, scope, variant, stream, outgoing, metric };
        }
  }

  has(resourceId: string, scopeId: string, streamId: string, variant: number): boolean {
    const scope = this.#resources.get(resourceId)?.scopes.get(scopeId);
    return scope?.streams.has(variantId(streamId, variant)) === true;
  }

  /** A tree that is empty, and in which nothing that begins has a start time before `nowUs`. */
  successor(nowUs: number): OutputTree {
    const next = new OutputTree(this.#store, this.#writer, this.#problems);
    next.#snapshots = this.#snapshots;
    next.#overflowed = this.#overflowed;
    next.#numbered = new NumberedStreams(this.#numbered.last);
    next.#sinceUs = nowUs;
    return next;
  }

  /** A stream of another tree goes on here, as what a plan makes now. */
  adopt(placed: PlacedStream, outgoing: Outgoing): void {
    const { resourceId, resource, scopeId, scope, variant, stream, metric, outgoing: before } = placed;
    this.#scope(resourceId, resource, scopeId, scope).streams.set(
      variantId(outgoing.streamId, variant),
      stream,
    );
    this.#names.add(scopeId, scope, outgoing);
    this.#numbered.adopt(stream);
    const isAsBefore = before.plan.description === outgoing.plan.description;
    const now = isAsBefore ? metric : { ...metric, description: outgoing.shape.metric.description };
    if (now !== stream.metric) this.#joined.set(stream, now);
  }

  /** A stream of another tree is no more. */
  forget(stream: OutputStream): void {
    this.#overflowed += stream.overflowed;
  }

  /** Takes over what was loaded, when there are no streams. */
  takeOver({ resources, kinds, joined, overflowed, sinceUs, numbered }: LoadedTree): void {
    this.#sinceUs = sinceUs;
    this.#numbered = numbered;
    for (const [id, resource] of resources) this.#resources.set(id, resource);
    for (const kind of kinds) this.#names.put(kind, kind.streams);
    for (const [stream, metric] of joined) this.#joined.set(stream, metric);
    this.#overflowed = overflowed;
  }

  sweep(sweeping: Sweeping): void {
    for (const [resourceId, resource] of this.#resources) {
      for (const [scopeId, scope] of resource.scopes) {
        for (const [streamId, stream] of scope.streams) {
          const { overflowed } = stream;
          stream.sweep(sweeping);
          if (!stream.isSpent) continue;
          this.#overflowed += overflowed;
          this.#numbered.remove(stream);
          scope.streams.delete(streamId);
          this.#names.remove(scopeId, stream.metric.name, firstVariant(streamId));
        }
        if (scope.streams.size === 0) resource.scopes.delete(scopeId);
      }
      if (resource.scopes.size === 0) this.#resources.delete(resourceId);
    }
  }

  /** The delta reader of this index is no more. */
  forgetReader(reader: number): void {
    for (const stream of this.#streams()) stream.forgetReader?.(reader);
  }

  *#streams(): Generator<OutputStream> {
    for (const resource of this.#resources.values())
      for (const scope of resource.scopes.values()) yield* scope.streams.values();
  }

  #join(stream: OutputStream, added: MetricDescription): void {
    if (stream.metric === added) return;
    const before = this.metricOf(stream);
    const after = joined(before, added);
    if (after !== before) this.#joined.set(stream, after);
  }

  /** Compares a stream that is about to be made with those that leave under the same name. */
  #findConflicts({ scope, streams }: ScopeOutputs, scopeId: string, outgoing: Outgoing): void {
    for (const other of this.#names.add(scopeId, scope, outgoing)) {
      if (!streams.has(other.streamId)) continue;
      const cause = conflictOf(other, outgoing);
      if (cause === undefined) continue;
      this.#problems.conflict(cause, scope, other.shape.metric, outgoing.shape.metric);
      return;
    }
  }

  #scope(id: string, of: Resource, scopeId: string, scope: InstrumentationScope): ScopeOutputs {
    let resource = this.#resources.get(id);
    if (resource === undefined) {
      resource = { resource: of, scopes: new Map() };
      this.#resources.set(id, resource);
    }
    let found = resource.scopes.get(scopeId);
    if (found === undefined) {
      found = { scope, streams: new Map() };
      resource.scopes.set(scopeId, found);
    }
    return found;
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
    return { attributes: attributes([...this.#writer, ...kept]), schemaUrl: '' };
  }
}
