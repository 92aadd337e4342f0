import type { Attributes as SdkAttributes } from '@opentelemetry/api';
import type {
  CollectionResult,
  MetricData,
  MetricProducer,
  ScopeMetrics as SdkScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { type Clock, systemClock } from '../clock.ts';
import { mergeAttributes } from '../model/attributes.ts';
import { emptyResource, type Resource } from '../model/resource.ts';
import { type SdkLossCause, SdkMetric, sdkAttributes, sdkResource } from '../otlp/to-sdk.ts';
import {
  type Collection,
  type MetricStream,
  noMore,
  PointBatch,
  type SeriesAttributes,
} from '../state/point-batch.ts';
import { longestTurnMs, nextTurn } from '../turns.ts';

/**
 * What the SDK's data model cannot carry.
 *
 * - `summary`: the SDK has no summaries. Left out.
 * - `another_resource`: a result has one resource, and these points are of another one. Left out.
 * - `no_recorded_value`: the SDK's points have no flags. Left out.
 * - `zero_threshold`: the SDK's exponential histograms have none. The points are there, and their zero count stands for exact zeroes.
 * - `scope_attributes`: the SDK's scopes have none. The points are there.
 */
export interface SdkLoss {
  readonly metric: string;
  readonly cause: SdkLossCause | 'another_resource' | 'scope_attributes';
  readonly points: number;
}

export interface StateProducerOptions {
  /** Everything at this time: microseconds since the Unix epoch. Its temporality should be the one that the exporter asks for. */
  readonly collect: (timeUs: number) => Collection | Promise<Collection>;
  /**
   * What becomes of resources, of which a result has only one. `first`, the default: the result's is the first in the collection, and what is of
   * others is left out. `point_attributes`: all points are there, each with its resource's attributes beside its own, which win, and the result's
   * resource is empty.
   */
  readonly resources?: 'first' | 'point_attributes' | undefined;
  /** Told of each metric's points that cannot be carried whole. Without it, each result has an error for each cause. */
  readonly onLoss?: ((loss: SdkLoss) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * The generic path: aggregated state for any `MetricReader` of the OpenTelemetry SDK, as one of its `metricProducers`, and so for any
 * third-party `PushMetricExporter`. It costs an object for each point; our own readers cost none and carry everything.
 *
 * A MetricReader takes the resource of its own MeterProvider, whatever a producer says, and does not tell whether its exporter succeeded: delta
 * intervals that it could not deliver are lost.
 */
export class StateProducer implements MetricProducer {
  readonly #options: StateProducerOptions;
  readonly #clock: Clock;
  /** The SDK's attributes of a series are one object for all collections, as those of its own instruments. */
  readonly #attributes = new WeakMap<SeriesAttributes, SdkAttributes>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: StateProducerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Collections follow one another. Rejects when the state cannot be collected. There are no callbacks, so a timeout has nothing to end. */
  collect(): Promise<CollectionResult> {
    const result = this.#last.then(() => this.#collect());
    this.#last = result.catch(() => {});
    return result;
  }

  async #collect(): Promise<CollectionResult> {
    const collection = await this.#options.collect(this.#clock.nowUs());
    const release = collection.hold?.();
    try {
      return await new Conversion(this.#options, this.#attributes).convert(collection);
    } finally {
      release?.();
    }
  }
}

/** One collection on its way into a result. */
class Conversion {
  readonly #asPointAttributes: boolean;
  readonly #onLoss: StateProducerOptions['onLoss'];
  readonly #attributes: WeakMap<SeriesAttributes, SdkAttributes>;
  readonly #batch = new PointBatch();
  readonly #lost = new Map<string, number>();
  readonly #scopes: SdkScopeMetrics[] = [];
  #turnBeganMs = performance.now();

  constructor(
    { resources = 'first', onLoss }: StateProducerOptions,
    attributes: WeakMap<SeriesAttributes, SdkAttributes>,
  ) {
    this.#asPointAttributes = resources === 'point_attributes';
    this.#onLoss = onLoss;
    this.#attributes = attributes;
  }

  async convert(collection: Collection): Promise<CollectionResult> {
    let carried: Resource | undefined;
    for (const { resource, scopes } of collection.resources) {
      const isCarried = carried === undefined || this.#asPointAttributes;
      carried ??= this.#asPointAttributes ? emptyResource : resource;
      for (const { scope, streams } of scopes) {
        const metrics: MetricData[] = [];
        for (const stream of streams) {
          if (stream.metric.kind === 'summary') await this.#leaveOut(stream, 'summary');
          else if (!isCarried) await this.#leaveOut(stream, 'another_resource');
          else {
            const data = await this.#metric(stream, resource);
            const points = data.dataPoints.length;
            if (points === 0) continue;
            metrics.push(data);
            if (scope.attributes.length > 0) this.#lose(stream, 'scope_attributes', points);
          }
        }
        if (metrics.length === 0) continue;
        const { name, version, schemaUrl } = scope;
        this.#scopes.push({
          scope: { name, ...(version !== '' && { version }), ...(schemaUrl !== '' && { schemaUrl }) },
          metrics,
        });
      }
    }
    return {
      resourceMetrics: { resource: sdkResource(carried ?? emptyResource), scopeMetrics: this.#scopes },
      errors: [...this.#lost].map(
        ([cause, points]) => new Error(`the SDK's data model cannot carry ${points} points whole: ${cause}`),
      ),
    };
  }

  async #metric(stream: MetricStream, resource: Resource): Promise<MetricData> {
    const metric = new SdkMetric(
      stream,
      (series) => this.#attributesOf(series, resource),
      (cause, points) => this.#lose(stream, cause, points),
    );
    await this.#read(stream, () => metric.add(this.#batch));
    return metric.data;
  }

  async #leaveOut(stream: MetricStream, cause: SdkLoss['cause']): Promise<void> {
    let points = 0;
    await this.#read(stream, () => {
      points += this.#batch.size;
    });
    if (points > 0) this.#lose(stream, cause, points);
  }

  async #read(stream: MetricStream, onBatch: () => void): Promise<void> {
    for (let at = 0; at !== noMore; ) {
      at = stream.read(this.#batch, at);
      onBatch();
      if (performance.now() - this.#turnBeganMs < longestTurnMs) continue;
      await nextTurn();
      this.#turnBeganMs = performance.now();
    }
  }

  #attributesOf(series: SeriesAttributes, resource: Resource): SdkAttributes {
    if (this.#asPointAttributes)
      return sdkAttributes(mergeAttributes(resource.attributes, series.attributes));
    let found = this.#attributes.get(series);
    if (found === undefined) {
      found = sdkAttributes(series.attributes);
      this.#attributes.set(series, found);
    }
    return found;
  }

  #lose({ metric: { name } }: MetricStream, cause: SdkLoss['cause'], points: number): void {
    if (this.#onLoss !== undefined) this.#onLoss({ metric: name, cause, points });
    else this.#lost.set(cause, (this.#lost.get(cause) ?? 0) + points);
  }
}
