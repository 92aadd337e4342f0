import type { MetricDescription } from '../../../otel/model/metric.ts';
import type { Resource } from '../../../otel/model/resource.ts';
import type { InstrumentationScope } from '../../../otel/model/scope.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { writeScope } from '../../../otel/state/snapshot/metric-record.ts';
import type { OutputStream } from '../output-stream.ts';
import type { ResourceOutputs } from '../output-tree.ts';
import { firstVariant, variantOf } from '../stream-id.ts';
import type { NamedKind } from '../stream-names.ts';
import { MetricTableWriter } from './metric-table.ts';
import type { StreamPicture } from './stream-picture.ts';

/** What stands before each part of the tree; 0 ends it. */
export const treeMarks = { end: 0, resource: 1, scope: 2, stream: 3 } as const;

/** The tree as it goes on while it is written: what was there stays where it is, and what is new comes behind. */
export interface LiveTree {
  readonly resources: ReadonlyMap<string, ResourceOutputs>;
  /** The kinds of streams, as they were. */
  readonly kinds: readonly NamedKind[];
  /** Series in overflow of streams that were no more. */
  readonly overflowed: number;
  readonly metricOf: (stream: OutputStream) => MetricDescription;
}

interface Kept {
  readonly metric: MetricDescription;
  readonly picture: StreamPicture;
}

/**
 * All metric streams that leave, as they were at one moment, however many they are: that moment itself costs next to nothing. A picture of a stream is taken when
 * its turn to be written comes, or before it is read or a series joins it, whichever is first. Nothing may be swept until it is written.
 */
export class TreeSnapshot {
  /** Streams that have this number in `savedIn` are in it, or came later. */
  readonly number: number;
  readonly #tree: LiveTree;
  /** Of streams that changed before their turn. */
  readonly #kept = new Map<OutputStream, Kept>();

  constructor(number: number, tree: LiveTree) {
    this.number = number;
    this.#tree = tree;
  }

  /** The stream is about to change. */
  keep(stream: OutputStream): void {
    if (stream.savedIn === this.number) return;
    this.#kept.set(stream, this.#picture(stream));
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    const metrics = new MetricTableWriter();
    const numbers = yield* this.#writeKinds(writer, metrics);
    for (const { resource, scopes } of this.#tree.resources.values()) {
      let isTold = false;
      for (const [scopeId, { scope, streams }] of scopes) {
        let isScopeTold = false;
        for (const [streamId, stream] of streams) {
          const kept = this.#take(stream);
          if (kept === undefined) continue;
          if (!isTold) writeResource(writer, resource);
          if (!isScopeTold) writeMarkedScope(writer, scope);
          isTold = true;
          isScopeTold = true;
          writer.byte(treeMarks.stream);
          writer.varint(numbers.get(kindKey(scopeId, firstVariant(streamId)))!);
          writer.varint(variantOf(streamId));
          metrics.write(writer, stream.metric);
          metrics.write(writer, kept.metric);
          if (writer.isFull) yield writer.cut();
          yield* kept.picture.write(writer);
          if (writer.isFull) yield writer.cut();
        }
      }
    }
    writer.byte(treeMarks.end);
  }

  /** It is not written to its end. */
  release(): void {
    for (const { picture } of this.#kept.values()) picture.release?.();
    this.#kept.clear();
  }

  /** Gives the number of each kind of stream, by its scope and id. */
  *#writeKinds(
    writer: SnapshotWriter,
    metrics: MetricTableWriter,
  ): Generator<SnapshotChunk, ReadonlyMap<string, number>> {
    const { kinds, overflowed } = this.#tree;
    const numbers = new Map<string, number>();
    writer.varint(overflowed);
    writer.varint(kinds.length);
    for (const { scopeId, scope, outgoing } of kinds) {
      if (writer.isFull) yield writer.cut();
      numbers.set(kindKey(scopeId, outgoing.streamId), numbers.size);
      writeMarkedScope(writer, scope);
      metrics.write(writer, outgoing.input);
      writer.varint(outgoing.plan.number);
      writer.text(outgoing.plan.identity);
    }
    if (writer.isFull) yield writer.cut();
    return numbers;
  }

  /** `undefined`: it came after that moment. */
  #take(stream: OutputStream): Kept | undefined {
    if (stream.savedIn !== this.number) return this.#picture(stream);
    const kept = this.#kept.get(stream);
    this.#kept.delete(stream);
    return kept;
  }

  #picture(stream: OutputStream): Kept {
    stream.savedIn = this.number;
    return { metric: this.#tree.metricOf(stream), picture: stream.picture() };
  }
}

function writeResource(writer: SnapshotWriter, { attributes, schemaUrl }: Resource): void {
  writer.byte(treeMarks.resource);
  writer.attributes(attributes);
  writer.text(schemaUrl);
}

function writeMarkedScope(writer: SnapshotWriter, scope: InstrumentationScope): void {
  writer.byte(treeMarks.scope);
  writeScope(writer, scope);
}

function kindKey(scopeId: string, streamId: string): string {
  return `${scopeId}\n${streamId}`;
}
