import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import { chunkBits, chunkMask } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, noRecordedValue, type PointBatch, placesPerRead } from '../../otel/state/point-batch.ts';
import { counting, present, withoutValue } from '../../otel/state/series-columns.ts';
import { DeltaBases } from './delta-bases.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { PassPoints, writtenAtOnce } from './pass-points.ts';
import type { Presence } from './presence.ts';
import type { Collecting, ReaderCursor } from './reader-cursor.ts';
import { inARow, type StreamLoading, type StreamPicture } from './snapshot/stream-picture.ts';

/** Sums handed on as they came: value and start time are the source's. Delta readers get what was counted since their last collection. */
export class PassSum implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #presence: Presence;
  readonly #points = new PassPoints();
  readonly #bases = new DeltaBases(1);

  constructor(metric: MetricDescription, store: MetricStore, presence: Presence) {
    this.metric = metric;
    this.#store = store;
    this.#presence = presence;
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
    return this.metric.isMonotonic ? preferred : 'cumulative';
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { sums, timesUs, definitions } = this.#store;
    const { series } = sums;
    const { slots, size } = this.#points;
    const isDelta = this.temporality(collecting.cursor.temporality) === 'delta';
    const bases = isDelta ? this.#bases.of(collecting.cursor, size) : undefined;
    const end = Math.min(size, from + placesPerRead);
    batch.reset(end - from);
    let at = 0;
    for (let i = from; i < end; i++) {
      const slot = slots[i];
      const status = series.status.chunks[slot >>> chunkBits][slot & chunkMask];
      const counted = bases === undefined ? 0 : sums.counted(slot);
      // What was counted before a new epoch was defined is due, even if no value of that epoch ever comes.
      const isDue = bases !== undefined && counted !== bases[i];
      if (!isDue && !isShown(status, this.metric.isMonotonic, series.absentAtS.get(slot), collecting))
        continue;
      if (!this.metric.isMonotonic && this.#presence.isSilent(series, slot, collecting)) continue;
      const isWithoutValue = (status & withoutValue) !== 0;
      batch.seriesAttributes[at] = definitions.at(series.definition.get(slot)).attributes;
      if (bases === undefined) {
        batch.flags[at] = isWithoutValue ? noRecordedValue : 0;
        batch.values[at] = sums.values.chunks[slot >>> chunkBits][slot & chunkMask];
        batch.startTimeUs[at] = series.startTimeUs.chunks[slot >>> chunkBits][slot & chunkMask];
        batch.timeUs[at] = timesUs[series.clock.chunks[slot >>> chunkBits][slot & chunkMask]];
      } else {
        // A point without a value is not read: what is due must not be in one.
        batch.flags[at] = isWithoutValue && !isDue ? noRecordedValue : 0;
        batch.values[at] = counted - bases[i];
        bases[i] = counted;
        batch.startTimeUs[at] = collecting.sinceUs;
        batch.timeUs[at] = collecting.timeUs;
      }
      at++;
    }
    batch.size = at;
    return end < size ? end : noMore;
  }

  attachHeld(slot: number, _definition: SeriesDefinition, deltaReaders: readonly ReaderCursor[]): void {
    this.attach(slot);
    const { size } = this.#points;
    for (const cursor of deltaReaders)
      this.#bases.of(cursor, size)[size - 1] = this.#store.sums.counted(slot);
  }

  goOnFrom(before: OutputStream): void {
    if (!(before instanceof PassSum)) return;
    this.#points.shared(before.#points, (from, to) => this.#bases.take(before.#bases, from, to));
  }

  slots(): Iterable<number> {
    return this.#points.slots;
  }

  leave(leaves: (slot: number) => boolean): void {
    this.#points.letGo(leaves, (from, to) => this.#bases.move(from, to));
  }

  writeNow(writer: SnapshotWriter): boolean {
    if (this.#points.size > writtenAtOnce) return false;
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
    this.#points.sweep(this.#store.sums.series, endedBeforeS, (from, to) => this.#bases.move(from, to));
  }
}

/** Whether a passing output shows a series: while it is reported, and a counter that left until its last state was delivered. */
export function isShown(status: number, counts: boolean, absentAtS: number, collecting: Collecting): boolean {
  if ((status & counting) === 0) return false;
  if ((status & present) !== 0) return true;
  return counts && absentAtS >= collecting.deliveredS;
}
