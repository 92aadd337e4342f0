import { metric } from '../../../otel/model/metric.ts';
import type { Collection } from '../../../otel/state/point-batch.ts';
import { collectionOf } from '../otlp/model-collection.ts';

/** A few counters that count on, collected as cumulative or delta: the truth that deliveries are compared with. */
export class GrowingSums {
  readonly totals: number[];
  readonly #reported: number[];
  readonly #temporality: 'delta' | 'cumulative';
  readonly #service: string;
  #lastUs = 1_790_000_000_000_000;

  constructor(temporality: 'delta' | 'cumulative', series = 3, service = 'test') {
    this.#service = service;
    this.#temporality = temporality;
    this.totals = Array.from({ length: series }, () => 0);
    this.#reported = Array.from({ length: series }, () => 0);
  }

  add(amount = 1): void {
    for (const i of this.totals.keys()) this.totals[i]! += amount * (i + 1);
  }

  collect(timeUs: number): Collection {
    const points = this.totals.map((total, i) => {
      const value = this.#temporality === 'delta' ? total - this.#reported[i]! : total;
      this.#reported[i] = total;
      const startUs = this.#temporality === 'delta' ? this.#lastUs : 1_790_000_000_000_000;
      const attributes = { series: `${i}` };
      return { attributes, startUs, timeUs, flags: 0, value, counts: [], sum: 0, min: 0, max: 0 };
    });
    this.#lastUs = timeUs;
    const description = metric({ name: 'count', kind: 'sum', isMonotonic: true, valueType: 'int' });
    const streams = [{ metric: description, temporality: this.#temporality, points }];
    return collectionOf([
      { attributes: { 'service.name': this.#service }, scopes: [{ name: 's', streams }] },
    ]);
  }
}
