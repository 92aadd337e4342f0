import { type Attributes, attributesKey } from '../model/attributes.ts';
import { type MetricDescription, metricKey } from '../model/metric.ts';
import { type InstrumentationScope, scopeKey } from '../model/scope.ts';
import { CompactAttributes, inOnePiece } from './compact-attributes.ts';
import type { SeriesAttributes } from './point-batch.ts';

/** What members share: a metric within its scope. The same object for every series of it. */
export interface MetricEntry {
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly key: string;
}

/** A metric with the attributes of one series, under a small number: the same object for every member that reports it. */
export interface SeriesDefinition {
  readonly number: number;
  readonly entry: MetricEntry;
  readonly attributes: SeriesAttributes;
}

interface HeldMetric {
  readonly entry: MetricEntry;
  /** By the key of their attributes. */
  readonly series: Map<string, HeldDefinition>;
}

interface HeldDefinition extends SeriesDefinition {
  readonly of: HeldMetric;
  readonly key: string;
  holders: number;
}

/**
 * Series definitions, each kept once and counted by its holders, so that a thousand agents with the same metrics cost one. A
 * definition's number is used again when its last holder has let go.
 */
export class Definitions {
  readonly #metrics = new Map<string, HeldMetric>();
  /** The metric that an object stood for when it last came: those who define many series give the same one each time. */
  readonly #recent = new WeakMap<MetricDescription, { scope: InstrumentationScope; held: HeldMetric }>();
  readonly #held: (HeldDefinition | undefined)[] = [];
  readonly #compact = new CompactAttributes();
  readonly #free: number[] = [];

  get size(): number {
    return this.#held.length - this.#free.length;
  }

  at(number: number): SeriesDefinition {
    return this.#held[number]!;
  }

  /** The definition for these, with one more holder. */
  acquire(scope: InstrumentationScope, metric: MetricDescription, attributes: Attributes): SeriesDefinition {
    const of = this.#metric(scope, metric);
    const key = attributesKey(attributes);
    let held = of.series.get(key);
    if (held === undefined) {
      const number = this.#free.pop() ?? this.#held.length;
      const { entry } = of;
      const own = {
        attributes: this.#compact.of(attributes),
        otlpNumber: undefined,
        otlpHistogram: undefined,
      };
      held = { number, entry, attributes: own, of, key: inOnePiece(key), holders: 0 };
      this.#held[number] = held;
      of.series.set(held.key, held);
    }
    held.holders++;
    return held;
  }

  /** One more holder of a number that is held. */
  hold(number: number): number {
    this.#held[number]!.holders++;
    return number;
  }

  release(number: number): void {
    const held = this.#held[number]!;
    if (--held.holders > 0) return;
    const { of, key } = held;
    of.series.delete(key);
    if (of.series.size === 0) this.#metrics.delete(of.entry.key);
    this.#held[number] = undefined;
    this.#free.push(number);
  }

  #metric(scope: InstrumentationScope, metric: MetricDescription): HeldMetric {
    const recent = this.#recent.get(metric);
    // One without series has been let go of, and another may stand in its place.
    if (recent !== undefined && recent.scope === scope && recent.held.series.size > 0) return recent.held;
    const key = `${scopeKey(scope)}\n${metricKey(metric)}`;
    let held = this.#metrics.get(key);
    if (held === undefined) {
      held = { entry: { scope, metric, key }, series: new Map() };
      this.#metrics.set(key, held);
    }
    this.#recent.set(metric, { scope, held });
    return held;
  }
}
