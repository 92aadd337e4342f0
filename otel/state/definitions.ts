import { type Attributes, attributesKey } from '../model/attributes.ts';
import { type MetricDescription, metricKey } from '../model/metric.ts';
import { type InstrumentationScope, scopeKey } from '../model/scope.ts';
import { CompactAttributes, inOnePiece } from './compact-attributes.ts';
import type { SeriesAttributes } from './point-batch.ts';
import { DefinitionsPart } from './snapshot/definitions-part.ts';

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
  /** About what its attributes take. */
  readonly bytes: number;
}

/** A metric with how much there is of it. */
export interface MetricSeries {
  readonly entry: MetricEntry;
  /** Holders of its definitions: input series of all members. */
  readonly series: number;
  readonly attributeSets: number;
  /** The attributes of each definition there is when its turn comes. */
  readonly allAttributes: () => Iterable<Attributes>;
}

/** A metric with its definitions. */
export interface HeldMetric {
  readonly entry: MetricEntry;
  /** Of all its definitions. */
  holders: number;
  /** By the key of their attributes. */
  readonly series: Map<string, HeldDefinition>;
}

/** A definition with how many hold it. */
export interface HeldDefinition extends SeriesDefinition {
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
      held = { number, entry, attributes: own, bytes: key.length, of, key: inOnePiece(key), holders: 0 };
      this.#held[number] = held;
      of.series.set(held.key, held);
    }
    held.holders++;
    of.holders++;
    return held;
  }

  /** The metrics that there are series of. */
  *metrics(): Generator<MetricSeries, void> {
    for (const { entry, holders, series } of this.#metrics.values())
      yield {
        entry,
        series: holders,
        attributeSets: series.size,
        allAttributes: () => allAttributes(series.values()),
      };
  }

  /** One more holder of a number that is held. */
  hold(number: number): number {
    const held = this.#held[number]!;
    held.holders++;
    held.of.holders++;
    return number;
  }

  /** Whether there is such a number. */
  has(number: number): boolean {
    return this.#held[number] !== undefined;
  }

  /** For a snapshot. Loaded ones have no holders yet. */
  snapshotPart(): DefinitionsPart {
    return new DefinitionsPart(this.#held, this.#free, this.#metrics);
  }

  /** Lets go of what nobody holds. For a state that has been loaded. */
  releaseUnheld(): void {
    for (const held of this.#held)
      if (held?.holders === 0) {
        this.hold(held.number);
        this.release(held.number);
      }
  }

  release(number: number): void {
    const held = this.#held[number]!;
    const { of, key } = held;
    of.holders--;
    if (--held.holders > 0) return;
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
      held = { entry: { scope, metric, key }, holders: 0, series: new Map() };
      this.#metrics.set(key, held);
    }
    this.#recent.set(metric, { scope, held });
    return held;
  }
}

function* allAttributes(definitions: Iterable<SeriesDefinition>): Generator<Attributes, void> {
  for (const { attributes } of definitions) yield attributes.attributes;
}
