import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { maxHeldBuckets } from '../../otel/state/exponential-comparison.ts';
import { ExponentialCounts } from '../../otel/state/exponential-counts.ts';
import { maxScale } from '../../otel/state/exponential-mapping.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, noRecordedValue, type PointBatch } from '../../otel/state/point-batch.ts';
import { withoutValue } from '../../otel/state/series-columns.ts';
import { ExponentialBases } from './exponential-bases.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { PassPoints } from './pass-points.ts';
import { isShown } from './pass-sum.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';
import { inARow, type StreamLoading, type StreamPicture } from './snapshot/stream-picture.ts';

/** Points that are read at a time: a fraction of a millisecond. */
const pointsPerRead = 256;

/**
 * Exponential histograms handed on as they came. Delta readers get what was counted since their last collection, at the coarser scale of
 * then and now, without min and max, which cannot be taken apart.
 */
export class PassExponential implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #points = new PassPoints();
  readonly #bases = new ExponentialBases();

  constructor(metric: MetricDescription, store: MetricStore) {
    this.metric = metric;
    this.#store = store;
  }

  get inputs(): number {
    return this.#points.size;
  }

  get points(): number {
    return this.#points.size;
  }

  get overflowed(): number {
    return 0;
  }

  get isSpent(): boolean {
    return this.#points.size === 0;
  }

  attach(slot: number): void {
    this.#points.attach(slot);
  }

  temporality(preferred: Temporality): Temporality {
    return preferred;
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { exponentialHistograms: histograms, timesUs, definitions } = this.#store;
    const { series } = histograms;
    const { slots, size } = this.#points;
    const { cursor } = collecting;
    const { total, delta } = collecting.scratch.exponential;
    const isDelta = cursor.temporality === 'delta';
    const end = Math.min(size, from + pointsPerRead);
    batch.resetExponential(end - from);
    let at = 0;
    for (let i = from; i < end; i++) {
      const slot = slots[i];
      const status = series.status.get(slot);
      let isDue = false;
      if (isDelta) {
        total.begin(maxScale, 0, maxHeldBuckets);
        histograms.addCounted(slot, total);
        const isLimited = total.limit();
        this.#bases.subtract(cursor, i, total, delta);
        if (isLimited) delta.limit();
        // What was counted before a new epoch was defined is due, even if no value of that epoch ever comes.
        isDue = !delta.isNothing;
      }
      if (!isDue && !isShown(status, true, series.absentAtS.get(slot), collecting)) continue;
      batch.seriesAttributes[at] = definitions.at(series.definition.get(slot)).attributes;
      // A point without a value is not read: what is due must not be in one.
      batch.flags[at] = (status & withoutValue) === 0 || isDue ? 0 : noRecordedValue;
      if (isDelta) {
        this.#bases.advance(cursor, i, total);
        batch.exponential.put(at, delta);
        batch.sums[at] = delta.sum;
        batch.mins[at] = NaN;
        batch.maxes[at] = NaN;
        batch.startTimeUs[at] = collecting.sinceUs;
        batch.timeUs[at] = collecting.timeUs;
      } else {
        batch.exponential.putRow(at, histograms.values, slot);
        batch.sums[at] = histograms.values.sums.get(slot);
        batch.mins[at] = histograms.mins.get(slot);
        batch.maxes[at] = histograms.maxes.get(slot);
        batch.startTimeUs[at] = series.startTimeUs.get(slot);
        batch.timeUs[at] = timesUs[series.clock.get(slot)];
      }
      at++;
    }
    batch.size = at;
    return end < size ? end : noMore;
  }

  attachHeld(slot: number, _definition: SeriesDefinition, deltaReaders: readonly ReaderCursor[]): void {
    this.attach(slot);
    const held = new ExponentialCounts();
    held.begin(maxScale, 0, maxHeldBuckets);
    this.#store.exponentialHistograms.addCounted(slot, held);
    held.trim();
    for (const cursor of deltaReaders) this.#bases.advance(cursor, this.#points.size - 1, held);
  }

  goOnFrom(before: OutputStream): void {
    if (!(before instanceof PassExponential)) return;
    this.#points.shared(before.#points, (from, to) => this.#bases.take(before.#bases, from, to));
  }

  slots(): Iterable<number> {
    return this.#points.slots;
  }

  leave(leaves: (slot: number) => boolean): void {
    this.#points.letGo(leaves, (from, to) => this.#bases.move(from, to));
  }

  picture(): StreamPicture {
    const parts = [this.#points.picture(), this.#bases.picture(this.#points.size)];
    return inARow(parts);
  }

  *load(loading: StreamLoading): Generator<void, void> {
    yield* this.#points.load(loading);
    yield* this.#bases.load(loading, this.#points.size, maxHeldBuckets);
  }

  forgetReader(reader: number): void {
    this.#bases.forget(reader);
  }

  sweep({ endedBeforeS }: Sweeping): void {
    const { series } = this.#store.exponentialHistograms;
    this.#points.sweep(series, endedBeforeS, (from, to) => this.#bases.move(from, to));
  }
}
