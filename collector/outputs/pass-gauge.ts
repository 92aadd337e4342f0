import type { MetricDescription } from '../../otel/model/metric.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, noRecordedValue, type PointBatch, placesPerRead } from '../../otel/state/point-batch.ts';
import { withoutValue } from '../../otel/state/series-columns.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { PassPoints, writtenAtOnce } from './pass-points.ts';
import { isShown } from './pass-sum.ts';
import type { Presence } from './presence.ts';
import type { Collecting } from './reader-cursor.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/** Gauges handed on as they came, while they are reported. */
export class PassGauge implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #presence: Presence;
  readonly #points = new PassPoints();

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
    this.#presence.attach(this.#store.gauges, slot);
  }

  temporality(): undefined {
    return undefined;
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { gauges, timesUs, definitions } = this.#store;
    const { series } = gauges;
    const { slots, size } = this.#points;
    const end = Math.min(size, from + placesPerRead);
    batch.reset(end - from);
    let at = 0;
    for (let i = from; i < end; i++) {
      const slot = slots[i];
      const status = series.status.get(slot);
      if (!isShown(status, false, 0, collecting)) continue;
      if (this.#presence.isSilent(series, slot, collecting)) continue;
      batch.seriesAttributes[at] = definitions.at(series.definition.get(slot)).attributes;
      batch.flags[at] = (status & withoutValue) === 0 ? 0 : noRecordedValue;
      batch.values[at] = this.#presence.valueOf(gauges, slot, collecting);
      batch.startTimeUs[at] = 0;
      batch.timeUs[at] = timesUs[series.clock.get(slot)];
      at++;
    }
    batch.size = at;
    return end < size ? end : noMore;
  }

  slots(): Iterable<number> {
    return this.#points.slots;
  }

  leave(leaves: (slot: number) => boolean): void {
    this.#points.letGo(leaves);
  }

  writeNow(writer: SnapshotWriter): boolean {
    if (this.#points.size > writtenAtOnce) return false;
    this.#points.writeNow(writer);

    return true;
  }

  picture(): StreamPicture {
    return this.#points.picture();
  }

  load(loading: StreamLoading): Generator<void, void> {
    return this.#points.load(loading);
  }

  sweep({ endedBeforeS }: Sweeping): void {
    this.#points.sweep(this.#store.gauges.series, endedBeforeS);
  }
}
