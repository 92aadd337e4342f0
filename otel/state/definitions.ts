import { type Attributes, attributesKey } from '../model/attributes.ts';
import { type MetricDescription, metricKey } from '../model/metric.ts';
import { type InstrumentationScope, scopeKey } from '../model/scope.ts';
import type { SeriesAttributes } from './point-batch.ts';

/** What members share: a metric within its scope, under a small number. */
export interface MetricEntry {
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly key: string;
}

/** A metric with the attributes of one series: the same object for every member that reports it. */
export interface SeriesDefinition {
  readonly number: number;
  readonly entry: MetricEntry;
  readonly attributes: SeriesAttributes;
}

interface Held {
  definition: SeriesDefinition;
  key: string;
  holders: number;
}

/**
 * Series definitions, each kept once and counted by its holders, so that a thousand agents with the same metrics cost one. A
 * definition's number is used again when its last holder has let go.
 */
export class Definitions {
  readonly #metrics = new Map<string, { entry: MetricEntry; holders: number }>();
  readonly #byKey = new Map<string, Held>();
  readonly #held: (Held | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  at(number: number): SeriesDefinition {
    return this.#held[number]!.definition;
  }

  /** The definition for these, with one more holder. */
  acquire(scope: InstrumentationScope, metric: MetricDescription, attributes: Attributes): SeriesDefinition {
    const metricPart = `${scopeKey(scope)}\n${metricKey(metric)}`;
    const key = `${metricPart}\n${attributesKey(attributes)}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.holders++;
      return known.definition;
    }
    let shared = this.#metrics.get(metricPart);
    if (shared === undefined) {
      shared = { entry: { scope, metric, key: metricPart }, holders: 0 };
      this.#metrics.set(metricPart, shared);
    }
    shared.holders++;
    const number = this.#free.pop() ?? this.#held.length;
    const definition: SeriesDefinition = {
      number,
      entry: shared.entry,
      attributes: { attributes, otlpNumber: undefined, otlpHistogram: undefined },
    };
    const held = { definition, key, holders: 1 };
    this.#held[number] = held;
    this.#byKey.set(key, held);
    return definition;
  }

  release(number: number): void {
    const held = this.#held[number]!;
    if (--held.holders > 0) return;
    this.#byKey.delete(held.key);
    this.#held[number] = undefined;
    this.#free.push(number);
    const metricPart = held.definition.entry.key;
    const shared = this.#metrics.get(metricPart)!;
    if (--shared.holders === 0) this.#metrics.delete(metricPart);
  }
}
