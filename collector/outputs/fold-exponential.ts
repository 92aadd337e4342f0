import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import { ExponentialCounts } from '../../otel/state/exponential-counts.ts';
import { isConvertible } from '../../otel/state/exponential-from-explicit.ts';
import { coarsestScale } from '../../otel/state/exponential-mapping.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { noMore, type PointBatch } from '../../otel/state/point-batch.ts';
import type { SeriesColumns } from '../../otel/state/series-columns.ts';
import { ExponentialBases } from './exponential-bases.ts';
import type { FoldPoints } from './fold-points.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import { type Collecting, timeOf } from './reader-cursor.ts';
import type { ShownShape } from './shown-shape.ts';
import { readDoubles, writeNumbers } from './snapshot/number-list.ts';
import { readCounts, writeCounts } from './snapshot/saved-counts.ts';
import { readTime } from './snapshot/saved-points.ts';
import { inARow, type StreamLoading, type StreamPicture } from './snapshot/stream-picture.ts';

/** Histograms that are added up, or points that are written, at a time: a fraction of a millisecond. */
const workPerRead = 256;

/** What histograms come from: ExponentialHistogramState, or explicit ones as ExponentialFromExplicit gives them. */
export interface HistogramSource {
  readonly series: SeriesColumns;
  /** Adds what a series has counted since the store began. */
  addCounted(slot: number, to: ExponentialCounts): void;
}

/** What an output's buckets may be. */
export interface ExponentialShape {
  /** The finest scale. */
  readonly maxScale: number;
  /** Buckets on either side at most; 2 or more. */
  readonly maxSize: number;
}

/** OpenTelemetry's defaults. */
export const defaultExponentialShape: ExponentialShape = { maxScale: 20, maxSize: 160 };

/**
 * Histograms of many series in one exponential histogram: what {@link FoldCounter} is for sums. A point is at the coarsest of its series' scales, coarser
 * still where it takes that to fit into `maxSize`, and at the highest of their zero thresholds. Under one start time its scale
 * does not rise and its threshold does not fall, so that each count, at the scale of a later point, is at most that point's. Min and
 * max are left out: they cannot be known for what was counted since a baseline.
 */
