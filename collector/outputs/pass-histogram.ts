import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import { finiteTotal } from '../../otel/state/counts.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, noRecordedValue, type PointBatch, placesPerRead } from '../../otel/state/point-batch.ts';
import { withoutValue } from '../../otel/state/series-columns.ts';
import { DeltaBases } from './delta-bases.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { PassPoints, writtenAtOnce } from './pass-points.ts';
import { isShown } from './pass-sum.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';
import { inARow, type StreamLoading, type StreamPicture } from './snapshot/stream-picture.ts';

/**
 * Explicit histograms handed on as they came. Delta readers get what was counted since their last collection, without min and
 * max, which cannot be taken apart. A delta basis holds the buckets of a point and then its sum.
 */
export class PassHistogram implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #points = new PassPoints();
  readonly #bases: DeltaBases;
  readonly #width: number;

  constructor(metric: MetricDescription, store: MetricStore) {
    this.metric = metric;
    this.#store = store;
    this.#width = metric.explicitBounds.length + 1;
    this.#bases = new DeltaBases(this.#width + 1);
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
    const { histograms, timesUs, definitions } = this.#store;
    const { series } = histograms;
    const { slots, size } = this.#points;
    const width = this.#width;
    const isDelta = collecting.cursor.temporality === 'delta';
    const bases = isDelta ? this.#bases.of(collecting.cursor, size) : undefined;
    const end = Math.min(size, from + placesPerRead);
    batch.reset(end - from, width);
    let at = 0;
    for (let i = from; i < end; i++) {
      const slot = slots[i];
      const status = series.status.get(slot);
      const isDue = bases !== undefined && this.#isDue(slot, bases, i * (width + 1));
      if (!isDue && !isShown(status, true, series.absentAtS.get(slot), collecting)) continue;
      batch.seriesAttributes[at] = definitions.at(series.definition.get(slot)).attributes;
      batch.flags[at] = (status & withoutValue) === 0 || isDue ? 0 : noRecordedValue;
      const first = histograms.firstCell.get(slot);
      const to = at * width;
      if (bases === undefined) {
        for (let b = 0; b < width; b++) batch.bucketCounts[to + b] = histograms.values.get(first + b);
        batch.sums[at] = histograms.sums.get(slot);
        batch.mins[at] = histograms.mins.get(slot);
        batch.maxes[at] = histograms.maxes.get(slot);
        batch.startTimeUs[at] = series.startTimeUs.get(slot);
        batch.timeUs[at] = timesUs[series.clock.get(slot)];
      } else {
        const base = i * (width + 1);
        for (let b = 0; b < width; b++) {
          const counted = histograms.counted(first + b);
          batch.bucketCounts[to + b] = counted - bases[base + b];
          bases[base + b] = counted;
        }
        const sum = finiteTotal(histograms.sums.get(slot) + histograms.sumOffsets.get(slot));
        batch.sums[at] = sum - bases[base + width];
        bases[base + width] = sum;
        batch.mins[at] = NaN;
        batch.maxes[at] = NaN;
        batch.startTimeUs[at] = collecting.sinceUs;
        batch.timeUs[at] = collecting.timeUs;
      }
      at++;
    }
    batch.size = at;
    return end < size ? end : noMore;
  }

  /** Whether something was counted since the delta basis, which is then shown whatever became of the series. */
  #isDue(slot: number, bases: Float64Array, base: number): boolean {
    const { histograms } = this.#store;
    const first = histograms.firstCell.get(slot);
    for (let b = 0; b < this.#width; b++) if (histograms.counted(first + b) !== bases[base + b]) return true;
    return false;
  }

  attachHeld(slot: number, _definition: SeriesDefinition, deltaReaders: readonly ReaderCursor[]): void {
    this.attach(slot);
    const { histograms } = this.#store;
    const { size } = this.#points;
    const width = this.#width;
    const base = (size - 1) * (width + 1);
    const first = histograms.firstCell.get(slot);
    for (const cursor of deltaReaders) {
      const bases = this.#bases.of(cursor, size);
      for (let b = 0; b < width; b++) bases[base + b] = histograms.counted(first + b);
      bases[base + width] = finiteTotal(histograms.sums.get(slot) + histograms.sumOffsets.get(slot));
    }
  }

  goOnFrom(before: OutputStream): void {
    if (!(before instanceof PassHistogram)) return;
    this.#points.shared(before.#points, (from, to) => this.#bases.take(before.#bases, from, to));
  }

  slots(): Iterable<number> {
    return this.#points.slots;
  }

  leave(leaves: (slot: number) => boolean): void {
    this.#points.letGo(leaves, (from, to) => this.#bases.move(from, to));
  }

  writeNow(writer: SnapshotWriter): boolean {
    if (this.#points.size * (this.#width + 1) > writtenAtOnce) return false;
    this.#points.writeNow(writer);
    this.#bases.writeNow(writer, this.#points.size);
    return true;
  }

  picture(): StreamPicture {
    const parts = [this.#points.picture(), this.#bases.picture(this.#points.size)];
    return inARow(parts);
  }

  *load(loading: StreamLoading): Generator<void, void> {
    yield* this.#points.load(loading);
    yield* this.#bases.load(loading, this.#points.size);
  }

  forgetReader(reader: number): void {
    this.#bases.forget(reader);
  }

  sweep({ endedBeforeS }: Sweeping): void {
    this.#points.sweep(this.#store.histograms.series, endedBeforeS, (from, to) => this.#bases.move(from, to));
  }
}
