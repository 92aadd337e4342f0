import type { MetricDescription, Temporality } from '../../otel/model/metric.ts';
import type { SeriesDefinition } from '../../otel/state/definitions.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import { bucketIndex, maxScale } from '../../otel/state/exponential-mapping.ts';
import { noMore, type PointBatch } from '../../otel/state/point-batch.ts';
import { counting, present, withoutValue } from '../../otel/state/series-columns.ts';
import type { ExponentialShape } from './fold-exponential.ts';
import type { FoldPoints } from './fold-points.ts';
import type { OutputStream, Sweeping } from './output-stream.ts';
import type { Presence, PresentState } from './presence.ts';
import type { Collecting } from './reader-cursor.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/** Values that are counted, or points that are written, at a time: a fraction of a millisecond. */
const workPerRead = 1024;

/** What the SDKs do, and OpenTelemetry allows: lower boundaries of buckets below it are not numbers that every backend can compute with. */
const smallestNormal = 2 ** -1022;

/**
 * How the values of gauges and sums that may fall are distributed over the series that are present: an exponential histogram of one
 * measurement for each, made anew at each collection. For every reader it is a delta, of the interval that ends with the collection: what an
 * SDK gives of an observable gauge with this aggregation. So intervals may be added up, nothing is kept from one to the next, and a
 * series that left leaves nothing behind. Values that are not finite have no bucket, and are left out, as in the SDKs. A point without a
 * finite value is left out.
 */
export class FoldDistribution implements OutputStream {
  readonly metric: MetricDescription;
  savedIn = 0;
  readonly #from: PresentState;
  readonly #points: FoldPoints;
  readonly #shape: ExponentialShape;
  readonly #presence: Presence;

  constructor(
    metric: MetricDescription,
    from: PresentState,
    points: FoldPoints,
    shape: ExponentialShape,
    presence: Presence,
  ) {
    this.metric = metric;
    this.#from = from;
    this.#points = points;
    this.#shape = shape;
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

  temporality(): Temporality {
    return 'delta';
  }

  read(batch: PointBatch, collecting: Collecting, from: number): number {
    const scratch = collecting.scratch.exponential;
    if (from === 0) scratch.begin(this.inputs, this.points);
    batch.resetExponential(Math.min(workPerRead, scratch.left));
    if (from < scratch.ordered) return scratch.putInOrder(this.#points, from);
    const { total } = scratch;
    let at = 0;
    scratch.goOn(this.#points, workPerRead, {
      begin: () => {
        total.begin(this.#shape.maxScale, 0, this.#shape.maxSize);
        scratch.min = NaN;
        scratch.max = NaN;
      },
      add: (slot) => this.#measure(slot, collecting),
      end: (point) => {
        if (Number.isNaN(scratch.min)) return false;
        batch.exponential.put(at, total);
        batch.sums[at] = total.sum;
        batch.mins[at] = scratch.min;
        batch.maxes[at] = scratch.max;
        batch.flags[at] = 0;
        batch.seriesAttributes[at] = this.#points.attributes[point];
        batch.timeUs[at] = collecting.timeUs;
        batch.startTimeUs[at] = collecting.sinceUs;
        at++;
        return false;
      },
    });
    batch.size = at;
    return scratch.left > 0 ? from + 1 : noMore;
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

  #measure(slot: number, collecting: Collecting): void {
    const { series } = this.#from;
    const status = series.status.get(slot);
    if ((status & counting) === 0 || (status & present) === 0 || (status & withoutValue) !== 0) return;
    if (this.#presence.isSilent(series, slot, collecting)) return;
    const value = this.#presence.valueOf(this.#from, slot, collecting);
    if (!Number.isFinite(value)) return;
    const scratch = collecting.scratch.exponential;
    const { total } = scratch;
    total.sum += value;
    if (!(value >= scratch.min)) scratch.min = value;
    if (!(value <= scratch.max)) scratch.max = value;
    if (value === 0) total.zeroCount++;
    else total.place(bucketIndex(Math.max(Math.abs(value), smallestNormal), maxScale), value < 0, 1);
  }
}
