import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import { chunkBits, chunkMask } from '../../otel/state/columns.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, type PointBatch, placesPerRead } from '../../otel/state/point-batch.ts';
import { counting, present, withoutValue } from '../../otel/state/series-columns.ts';
import type { FoldPoints } from './fold-points.ts';
import { type FoldScratch, inputsPerRead } from './fold-scratch.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import type { Presence, PresentState } from './presence.ts';
import type { Collecting } from './reader-cursor.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

const takesPart = counting | present;
/** Marks a point that no series is present for. Times are not below zero. */
const nobody = -1;

/** How the values of the series that are present become one. */
export type Reduction = 'last' | 'min' | 'max' | 'mean' | 'sum' | 'count';

/**
 * Gauges and sums that may fall, of many series in one: recomputed at each collection from the series that are present, so one that left
 * leaves nothing behind, and a point that all have left is forgotten. A point without a present series is left out.
 *
 * `last` takes the newest by the sources' clocks, the first among equals. `min` and `max` pass over NaN while there is a number. `sum` and
 * `mean` follow IEEE 754: one NaN makes them NaN, and so do infinities of both signs. `count` counts every value, NaN too.
 */
export class FoldPresent implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #from: PresentState;
  readonly #reduction: Reduction;
  readonly #points: FoldPoints;
  readonly #presence: Presence;

  constructor(
    metric: MetricDescription,
    store: MetricStore,
    from: PresentState,
    reduction: Reduction,
    points: FoldPoints,
    presence: Presence,
  ) {
    this.metric = metric;
    this.#store = store;
    this.#from = from;
    this.#reduction = reduction;
    this.#points = points;
    this.#presence = presence;
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
    return this.inputs === 0;
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#points.attach(slot, definition);
    this.#presence.attach(this.#from, slot);
  }

  temporality(): Temporality | undefined {
    return this.metric.kind === 'sum' ? 'cumulative' : undefined;
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { scratch } = collecting;
    if (from === 0) this.#begin(scratch);
    const first = this.#reduce(collecting, from) - scratch.inputs;
    const end = Math.min(scratch.points, first + placesPerRead);
    batch.reset(Math.max(0, end - first));
    if (first < 0) return first + scratch.inputs;
    const { totals, times } = scratch;
    const isLast = this.#reduction === 'last';
    const isMean = this.#reduction === 'mean';
    let at = 0;
    for (let point = first; point < end; point++) {
      if (times[point] === nobody) continue;
      batch.seriesAttributes[at] = this.#points.attributes[point];
      batch.flags[at] = 0;
      batch.values[at] = isMean ? totals[point] / times[point] : totals[point];
      batch.startTimeUs[at] = this.metric.kind === 'sum' ? this.#store.birthUs : 0;
      batch.timeUs[at] = isLast ? times[point] : collecting.timeUs;
      at++;
    }
    batch.size = at;
    return end < scratch.points ? scratch.inputs + end : noMore;
  }

  slots(): Iterable<number> {
    return this.#points.slots.items.subarray(0, this.#points.slots.size);
  }

  leave(leaves: (slot: number) => boolean, nowS: number): void {
    this.#points.sweep(leaves, nowS);
  }

  picture(): StreamPicture {
    return this.#points.picture();
  }

  load(loading: StreamLoading): Generator<void, void> {
    return this.#points.load(loading);
  }

  sweep({ endedBeforeS, nowS, nowUs }: Sweeping): void {
    const { series } = this.#from;
    this.#points.sweep((slot) => isReleasable(series, slot, endedBeforeS), nowS);
    // Nothing is kept by point, so one without series may go at once.
    if (this.#points.isWorthExpiring) this.#points.expire(Infinity, nowUs, () => {});
  }

  /** `times` holds how many values a point has; for `last`, the time of the newest. */
  #begin(scratch: FoldScratch): void {
    scratch.begin(this.inputs, this.points);
    scratch.totals.fill(0, 0, scratch.points);
    scratch.times.fill(nobody, 0, scratch.points);
  }

  /** Takes inputs in from a place on. Gives the place to go on from. */
  #reduce(collecting: Collecting, from: number): number {
    const { inputs, totals, times } = collecting.scratch;
    if (from >= inputs) return from;
    const end = Math.min(inputs, from + inputsPerRead);
    const { slots, targets } = this.#points;
    const state = this.#from;
    const { series } = state;
    const presence = this.#presence;
    const { timesUs } = this.#store;
    const reduction = this.#reduction;
    for (let i = from; i < end; i++) {
      const slot = slots.items[i];
      const chunk = slot >>> chunkBits;
      const at = slot & chunkMask;
      const status = series.status.chunks[chunk][at];
      if ((status & takesPart) !== takesPart || (status & withoutValue) !== 0) continue;
      if (presence.isSilent(series, slot, collecting)) continue;
      const point = targets.items[i];
      const value = presence.valueOf(state, slot, collecting);
      const before = times[point];
      if (reduction === 'last') {
        const time = timesUs[series.clock.chunks[chunk][at]];
        if (time <= before) continue;
        totals[point] = value;
        times[point] = time;
        continue;
      }
      times[point] = before === nobody ? 1 : before + 1;
      if (reduction === 'sum' || reduction === 'mean') totals[point] += value;
      else if (reduction === 'count') totals[point] = times[point];
      else totals[point] = before === nobody ? value : extreme(reduction, totals[point], value);
    }
    return end;
  }
}

/** The lesser or greater of two, and a number rather than NaN. */
function extreme(reduction: 'min' | 'max', a: number, b: number): number {
  // A comparison with NaN is false.
  const isBeyond = reduction === 'min' ? b < a : b > a;
  return isBeyond || Number.isNaN(a) ? b : a;
}
