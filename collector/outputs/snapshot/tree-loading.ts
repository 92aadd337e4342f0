import { type MetricDescription, metricKey } from '../../../otel/model/metric.ts';
import { type Resource, resourceKey } from '../../../otel/model/resource.ts';
import { type InstrumentationScope, scopeKey } from '../../../otel/model/scope.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { MetricEntry } from '../../../otel/state/definitions.ts';
import type { MetricStore } from '../../../otel/state/metric-store.ts';
import { readScope } from '../../../otel/state/snapshot/metric-record.ts';
import { makeOutput } from '../make-output.ts';
import { NumberedStreams } from '../numbered-streams.ts';
import type { Outgoing } from '../outgoing.ts';
import type { OutputStream } from '../output-stream.ts';
import { maxVariants, type ResourceOutputs, type ScopeOutputs } from '../output-tree.ts';
import { variantId } from '../stream-id.ts';
import type { NamedKind } from '../stream-names.ts';
import { LoadedSlots } from './loaded-slots.ts';
import { MetricTableReader } from './metric-table.ts';
import { readTime } from './saved-points.ts';
import { treeMarks } from './tree-snapshot.ts';

/** What the outputs that are loaded belong to. */
export interface TreeSurroundings {
  readonly store: MetricStore;
  /** What leaves of a metric, by the views in force. */
  readonly outgoingOf: (entry: MetricEntry) => readonly Outgoing[];
  /** See StreamLoading. */
  readonly readerAt: (index: number) => number | undefined;
}

/** A tree that was written, for OutputTree to take over. */
export interface LoadedTree {
  readonly resources: ReadonlyMap<string, ResourceOutputs>;
  readonly kinds: readonly (NamedKind & { readonly streams: number })[];
  /** What leaves of streams that more has joined than what they were made for. */
  readonly joined: ReadonlyMap<OutputStream, MetricDescription>;
  readonly overflowed: number;
  /** New streams do not begin before: microseconds by the store's clock. */
  readonly sinceUs: number;
  readonly numbered: NumberedStreams;
}

interface Kind extends NamedKind {
  streams: number;
}

interface LoadingResource extends ResourceOutputs {
  resource: Resource;
}

/** Reads what a TreeSnapshot wrote. The store that the outputs are of must be loaded before. */
export function* loadTree(reader: SnapshotReader, of: TreeSurroundings): Generator<void, LoadedTree> {
  const metrics = new MetricTableReader();
  const scopes = new Map<string, InstrumentationScope>();
  const slots = new LoadedSlots(reader, of);
  if (reader.isSpent) yield;
  const overflowed = reader.varint(Number.MAX_SAFE_INTEGER, 'a count of overflowed series');
  const sinceUs = readTime(reader, 'the time when views changed');
  const numbered = new NumberedStreams(reader.varint(Number.MAX_SAFE_INTEGER, 'the last number of a stream'));
  const kinds = yield* readKinds(reader, metrics, scopes, of);
  const resources = new Map<string, LoadingResource>();
  const joined = new Map<OutputStream, MetricDescription>();
  let resourceId = '';
  let resource: LoadingResource | undefined;
  let scope: ScopeOutputs | undefined;
  for (;;) {
    if (reader.isSpent) yield;
    const mark = reader.byte();
    if (mark === treeMarks.end) break;
    if (mark === treeMarks.resource) {
      const read = { attributes: reader.attributes(), schemaUrl: reader.text() };
      resourceId = resourceKey(read);
      if (resources.has(resourceId)) throw reader.error('a resource comes twice');
      resource = { resource: read, scopes: new Map() };
      resources.set(resourceId, resource);
      scope = undefined;
    } else if (mark === treeMarks.scope && resource !== undefined) {
      const [scopeId, read] = knownScope(reader, scopes);
      if (resource.scopes.has(scopeId)) throw reader.error('a scope comes twice in a resource');
      scope = { scope: read, streams: new Map() };
      resource.scopes.set(scopeId, scope);
    } else if (mark === treeMarks.stream && resource !== undefined && scope !== undefined) {
      const kind = kinds[reader.varint(kinds.length - 1, 'the number of a kind of stream')];
      if (kind === undefined || kind.scope !== scope.scope)
        throw reader.error('a stream is of another scope than the one that it is in');
      const { outgoing } = kind;
      const variant = reader.varint(maxVariants - 1, 'the variant of a stream');
      const streamId = variantId(outgoing.streamId, variant);
      if (scope.streams.has(streamId)) throw reader.error(`the stream ${streamId} comes twice`);
      const metric = metrics.read(reader);
      checkMetric(reader, metric, outgoing);
      const now = metrics.read(reader);
      checkMetric(reader, now, outgoing);
      const shape = { metric, way: outgoing.shape.way };
      const stream = makeOutput(shape, outgoing.input, outgoing.plan, of.store);
      scope.streams.set(streamId, stream);
      kind.streams++;
      if (metricKey(now) !== metricKey(stream.metric) || now.description !== stream.metric.description)
        joined.set(stream, {
          ...now,
          name: stream.metric.name,
          explicitBounds: stream.metric.explicitBounds,
        });
      const taking = slots.of(outgoing, stream);
      yield* stream.load({ reader, take: taking.take, readerAt: of.readerAt });
      if (!numbered.adopt(stream))
        throw reader.error(
          `the stream ${streamId} has the number ${stream.number}, which is another one's or none that was given`,
        );
      // Members' own resources are held once.
      const first = taking.firstResource;
      if (first !== undefined && first.key === resourceId) resource.resource = first.resource;
    } else throw reader.error(`${mark} is not what may stand here`);
  }
  for (const { streams, outgoing } of kinds)
    if (streams === 0) throw reader.error(`there is no stream ${outgoing.streamId}, which there should be`);
  return { resources, kinds, joined, overflowed, sinceUs, numbered };
}

