import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { PointBatch } from '../../otel/state/point-batch.ts';
import { DeltaBases } from './delta-bases.ts';
import { FoldPoints } from './fold-points.ts';
import type { OutputStream } from './output-stream.ts';
import type { Collecting } from './reader-cursor.ts';

/**
 * Explicit histograms with the same bounds, of many series in one: bucket by bucket what {@link FoldCounter} is for sums. Min and
 * max are left out: they cannot be known for what was counted since a baseline. A point is its buckets and then its sum.
 */
export class FoldHistogram implements OutputStream {
  readonly metric: MetricDescription;
  readonly #store: MetricStore;
  readonly #points: FoldPoints;
  readonly #isShared: boolean;
  readonly #startUs: number;
  readonly #width: number;
  readonly #bases: DeltaBases;
  readonly #retained: number[] = [];
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
    this.metric = { ...metric, hasMin: false, hasMax: false };
    this.#store = store;
    this.#points = new FoldPoints(keeps);
    this.#isShared = isShared;
    this.#startUs = isShared ? store.birthUs : store.horizonUs;
    this.#width = metric.explicitBounds.length + 1;
    this.#bases = new DeltaBases(this.#width + 1);
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
    while (this.#retained.length < this.#points.size * (this.#width + 1)) this.#retained.push(0);
  }

  temporality(preferred: Temporality): Temporality {
    return preferred;
  }

  read(batch: PointBatch, collecting: Collecting): void {
    const size = this.#points.size;
    const width = this.#width;
    const stride = width + 1;
    const totals = this.#total();
    const isDelta = collecting.cursor.temporality === 'delta';
    const bases = isDelta ? this.#bases.of(collecting.cursor, size) : undefined;
    batch.reset(size, width);
    for (let point = 0; point < size; point++) {
      const from = point * stride;
      for (let b = 0; b < width; b++)
        batch.bucketCounts[point * width + b] = totals[from + b] - (bases?.[from + b] ?? 0);
      batch.sums[point] = totals[from + width] - (bases?.[from + width] ?? 0);
      batch.mins[point] = NaN;
      batch.maxes[point] = NaN;
      batch.flags[point] = 0;
      batch.seriesAttributes[point] = this.#points.attributes[point];
      batch.timeUs[point] = collecting.timeUs;
      batch.startTimeUs[point] = isDelta ? collecting.sinceUs : this.#startUs;
    }
    bases?.set(totals.subarray(0, size * stride));
    batch.size = size;
  }

  sweep(beforeS: number): void {
    const { histograms } = this.#store;
    this.#points.sweep((slot, point) => {
      if (!isReleasable(histograms.series, slot, beforeS)) return false;
      this.#add(slot, this.#retained, point);
      return true;
    });
  }

  #total(): Float64Array {
    const length = this.#retained.length;
    if (this.#totals.length < length) this.#totals = new Float64Array(length + (length >>> 1));
    this.#totals.set(this.#retained);
    const { slots, targets } = this.#points;
    for (let i = 0; i < slots.size; i++) this.#add(slots.items[i], this.#totals, targets.items[i]);
    return this.#totals;
  }

  #add(slot: number, to: Float64Array | number[], point: number): void {
    const { histograms } = this.#store;
    const first = histograms.firstCell.get(slot);
    const at = point * (this.#width + 1);
    for (let b = 0; b < this.#width; b++) to[at + b] += histograms.counted(first + b);
    to[at + this.#width] += histograms.sums.get(slot) + histograms.sumOffsets.get(slot);
  }
}