export class FoldExponential implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  number = 0;
  readonly #store: MetricStore;
  readonly #source: HistogramSource;
  readonly #points: FoldPoints;
  readonly #shape: ExponentialShape;
  readonly #isShared: boolean;
  #horizonUs: number;
  readonly #bases = new ExponentialBases();
  /** By point, what freed series have counted. */
  readonly #retained: (ExponentialCounts | undefined)[] = [];
  /** By point, the scale and the zero threshold that it was shown with last, to whomever: reads change them, so a journal is told of it. */
  readonly #scales: number[] = [];
  readonly #zeroThresholds: number[] = [];

  /**
   * `isShared` when members are joined: then totals are kept for good. Otherwise they are forgotten with their member, and begin where the
   * horizon stands by then: nothing from before it is counted again, and a later start time tells that counting began anew.
   */
  constructor(
    metric: MetricDescription,
    store: MetricStore,
    source: HistogramSource,
    points: FoldPoints,
    shape: ExponentialShape,
    isShared: boolean,
  ) {
    this.metric = { ...metric, hasMin: false, hasMax: false };
    this.#store = store;
    this.#source = source;
    this.#points = points;
    this.#shape = shape;
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

  accepts({ kind, explicitBounds }: MetricDescription): boolean {
    const isExponential = this.#source.series === this.#store.exponentialHistograms.series;
    return isExponential
      ? kind === 'exponential_histogram'
      : kind === 'histogram' && isConvertible(explicitBounds);
  }

  attach(slot: number, definition: SeriesDefinition): void {
    this.#points.attach(slot, definition);
    while (this.#scales.length < this.#points.size) {
      this.#retained.push(undefined);
      this.#scales.push(this.#shape.maxScale);
      this.#zeroThresholds.push(0);
    }
  }

  temporality(preferred: Temporality): Temporality {
    return preferred;
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const { cursor } = collecting;
    const scratch = collecting.scratch.exponential;
    if (from === 0) scratch.begin(this.inputs, this.points);
    batch.resetExponential(Math.min(workPerRead, scratch.left));
    if (from < scratch.ordered) return scratch.putInOrder(this.#points, from);
    const { total, delta } = scratch;
    const isDelta = cursor.temporality === 'delta';
    const changed: ShownShape[] = [];
    let at = 0;
    scratch.goOn(this.#points, workPerRead, {
      begin: (point) => {
        total.begin(this.#scales[point], this.#zeroThresholds[point], this.#shape.maxSize);
        const retained = this.#retained[point];
        if (retained !== undefined) total.add(retained, 1);
      },
      add: (slot) => this.#source.addCounted(slot, total),
      end: (point, mayRepeat) => {
        // Another reader may have been shown it coarser since it began.
        total.downscaleTo(this.#scales[point]);
        total.raiseZeroThreshold(this.#zeroThresholds[point]);
        const { scale, zeroThreshold } = total;
        const hasRisen = zeroThreshold > this.#zeroThresholds[point];
        // Series that came before the threshold rose had buckets that they do not need: these may have taken a coarser scale.
        const isRepeated = hasRisen && mayRepeat;
        const shape = { point, scale: isRepeated ? this.#scales[point] : scale, zeroThreshold };
        if (hasRisen || shape.scale < this.#scales[point]) {
          changed.push(shape);
          this.#scales[point] = shape.scale;
          this.#zeroThresholds[point] = zeroThreshold;
        }
        if (isRepeated) return true;
        total.trim();
        const isLimited = total.limit();
        let shown = total;
        if (isDelta) {
          this.#bases.subtract(cursor, point, total, delta);
          // Of buckets that stayed at their highest and were joined since, more was given than there is.
          if (isLimited) delta.limit();
          this.#bases.advance(cursor, point, total);
          shown = delta;
        }
        batch.exponential.put(at, shown);
        batch.sums[at] = shown.sum;
        batch.mins[at] = NaN;
        batch.maxes[at] = NaN;
        batch.flags[at] = 0;
        batch.seriesAttributes[at] = this.#points.attributes[point];
        batch.startTimeUs[at] = isDelta ? collecting.sinceUs : this.#points.startUs[point];
        batch.timeUs[at] = timeOf(collecting, batch.startTimeUs[at]);
        at++;
        return false;
      },
    });
    batch.size = at;
    if (changed.length > 0) collecting.onShown(this.number, changed);
    return scratch.left > 0 ? from + 1 : noMore;
  }

  showAs({ point, scale, zeroThreshold }: ShownShape): boolean {
    if (!(point < this.#points.size && scale >= coarsestScale && scale <= this.#scales[point])) return false;
    if (!(zeroThreshold >= this.#zeroThresholds[point] && zeroThreshold < Infinity)) return false;
    this.#scales[point] = scale;
    this.#zeroThresholds[point] = zeroThreshold;
    return true;
  }

  attachHeld(slot: number, definition: SeriesDefinition): void {
    this.attach(slot, definition);
    this.#retain(slot, this.#points.lastTarget, -1);
  }

  slots(): Iterable<number> {
    return this.#points.slots.items.subarray(0, this.#points.slots.size);
  }

  leave(leaves: (slot: number) => boolean, nowS: number): void {
    this.#points.sweep((slot, point) => {
      if (!leaves(slot)) return false;
      this.#retain(slot, point, 1);
      return true;
    }, nowS);
  }

  picture(): StreamPicture {
    const points = this.#points.size;
    const { number } = this;
    const horizonUs = this.#horizonUs;
    const retained = this.#retained;
    const scales = this.#scales.slice();
    const zeroThresholds = this.#zeroThresholds.slice();
    const own: StreamPicture = {
      *write(writer) {
        writer.varint(number);
        writer.float64(horizonUs);
        yield* writeNumbers(writer, scales, points);
        yield* writeNumbers(writer, zeroThresholds, points);
        for (let point = 0; point < points; point++) yield* writeCounts(writer, retained[point]);
      },
    };
    return inARow([this.#points.picture(), own, this.#bases.picture(points)]);
  }

  *load(loading: StreamLoading): Generator<void, void> {
    yield* this.#points.load(loading);
    const points = this.#points.size;
    const { maxScale, maxSize } = this.#shape;
    const { reader } = loading;
    if (reader.isSpent) yield;
    this.number = reader.varint(Number.MAX_SAFE_INTEGER, 'the number of a stream');
    this.#horizonUs = readTime(reader, 'a horizon');
    const scales = yield* readDoubles(reader, points, 'scales');
    const zeroThresholds = yield* readDoubles(reader, points, 'zero thresholds');
    for (let point = 0; point < points; point++) {
      const [scale, zeroThreshold] = [scales[point], zeroThresholds[point]];
      if (!(Number.isInteger(scale) && scale >= coarsestScale && scale <= maxScale))
        throw reader.error(`a scale is ${scale}; ${coarsestScale} to ${maxScale} are allowed`);
      if (!(zeroThreshold >= 0))
        throw reader.error(`a zero threshold is ${zeroThreshold}; a number from 0 on is allowed`);
      this.#scales.push(scale);
      this.#zeroThresholds.push(zeroThreshold);
      this.#retained.push(yield* readCounts(reader, maxSize));
    }
    yield* this.#bases.load(loading, points, maxSize);
  }

  forgetReader(reader: number): void {
    this.#bases.forget(reader);
  }

  sweep({ endedBeforeS, idleBeforeS, nowS, nowUs }: Sweeping): void {
    const { series } = this.#source;
    const points = this.#points;
    this.leave((slot) => isReleasable(series, slot, endedBeforeS), nowS);
    const hasMoved = points.expire(idleBeforeS, nowUs, (from, to) => {
      this.#retained[to] = this.#retained[from];
      this.#scales[to] = this.#scales[from];
      this.#zeroThresholds[to] = this.#zeroThresholds[from];
      this.#bases.copy(from, to);
    });
    if (!hasMoved) return;
    this.#retained.length = points.size;
    this.#scales.length = points.size;
    this.#zeroThresholds.length = points.size;
    this.#bases.truncate(points.size);
  }

  #retain(slot: number, point: number, factor: 1 | -1): void {
    const retained = this.#retained[point] ?? this.#nothing();
    this.#retained[point] = retained;
    // What the point shows as zero needs no buckets here either, which might take a coarser scale.
    retained.raiseZeroThreshold(this.#zeroThresholds[point]);
    if (factor === 1) this.#source.addCounted(slot, retained);
    else {
      const counted = this.#nothing();
      this.#source.addCounted(slot, counted);
      retained.add(counted, -1);
    }
    retained.trim();
  }

  #nothing(): ExponentialCounts {
    const counts = new ExponentialCounts();
    counts.begin(this.#shape.maxScale, 0, this.#shape.maxSize);
    return counts;
  }
}