function* readKinds(
  reader: SnapshotReader,
  metrics: MetricTableReader,
  scopes: Map<string, InstrumentationScope>,
  { outgoingOf }: TreeSurroundings,
): Generator<void, Kind[]> {
  const count = reader.varint(0xffff_ffff, 'a count of kinds of streams');
  const kinds: Kind[] = [];
  const seen = new Set<string>();
  while (kinds.length < count) {
    if (reader.isSpent) yield;
    const mark = reader.byte();
    if (mark !== treeMarks.scope) throw reader.error(`${mark} is not what may stand here`);
    const [scopeId, scope] = knownScope(reader, scopes);
    const input = metrics.read(reader);
    const number = reader.varint(Number.MAX_SAFE_INTEGER, 'the number of a view');
    const identity = reader.text();
    const key = `${scopeId}\n${metricKey(input)}`;
    const outgoing = outgoingOf({ scope, metric: input, key }).find(({ plan }) => plan.number === number);
    if (outgoing?.plan.identity !== identity)
      throw reader.error(
        `view ${number} made another output of ${input.name} than it does now: load it with the views that it was saved under, and change them then`,
      );
    const id = `${scopeId}\n${outgoing.streamId}`;
    if (seen.has(id)) throw reader.error(`the kind of stream ${outgoing.streamId} comes twice`);
    seen.add(id);
    kinds.push({ scopeId, scope, outgoing, streams: 0 });
  }
  return kinds;
}

/** After its mark. Equal scopes are the same object. */
function knownScope(
  reader: SnapshotReader,
  scopes: Map<string, InstrumentationScope>,
): [id: string, scope: InstrumentationScope] {
  const read = readScope(reader);
  const id = scopeKey(read);
  const known = scopes.get(id) ?? read;
  scopes.set(id, known);
  return [id, known];
}

/** Whether a metric may leave in a stream of this kind. */
function checkMetric(reader: SnapshotReader, metric: MetricDescription, { shape, plan }: Outgoing): void {
  const made = shape.metric;
  const isSame =
    metric.name.toLowerCase() === made.name.toLowerCase() &&
    metric.unit === made.unit &&
    metric.kind === made.kind &&
    metric.isMonotonic === made.isMonotonic &&
    (shape.way !== 'pass' || metricKey(metric) === metricKey(made));
  if (!isSame) throw reader.error(`the ${metric.kind} ${metric.name} is not what view ${plan.number} makes`);
}
