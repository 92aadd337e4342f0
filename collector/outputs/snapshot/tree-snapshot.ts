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
  /** New streams do not begin before: microseconds by the store's clock. */
  readonly sinceUs: number;
  /** See NumberedStreams. */
  readonly lastNumber: number;
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
    stream.savedIn = this.number;
    this.#kept.set(stream, { metric: this.#tree.metricOf(stream), picture: stream.picture() });
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    const metrics = new MetricTableWriter();
    const numbers = yield* this.#writeKinds(writer, metrics);
    for (const { resource, scopes } of this.#tree.resources.values()) {
      let isTold = false;
      for (const [scopeId, { scope, streams }] of scopes) {
        const ofScope = numbers.get(scopeId);
        let isScopeTold = false;
        for (const [streamId, stream] of streams) {
          const kept = this.#kept.get(stream);
          // Without a picture it is as it was, or came later.
          if (kept === undefined && stream.savedIn === this.number) continue;
          this.#kept.delete(stream);
          stream.savedIn = this.number;
          if (!isTold) writeResource(writer, resource);
          if (!isScopeTold) writeMarkedScope(writer, scope);
          isTold = true;
          isScopeTold = true;
          writer.byte(treeMarks.stream);
          // Nearly all are first variants, whose id is that of their kind.
          const number = ofScope!.get(streamId);
          writer.varint(number ?? ofScope!.get(firstVariant(streamId))!);
          writer.varint(number === undefined ? variantOf(streamId) : 0);
          metrics.write(writer, stream.metric);
          metrics.write(writer, kept?.metric ?? this.#tree.metricOf(stream));
          // No chunk may be cut before the picture of what is as it was has been taken: it may change then.
          const picture =
            kept?.picture ?? (stream.writeNow?.(writer) === true ? undefined : stream.picture());
          if (writer.isFull) yield writer.cut();
          if (picture === undefined) continue;
          yield* picture.write(writer);
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
  ): Generator<SnapshotChunk, ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const { kinds, overflowed, sinceUs, lastNumber } = this.#tree;
    const numbers = new Map<string, Map<string, number>>();
    let number = 0;
    writer.varint(overflowed);
    writer.float64(sinceUs);
    writer.varint(lastNumber);
    writer.varint(kinds.length);
    for (const { scopeId, scope, outgoing } of kinds) {
      if (writer.isFull) yield writer.cut();
      const ofScope = numbers.get(scopeId) ?? new Map<string, number>();
      numbers.set(scopeId, ofScope.set(outgoing.streamId, number++));
      writeMarkedScope(writer, scope);
      metrics.write(writer, outgoing.input);
      writer.varint(outgoing.plan.number);
      writer.text(outgoing.plan.identity);
    }
    if (writer.isFull) yield writer.cut();
    return numbers;
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
