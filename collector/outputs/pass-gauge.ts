import type { MetricDescription } from '../../otel/model/metric.ts';
import { Uint32List } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noRecordedValue, type PointBatch, type SeriesAttributes } from '../../otel/state/point-batch.ts';
import { withoutValue } from '../../otel/state/series-columns.ts';
import type { OutputStream } from './output-stream.ts';
import { isShown } from './pass-sum.ts';
import type { Collecting } from './reader-cursor.ts';

/** Gauges handed on as they came, while they are reported. */
export class PassGauge implements OutputStream {
  readonly metric: MetricDescription;
  readonly #store: MetricStore;
  readonly #slots = new Uint32List();
  readonly #attributes: SeriesAttributes[] = [];

  constructor(metric: MetricDescription, store: MetricStore) {
    this.metric = metric;
    this.#store = store;
  }

  get inputs(): number {
    return this.#slots.size;
  }

  get points(): number {
    return this.#slots.size;
  }

  get isSpent(): boolean {
    return this.#slots.size === 0;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#slots.push(slot);
    this.#attributes.push(definition.attributes);
  }

  temporality(): undefined {
    return undefined;
  }

  read(batch: PointBatch, collecting: Collecting): void {
    const { gauges, timesUs } = this.#store;
    const { series } = gauges;
    const { items, size } = this.#slots;
    batch.reset(size);
    let at = 0;
    for (let i = 0; i < size; i++) {
      const slot = items[i];
      const status = series.status.get(slot);
      if (!isShown(status, false, 0, collecting)) continue;
      batch.seriesAttributes[at] = this.#attributes[i];
      batch.flags[at] = (status & withoutValue) === 0 ? 0 : noRecordedValue;
      batch.values[at] = gauges.values.get(slot);
      batch.startTimeUs[at] = 0;
      batch.timeUs[at] = timesUs[series.clock.get(slot)];
      at++;
    }
    batch.size = at;
  }

  sweep(beforeS: number): void {
    const { series } = this.#store.gauges;
    for (let i = this.#slots.size - 1; i >= 0; i--) {
      if (!isReleasable(series, this.#slots.items[i], beforeS)) continue;
      const last = --this.#slots.size;
      this.#slots.items[i] = this.#slots.items[last];
      this.#attributes[i] = this.#attributes[last];
      this.#attributes.length = last;
    }
  }
}
