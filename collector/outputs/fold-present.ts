import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import { chunkBits, chunkMask, type Float64Column } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { PointBatch } from '../../otel/state/point-batch.ts';
import { counting, present, type SeriesColumns, withoutValue } from '../../otel/state/series-columns.ts';
import { FoldPoints } from './fold-points.ts';
import type { OutputStream } from './output-stream.ts';
import type { Collecting } from './reader-cursor.ts';

const takesPart = counting | present;

/** How the values of the series that are present become one. */
export type Reduction = 'sum' | 'last_value';

/** The columns that values come from: sums or gauges. */
export interface ValueColumns {
  readonly series: SeriesColumns;
  readonly values: Float64Column;
}

/**
 * Gauges and sums that may fall, of many series in one: recomputed at each collection from the series that are present, so one that left
 * leaves nothing behind, and a point that all have left is forgotten. `last_value` takes the newest by the sources' clocks. A point without a present series is left out.
 */
export class FoldPresent implements OutputStream {
  readonly metric: MetricDescription;
  readonly #store: MetricStore;
  readonly #from: ValueColumns;
  readonly #reduction: Reduction;
  readonly #points: FoldPoints;
  #values = new Float64Array(0);
  #times = new Float64Array(0);

  constructor(
    metric: MetricDescription,
    store: MetricStore,
    from: ValueColumns,
    reduction: Reduction,
    keeps: ((key: string) => boolean) | undefined,
  ) {
    this.metric = metric;
    this.#store = store;
    this.#from = from;
    this.#reduction = reduction;
    this.#points = new FoldPoints(keeps);
  }

  get inputs(): number {
    return this.#points.slots.size;
  }

  get points(): number {
    return this.#points.size;
  }

  get isSpent(): boolean {
    return this.inputs === 0;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#points.attach(slot, definition);
  }

  temporality(): Temporality | undefined {
    return this.metric.kind === 'sum' ? 'cumulative' : undefined;
  }

  read(batch: PointBatch, collecting: Collecting): void {
    const size = this.#points.size;
    this.#reduce();
    const isSum = this.#reduction === 'sum';
    batch.reset(size);
    let at = 0;
    for (let point = 0; point < size; point++) {
      if (this.#times[point] === -1) continue;
      batch.seriesAttributes[at] = this.#points.attributes[point];
      batch.flags[at] = 0;
      batch.values[at] = this.#values[point];
      batch.startTimeUs[at] = this.metric.kind === 'sum' ? this.#store.birthUs : 0;
      batch.timeUs[at] = isSum ? collecting.timeUs : this.#times[point];
      at++;
    }
    batch.size = at;
  }

  sweep(beforeS: number): void {
    const { series } = this.#from;
    this.#points.sweep((slot) => isReleasable(series, slot, beforeS));
    this.#points.forgetEmpty();
  }

  /** Fills `#values` and `#times`; a time of -1 marks a point that nobody is present for. */
  #reduce(): void {
    const size = this.#points.size;
    if (this.#values.length < size) {
      this.#values = new Float64Array(size + (size >>> 1));
      this.#times = new Float64Array(size + (size >>> 1));
    }
    const values = this.#values.fill(0, 0, size);
    const times = this.#times.fill(-1, 0, size);
    const { slots, targets } = this.#points;
    const { series, values: from } = this.#from;
    const { timesUs } = this.#store;
    const isSum = this.#reduction === 'sum';
    for (let i = 0; i < slots.size; i++) {
      const slot = slots.items[i];
      const chunk = slot >>> chunkBits;
      const at = slot & chunkMask;
      const status = series.status.chunks[chunk][at];
      if ((status & takesPart) !== takesPart || (status & withoutValue) !== 0) continue;
      const point = targets.items[i];
      const value = from.chunks[chunk][at];
      const time = timesUs[series.clock.chunks[chunk][at]];
      if (isSum) {
        values[point] += value;
        times[point] = 0;
      } else if (time > times[point]) {
        values[point] = value;
        times[point] = time;
      }
    }
  }
}
