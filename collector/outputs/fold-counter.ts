import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import { chunkBits, chunkMask } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { PointBatch } from '../../otel/state/point-batch.ts';
import { DeltaBases } from './delta-bases.ts';
import { FoldPoints } from './fold-points.ts';
import type { OutputStream } from './output-stream.ts';
import type { Collecting } from './reader-cursor.ts';

/**
 * Monotonic sums of many series in one. A point is the sum of what its series have counted here, added up anew at each collection:
 * exact for integers, and for doubles free of drift. A series that is freed leaves what it counted in `#retained`. Adding in another order may
 * round to a smaller double, so what was shown is held: a total never falls.
 */
export class FoldCounter implements OutputStream {
  readonly metric: MetricDescription;
  readonly #store: MetricStore;
  readonly #points: FoldPoints;
  readonly #isShared: boolean;
  readonly #startUs: number;
  readonly #bases = new DeltaBases(1);
  readonly #retained: number[] = [];
  readonly #shown: number[] = [];
  #totals = new Float64Array(0);

  /**
   * `isShared` when members are joined: then totals are kept for good. Otherwise they are forgotten with their member, and begin where the
   * horizon stands by then: nothing from before it is counted again, and a later start time tells that counting began anew.
   */
  constructor(
    metric: MetricDescription,
    store: MetricStore,
    keeps: ((key: string) => boolean) | undefined,
    isShared: boolean,
  ) {
    this.metric = metric;
    this.#store = store;
    this.#points = new FoldPoints(keeps);
    this.#isShared = isShared;
    this.#startUs = isShared ? store.birthUs : store.horizonUs;
  }

  get inputs(): number {
    return this.#points.slots.size;
  }

  get points(): number {
    return this.#points.size;
  }

  get isSpent(): boolean {
    return !this.#isShared && this.inputs === 0 && this.#store.horizonUs > this.#startUs;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#points.attach(slot, definition);
    while (this.#retained.length < this.#points.size) {
      this.#retained.push(0);
      this.#shown.push(0);
    }
  }

  temporality(preferred: Temporality): Temporality {
    return preferred;
  }

  read(batch: PointBatch, collecting: Collecting): void {
    const size = this.#points.size;
    const totals = this.#total();
    const isDelta = collecting.cursor.temporality === 'delta';
    const bases = isDelta ? this.#bases.of(collecting.cursor, size) : undefined;
    batch.reset(size);
    for (let point = 0; point < size; point++) {
      const total = Math.max(totals[point], this.#shown[point]);
      this.#shown[point] = total;
      batch.seriesAttributes[point] = this.#points.attributes[point];
      batch.flags[point] = 0;
      batch.timeUs[point] = collecting.timeUs;
      if (bases === undefined) {
        batch.values[point] = total;
        batch.startTimeUs[point] = this.#startUs;
      } else {
        batch.values[point] = total - bases[point];
        bases[point] = total;
        batch.startTimeUs[point] = collecting.sinceUs;
      }
    }
    batch.size = size;
  }

  sweep(beforeS: number): void {
    const { sums } = this.#store;
    this.#points.sweep((slot, point) => {
      if (!isReleasable(sums.series, slot, beforeS)) return false;
      this.#retained[point] += sums.counted(slot);
      return true;
    });
  }

  #total(): Float64Array {
    const size = this.#points.size;
    if (this.#totals.length < size) this.#totals = new Float64Array(size + (size >>> 1));
    const totals = this.#totals;
    for (let point = 0; point < size; point++) totals[point] = this.#retained[point];
    const { slots, targets } = this.#points;
    const values = this.#store.sums.values.chunks;
    const offsets = this.#store.sums.offsets.chunks;
    for (let i = 0; i < slots.size; i++) {
      const slot = slots.items[i];
      const chunk = slot >>> chunkBits;
      const at = slot & chunkMask;
      totals[targets.items[i]] += values[chunk][at] + offsets[chunk][at];
    }
    return totals;
  }
}
