import { attributesKey } from '../../model/attributes.ts';
import { metricKey } from '../../model/metric.ts';
import { type InstrumentationScope, scopeKey } from '../../model/scope.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import { inOnePiece } from '../compact-attributes.ts';
import type { HeldDefinition, HeldMetric } from '../definitions.ts';
import { readFree, writeFree } from './free-numbers.ts';
import { readMetric, readScope, writeMetric, writeScope } from './metric-record.ts';

/** Metrics in the order in which they came, and definitions by number. Who holds them is not written. */
export class DefinitionsPart implements SnapshotPart {
  readonly #held: (HeldDefinition | undefined)[];
  readonly #freeNumbers: number[];
  readonly #metrics: Map<string, HeldMetric>;
  #copy: readonly (HeldDefinition | undefined)[] = [];
  #free: readonly number[] = [];
  #metricsCopy: readonly HeldMetric[] = [];

  constructor(held: (HeldDefinition | undefined)[], freeNumbers: number[], metrics: Map<string, HeldMetric>) {
    this.#held = held;
    this.#freeNumbers = freeNumbers;
    this.#metrics = metrics;
  }

  take(): void {
    this.#copy = this.#held.slice();
    this.#free = this.#freeNumbers.slice();
    this.#metricsCopy = [...this.#metrics.values()];
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    const numbers = new Map<HeldMetric, number>();
    const scopes = new Map<string, number>();
    writer.varint(this.#metricsCopy.length);
    for (const held of this.#metricsCopy) {
      const { scope, metric } = held.entry;
      numbers.set(held, numbers.size);
      // The number of a scope that came before, or one more and the scope.
      const key = scopeKey(scope);
      const known = scopes.get(key);
      writer.varint(known ?? scopes.size);
      if (known === undefined) {
        scopes.set(key, scopes.size);
        writeScope(writer, scope);
      }
      writeMetric(writer, metric);
      if (writer.isFull) yield writer.cut();
    }
    yield* writeFree(writer, this.#copy.length, this.#free);
    for (const held of this.#copy) {
      if (held === undefined) continue;
      writer.varint(numbers.get(held.of)!);
      writer.attributes(held.attributes.attributes);
      if (writer.isFull) yield writer.cut();
    }
    this.#copy = [];
    this.#metricsCopy = [];
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const metrics = yield* this.#loadMetrics(reader);
    const { isFree, length } = yield* readFree(reader, this.#freeNumbers, 0, 'definitions');
    for (let number = 0; number < length; number++) {
      if (isFree(number)) {
        this.#held.push(undefined);
        continue;
      }
      while (reader.isSpent) yield;
      const of = metrics[reader.varint(metrics.length - 1, 'the number of a metric')]!;
      const attributes = reader.attributes();
      const key = inOnePiece(attributesKey(attributes));
      if (of.series.has(key))
        throw reader.error(
          `definition ${number}, of ${JSON.stringify(of.entry.metric.name)}, is the same as one before`,
        );
      const held: HeldDefinition = {
        number,
        entry: of.entry,
        attributes: { attributes, otlpNumber: undefined, otlpHistogram: undefined },
        bytes: key.length,
        of,
        key,
        holders: 0,
      };
      this.#held.push(held);
      of.series.set(key, held);
    }
    // One without definitions would never be let go of.
    for (const { entry, series } of metrics) if (series.size === 0) this.#metrics.delete(entry.key);
  }

  *#loadMetrics(reader: SnapshotReader): Generator<void, HeldMetric[]> {
    const metrics: HeldMetric[] = [];
    const scopes: InstrumentationScope[] = [];
    while (reader.isSpent) yield;
    for (let left = reader.varint(2 ** 28, 'how many metrics there are'); left > 0; left--) {
      while (reader.isSpent) yield;
      const number = reader.varint(scopes.length, 'the number of a scope');
      if (number === scopes.length) scopes.push(readScope(reader));
      const scope = scopes[number]!;
      const metric = readMetric(reader);
      const key = `${scopeKey(scope)}\n${metricKey(metric)}`;
      if (this.#metrics.has(key)) throw reader.error(`the metric ${JSON.stringify(metric.name)} comes twice`);
      const held: HeldMetric = { entry: { scope, metric, key }, holders: 0, series: new Map() };
      this.#metrics.set(key, held);
      metrics.push(held);
    }
    return metrics;
  }
}
