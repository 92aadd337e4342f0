import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import {
  type Collection,
  type MetricStream,
  noMore,
  type PointBatch,
} from '../../../otel/state/point-batch.ts';

/** Where the first interval begins: microseconds. */
export const bornUs = 1_790_000_000_000_000;

const placesPerRead = 3;

/**
 * Counters that are read as deltas a few at a time: each read moves what the next interval begins at, while reports go on in between. So what is read depends on
 * where the reads stand among the reports.
 */
export class DeltaWorld {
  readonly totals: number[];
  readonly #bases: number[];
  readonly #streams: number;
  #lastUs = bornUs;
  /** Who holds the state now. */
  holders = 0;

  constructor(series: number, streams = 2) {
    this.totals = Array.from({ length: series }, () => 0);
    this.#bases = Array.from({ length: series }, () => 0);
    this.#streams = streams;
  }

  /** Another with the same state. */
  copy(): DeltaWorld {
    const world = new DeltaWorld(this.totals.length, this.#streams);
    world.totals.splice(0, Number.POSITIVE_INFINITY, ...this.totals);
    world.#bases.splice(0, Number.POSITIVE_INFINITY, ...this.#bases);
    world.#lastUs = this.#lastUs;
    return world;
  }

  report(series: number, amount: number): void {
    this.totals[series % this.totals.length]! += amount;
  }

  readonly collect = (timeUs: number): Collection => {
    const startUs = this.#lastUs;
    this.#lastUs = timeUs;
    const perStream = Math.ceil(this.totals.length / this.#streams);
    const streams = Array.from({ length: this.#streams }, (_, i) =>
      this.#stream(i, i * perStream, Math.min((i + 1) * perStream, this.totals.length), startUs, timeUs),
    );
    const resource = { attributes: attributes({ 'service.name': 'world' }), schemaUrl: '' };
    const scope = { name: 's', version: '', attributes: [], schemaUrl: '' };
    return {
      timeUs,
      resources: [{ resource, scopes: [{ scope, streams }] }],
      hold: () => {
        this.holders++;
        return () => {
          this.holders--;
        };
      },
    };
  };

  #stream(index: number, first: number, end: number, startUs: number, timeUs: number): MetricStream {
    return {
      metric: metric({ name: `count.${index}`, kind: 'sum', isMonotonic: true, valueType: 'int' }),
      temporality: 'delta',
      read: (batch: PointBatch, from: number) => {
        const to = Math.min(first + from + placesPerRead, end);
        batch.reset(placesPerRead);
        for (let i = first + from; i < to; i++) {
          const at = batch.size++;
          batch.seriesAttributes[at] = {
            attributes: attributes({ series: `${i}` }),
            otlpNumber: undefined,
            otlpHistogram: undefined,
          };
          batch.startTimeUs[at] = startUs;
          batch.timeUs[at] = timeUs;
          batch.flags[at] = 0;
          batch.values[at] = this.totals[i]! - this.#bases[i]!;
          this.#bases[i] = this.totals[i]!;
        }
        return to === end ? noMore : to - first;
      },
    };
  }
}
