import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import { chunkBits, chunkMask } from '../../otel/state/columns.ts';
import { finiteTotal } from '../../otel/state/counts.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, type PointBatch, placesPerRead } from '../../otel/state/point-batch.ts';
import { DeltaBases } from './delta-bases.ts';
import type { FoldPoints } from './fold-points.ts';
import { FoldScratch, inputsPerRead } from './fold-scratch.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { type Collecting, timeOf } from './reader-cursor.ts';
import { readDoubles, writeNumbers } from './snapshot/number-list.ts';
import { readTime } from './snapshot/saved-points.ts';
import { inARow, type StreamLoading, type StreamPicture } from './snapshot/stream-picture.ts';

/**
 * Monotonic sums of many series in one. A point is the sum of what its series have counted here, added up anew at each collection:
 * exact for integers, and for doubles free of drift. A series that is freed leaves what it counted in `#retained`. No share falls (SumState), so no total does that
 * is added up in one order. Another order may round to a smaller double, so before it changes, what would be shown is held in `#held`: a total never falls,
 * whether or not, or in another life of this process, somebody has seen it. Reading changes nothing but a delta reader's basis: what one reader is given
 * does not depend on whether others have read.
 */
export class FoldCounter implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #points: FoldPoints;
  readonly #isShared: boolean;
  #horizonUs: number;
  readonly #bases = new DeltaBases(1);
  readonly #retained: number[] = [];
  /** By point, the least that is shown. */
  readonly #held: number[] = [];

  /**
   * `isShared` when members are joined: then totals are kept for good. Otherwise they are forgotten with their member, and begin where the
   * horizon stands by then: nothing from before it is counted again, and a later start time tells that counting began anew.
   */
  constructor(metric: MetricDescription, store: MetricStore, points: FoldPoints, isShared: boolean) {
    this.metric = metric;
    this.#store = store;
    this.#points = points;
    this.#isShared = isShared;
    this.#horizonUs = store.horizonUs;
  }

  get inputs(): number {
    return this.#points.slots.size;
  }

  get points(): number {
    return this.#points.size;
  }

  get overflowed(): number {
    return this.#points.overflowed;
  }

  get isSpent(): boolean {
    return !this.#isShared && this.inputs === 0 && this.#store.horizonUs > this.#horizonUs;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#points.attach(slot, definition);
    while (this.#retained.length < this.#points.size) {
      this.#retained.push(0);
      this.#held.push(0);
    }
  }

  temporality(preferred: Temporality): Temporality {
    return preferred;
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { cursor, scratch } = collecting;
    if (from === 0) this.#begin(scratch);
    const first = this.#add(scratch, from) - scratch.inputs;
    const end = Math.min(scratch.points, first + placesPerRead);
    batch.reset(Math.max(0, end - first));
    if (first < 0) return first + scratch.inputs;
    const bases = cursor.temporality === 'delta' ? this.#bases.of(cursor, scratch.points) : undefined;
    const { totals } = scratch;
    for (let point = first, i = 0; point < end; point++, i++) {
      const total = this.#shown(point, totals[point]);
      batch.seriesAttributes[i] = this.#points.attributes[point];
      batch.flags[i] = 0;
      if (bases === undefined) {
        batch.values[i] = total;
        batch.startTimeUs[i] = this.#points.startUs[point];
        batch.timeUs[i] = timeOf(collecting, batch.startTimeUs[i]);
      } else {
        batch.values[i] = total - bases[point];
        bases[point] = total;
        batch.startTimeUs[i] = collecting.sinceUs;
        batch.timeUs[i] = collecting.timeUs;
      }
    }
    batch.size = end - first;
    return end < scratch.points ? scratch.inputs + end : noMore;
  }

  attachHeld(slot: number, definition: SeriesDefinition): void {
    this.attach(slot, definition);
    this.#retained[this.#points.lastTarget] -= this.#store.sums.counted(slot);
  }

  slots(): Iterable<number> {
    return this.#points.slots.items.subarray(0, this.#points.slots.size);
  }

  holdTotals(): void {
    const scratch = new FoldScratch();
    this.#begin(scratch);
    for (let from = 0; from < scratch.inputs; ) from = this.#add(scratch, from);
    for (let point = 0; point < scratch.points; point++)
      this.#held[point] = this.#shown(point, scratch.totals[point]);
  }

  leave(leaves: (slot: number) => boolean, nowS: number): void {
    let isHeld = false;
    this.#points.sweep((slot, point) => {
      if (!leaves(slot)) return false;
      if (!isHeld) this.holdTotals();
      isHeld = true;
      this.#retained[point] += this.#store.sums.counted(slot);
      return true;
    }, nowS);
  }

  picture(): StreamPicture {
    const points = this.#points.size;
    const horizonUs = this.#horizonUs;
    const retained = this.#retained;
    const held = this.#held;
    const own: StreamPicture = {
      *write(writer) {
        writer.float64(horizonUs);
        yield* writeNumbers(writer, retained, points);
        yield* writeNumbers(writer, held, points);
      },
    };
    return inARow([this.#points.picture(), own, this.#bases.picture(points)]);
  }

  *load(loading: StreamLoading): Generator<void, void> {
    yield* this.#points.load(loading);
    const points = this.#points.size;
    const { reader } = loading;
    if (reader.isSpent) yield;
    this.#horizonUs = readTime(reader, 'a horizon');
    const retained = yield* readDoubles(reader, points, 'totals of freed series');
    const held = yield* readDoubles(reader, points, 'held totals');
    for (let point = 0; point < points; point++) {
      this.#retained.push(retained[point]);
      this.#held.push(held[point]);
    }
    yield* this.#bases.load(loading, points);
  }

  forgetReader(reader: number): void {
    this.#bases.forget(reader);
  }

  sweep({ endedBeforeS, idleBeforeS, nowS, nowUs }: Sweeping): void {
    const { sums } = this.#store;
    const points = this.#points;
    this.leave((slot) => isReleasable(sums.series, slot, endedBeforeS), nowS);
    const hasMoved = points.expire(idleBeforeS, nowUs, (from, to) => {
      this.#retained[to] = this.#retained[from];
      this.#held[to] = this.#held[from];
      this.#bases.copy(from, to);
    });
    if (!hasMoved) return;
    this.#retained.length = points.size;
    this.#held.length = points.size;
    this.#bases.truncate(points.size);
  }

  /** What is shown for a total that was added up. */
  #shown(point: number, total: number): number {
    return Math.max(finiteTotal(total), this.#held[point]);
  }

  #begin(scratch: FoldScratch): void {
    scratch.begin(this.inputs, this.points);
    for (let point = 0; point < scratch.points; point++) scratch.totals[point] = this.#retained[point];
  }

  /** Adds up inputs from a place on. Gives the place to go on from. */
  #add({ inputs, totals }: FoldScratch, from: number): number {
    if (from >= inputs) return from;
    const end = Math.min(inputs, from + inputsPerRead);
    const { slots, targets } = this.#points;
    const values = this.#store.sums.values.chunks;
    const offsets = this.#store.sums.offsets.chunks;
    for (let i = from; i < end; i++) {
      const slot = slots.items[i];
      const chunk = slot >>> chunkBits;
      const at = slot & chunkMask;
      // As `counted` has it, so that nothing is less once it is an offset.
      totals[targets.items[i]] += Math.min(values[chunk][at] + offsets[chunk][at], Number.MAX_VALUE);
    }
    return end;
  }
}
