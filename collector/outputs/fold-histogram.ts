import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import { finiteTotal, maxCount } from '../../otel/state/counts.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, type PointBatch, placesPerRead } from '../../otel/state/point-batch.ts';
import { DeltaBases } from './delta-bases.ts';
import type { FoldPoints } from './fold-points.ts';
import { type FoldScratch, inputsPerRead } from './fold-scratch.ts';
import { hasAll } from './output-shape.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { type Collecting, timeOf } from './reader-cursor.ts';
import { readDoubles, writeNumbers } from './snapshot/number-list.ts';
import { readTime } from './snapshot/saved-points.ts';
import { inARow, type StreamLoading, type StreamPicture } from './snapshot/stream-picture.ts';

/**
 * Explicit histograms of many series in one: bucket by bucket what {@link FoldCounter} is for sums. The output's bounds never change; a histogram
 * whose bounds contain them folds exactly, as its buckets between two of them are summed up. Min and max are left out: they cannot be
 * known for what was counted since a baseline, nor while a report that held a range of its own may be lost with its stream. A
 * point is its buckets and then its sum.
 */
export class FoldHistogram implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #store: MetricStore;
  readonly #points: FoldPoints;
  readonly #isShared: boolean;
  #horizonUs: number;
  readonly #width: number;
  readonly #bases: DeltaBases;
  readonly #retained: number[] = [];
  readonly #boundaries: readonly number[] | undefined;
  /** Which of the output's buckets each bucket goes into, by slot, for histograms with more bounds than the output. */
  readonly #finer = new Map<number, Uint16Array>();
  readonly #places = new WeakMap<readonly number[], Uint16Array>();

  /**
   * The output's bounds are the metric's. `boundaries` are those that the view asks for, if any: the metric's are others only when it does not contain them.
   *
   * `isShared` when members are joined: then totals are kept for good. Otherwise they are forgotten with their member, and begin where the
   * horizon stands by then: nothing from before it is counted again, and a later start time tells that counting began anew.
   */
  constructor(
    metric: MetricDescription,
    store: MetricStore,
    points: FoldPoints,
    isShared: boolean,
    boundaries?: readonly number[],
  ) {
    this.metric = { ...metric, hasMin: false, hasMax: false };
    this.#store = store;
    this.#points = points;
    this.#isShared = isShared;
    this.#horizonUs = store.horizonUs;
    this.#width = metric.explicitBounds.length + 1;
    this.#bases = new DeltaBases(this.#width + 1);
    this.#boundaries = boundaries;
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

  /** Histograms whose bounds contain the output's, unless they contain those that the view asks for and this output has not. */
  accepts({ kind, explicitBounds }: MetricDescription): boolean {
    const own = this.metric.explicitBounds;
    const wanted = this.#boundaries;
    if (kind !== 'histogram' || !hasAll(explicitBounds, own)) return false;
    return wanted === undefined || hasAll(own, wanted) || !hasAll(explicitBounds, wanted);
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#attachFiner(slot, definition);
    this.#points.attach(slot, definition);
    while (this.#retained.length < this.#points.size * (this.#width + 1)) this.#retained.push(0);
  }

  temporality(preferred: Temporality): Temporality {
    return preferred;
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { cursor, scratch } = collecting;
    const width = this.#width;
    const stride = width + 1;
    if (from === 0) this.#begin(scratch);
    const first = this.#addInputs(scratch, from) - scratch.inputs;
    const end = Math.min(scratch.points, first + placesPerRead);
    batch.reset(Math.max(0, end - first), width);
    if (first < 0) return first + scratch.inputs;
    const { totals } = scratch;
    const isDelta = cursor.temporality === 'delta';
    const bases = isDelta ? this.#bases.of(cursor, scratch.points) : undefined;
    for (let point = first, i = 0; point < end; point++, i++) {
      const at = point * stride;
      // What many have counted together may be more than can be told: then it stays at the highest.
      for (let b = 0; b < width; b++) totals[at + b] = Math.min(totals[at + b], maxCount);
      totals[at + width] = finiteTotal(totals[at + width]);
      for (let b = 0; b < width; b++)
        batch.bucketCounts[i * width + b] = totals[at + b] - (bases?.[at + b] ?? 0);
      batch.sums[i] = totals[at + width] - (bases?.[at + width] ?? 0);
      batch.mins[i] = NaN;
      batch.maxes[i] = NaN;
      batch.flags[i] = 0;
      batch.seriesAttributes[i] = this.#points.attributes[point];
      batch.startTimeUs[i] = isDelta ? collecting.sinceUs : this.#points.startUs[point];
      batch.timeUs[i] = timeOf(collecting, batch.startTimeUs[i]);
    }
    bases?.set(totals.subarray(first * stride, end * stride), first * stride);
    batch.size = end - first;
    return end < scratch.points ? scratch.inputs + end : noMore;
  }

  attachHeld(slot: number, definition: SeriesDefinition): void {
    this.attach(slot, definition);
    const held = new Array<number>(this.#width + 1).fill(0);
    this.#add(slot, held, 0);
    const first = this.#points.lastTarget * held.length;
    for (let i = 0; i < held.length; i++) this.#retained[first + i] -= held[i];
  }

  slots(): Iterable<number> {
    return this.#points.slots.items.subarray(0, this.#points.slots.size);
  }

  leave(leaves: (slot: number) => boolean, nowS: number): void {
    this.#points.sweep((slot, point) => {
      if (!leaves(slot)) return false;
      this.#add(slot, this.#retained, point);
      this.#finer.delete(slot);
      return true;
    }, nowS);
  }

  picture(): StreamPicture {
    const points = this.#points.size;
    const cells = points * (this.#width + 1);
    const horizonUs = this.#horizonUs;
    const retained = this.#retained;
    const own: StreamPicture = {
      *write(writer) {
        writer.float64(horizonUs);
        yield* writeNumbers(writer, retained, cells);
      },
    };
    return inARow([this.#points.picture(), own, this.#bases.picture(points)]);
  }

  *load(loading: StreamLoading): Generator<void, void> {
    const take = (slot: number) => {
      const definition = loading.take(slot);
      this.#attachFiner(slot, definition);
      return definition;
    };
    yield* this.#points.load({ ...loading, take });
    const points = this.#points.size;
    const { reader } = loading;
    if (reader.isSpent) yield;
    this.#horizonUs = readTime(reader, 'a horizon');
    const retained = yield* readDoubles(reader, points * (this.#width + 1), 'totals of freed series');
    for (let i = 0; i < points * (this.#width + 1); i++) this.#retained.push(retained[i]);
    yield* this.#bases.load(loading, points);
  }

  forgetReader(reader: number): void {
    this.#bases.forget(reader);
  }

  sweep({ endedBeforeS, idleBeforeS, nowS, nowUs }: Sweeping): void {
    const { histograms } = this.#store;
    const points = this.#points;
    const stride = this.#width + 1;
    this.leave((slot) => isReleasable(histograms.series, slot, endedBeforeS), nowS);
    const hasMoved = points.expire(idleBeforeS, nowUs, (from, to) => {
      for (let i = 0; i < stride; i++) this.#retained[to * stride + i] = this.#retained[from * stride + i];
      this.#bases.copy(from, to);
    });
    if (!hasMoved) return;
    this.#retained.length = points.size * stride;
    this.#bases.truncate(points.size);
  }

  #attachFiner(slot: number, { entry }: SeriesDefinition): void {
    const { explicitBounds } = entry.metric;
    if (explicitBounds.length > this.metric.explicitBounds.length)
      this.#finer.set(slot, this.#placesOf(explicitBounds));
  }

  #begin(scratch: FoldScratch): void {
    const stride = this.#width + 1;
    scratch.begin(this.inputs, this.points, stride);
    for (let i = 0; i < scratch.points * stride; i++) scratch.totals[i] = this.#retained[i];
  }

  /** Adds up inputs from a place on. Gives the place to go on from. */
  #addInputs({ inputs, totals }: FoldScratch, from: number): number {
    if (from >= inputs) return from;
    const end = Math.min(inputs, from + Math.ceil(inputsPerRead / this.#width));
    const { slots, targets } = this.#points;
    for (let i = from; i < end; i++) this.#add(slots.items[i], totals, targets.items[i]);
    return end;
  }

  #add(slot: number, to: Float64Array | number[], point: number): void {
    const { histograms } = this.#store;
    const first = histograms.firstCell.get(slot);
    const at = point * (this.#width + 1);
    const places = this.#finer.size === 0 ? undefined : this.#finer.get(slot);
    if (places === undefined)
      for (let b = 0; b < this.#width; b++) to[at + b] += histograms.counted(first + b);
    else for (let b = 0; b < places.length; b++) to[at + places[b]] += histograms.counted(first + b);
    to[at + this.#width] += histograms.sums.get(slot) + histograms.sumOffsets.get(slot);
  }

  /** The output's bucket for each bucket between these bounds. */
  #placesOf(explicitBounds: readonly number[]): Uint16Array {
    const known = this.#places.get(explicitBounds);
    if (known !== undefined) return known;
    const own = this.metric.explicitBounds;
    const places = new Uint16Array(explicitBounds.length + 1);
    let place = 0;
    for (let b = 0; b < places.length; b++) {
      places[b] = place;
      if (explicitBounds[b] === own[place]) place++;
    }
    this.#places.set(explicitBounds, places);
    return places;
  }
}
