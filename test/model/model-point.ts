import {
  hasBuckets,
  isNothing,
  type ModelHistogram,
  modelDownscaled,
  modelHistogram,
  modelRaised,
  modelSum,
} from '../otel/state/exponential-model.ts';
import { stalenessMs } from './catalogue-views.ts';
import { convertedFrom, distributionOf, shapedTo } from './model-exponential.ts';
import type { ModelStream } from './model-outputs.ts';
import type { Counting, ModelReader, ModelSeries } from './model-series.ts';
import { type Amount, isExponential, minus, plus } from './model-values.ts';

/** One point of a joining output: the series that go into it, and what they have counted since it began. */
export class ModelPoint implements Counting {
  readonly startUs: number;
  /** Whose series it was made for; `undefined`: the overflow series. */
  readonly maker: string | undefined;
  /** In the order in which they came. */
  readonly series = new Set<ModelSeries>();
  /** When its last series was let go of. */
  idleSinceUs = 0;
  readonly #stream: ModelStream;
  /** Lists are added up increment by increment. */
  #total: readonly number[] = [];
  /** Exponential histograms are added up anew each time: here is what freed series counted. */
  #retained: ModelHistogram = modelHistogram();
  /** As it was shown last: under one start time the scale does not rise and the threshold does not fall. */
  #scale: number;
  #zeroThreshold = 0;
  readonly #bases = new Map<ModelReader, Amount>();

  constructor(stream: ModelStream, maker: string | undefined) {
    this.#stream = stream;
    this.maker = maker;
    this.startUs = stream.startUs;
    this.#scale = stream.output.exponential.maxScale;
    const { kind, explicitBounds } = stream.metric;
    this.#total = Array<number>(kind === 'histogram' ? explicitBounds.length + 2 : 1).fill(0);
  }

  attach(series: ModelSeries): void {
    this.series.add(series);
    series.points.push(this);
  }

  free(series: ModelSeries, nowUs: number): void {
    if (this.#isExponential) this.#retained = modelSum(this.#retained, this.#exponentialOf(series));
    this.series.delete(series);
    if (this.series.size === 0) this.idleSinceUs = nowUs;
  }

  count({ of }: ModelSeries, increment: Amount): void {
    if (isExponential(increment) || this.#stream.output.way !== 'add') return;
    const { kind, explicitBounds } = this.#stream.metric;
    const folded =
      kind === 'histogram' ? fold(increment, of.metric.explicitBounds, explicitBounds) : increment;
    this.#total = plus(this.#total, folded) as readonly number[];
  }

  /** What the reader is given: the total, or for a delta reader what came on top since it was given the point last. */
  take(reader: ModelReader): Amount {
    const total = this.#isExponential ? this.#exponentialTotal() : this.#total;
    if (reader.temporality === 'cumulative') return total;
    const base = this.#bases.get(reader);
    if (reader.stays) this.#bases.set(reader, total);
    return base === undefined ? total : minus(total, base);
  }

  /** Gauges and sums that may fall, over the series that are present. `undefined`: there is none. */
  reduce(reader: ModelReader, nowUs: number): { value: number; timeUs: number } | undefined {
    const present = [...this.series].filter((series) => this.#isPresent(series, nowUs));
    if (present.length === 0) return undefined;
    const { way } = this.#stream.output;
    if (way === 'last') {
      const newest = present.reduce((a, b) => (b.clock.timeUs > a.clock.timeUs ? b : a));
      return { value: this.#valueOf(newest, reader), timeUs: newest.clock.timeUs };
    }
    const values = present.map((series) => this.#valueOf(series, reader));
    const numbers = values.filter((value) => !Number.isNaN(value));
    const total = values.reduce((sum, value) => sum + value, 0);
    const extreme = (of: typeof Math.min) => (numbers.length === 0 ? NaN : of(...numbers));
    const value =
      way === 'min'
        ? extreme(Math.min)
        : way === 'max'
          ? extreme(Math.max)
          : way === 'count'
            ? values.length
            : way === 'mean'
              ? total / values.length
              : total;
    return { value, timeUs: 0 };
  }

  distribution(reader: ModelReader, nowUs: number): ReturnType<typeof distributionOf> {
    const present = [...this.series].filter((series) => this.#isPresent(series, nowUs));
    return distributionOf(
      present.map((series) => this.#valueOf(series, reader)),
      this.#stream.output.exponential,
    );
  }

  #isPresent(series: ModelSeries, nowUs: number): boolean {
    if (!series.isPresent || series.held === undefined || series.isFlagged) return false;
    return !isSilent(series, this.#stream.output.stream.stalenessMs, nowUs);
  }

  #valueOf(series: ModelSeries, reader: ModelReader): number {
    return presentValue(series, this.#stream.output.stream.overTime, reader);
  }

  get #isExponential(): boolean {
    return this.#stream.metric.kind === 'exponential_histogram' && this.#stream.output.way !== 'distribution';
  }

  #exponentialOf({ of, counted }: ModelSeries): ModelHistogram {
    if (isExponential(counted)) return counted;
    return convertedFrom(counted, of.metric.explicitBounds, this.#stream.output.exponential);
  }

  #exponentialTotal(): ModelHistogram {
    let total = this.#retained;
    for (const series of this.series) total = modelSum(total, this.#exponentialOf(series));
    if (hasBuckets(total) && total.scale > this.#scale) total = modelDownscaled(total, this.#scale);
    if (!isNothing(total)) total = modelRaised(total, this.#zeroThreshold);
    total = shapedTo(total, this.#stream.output.exponential);
    if (hasBuckets(total)) this.#scale = total.scale;
    if (!isNothing(total)) this.#zeroThreshold = total.zeroThreshold;
    return total;
  }
}

/** Whether its member has been silent for longer than a view waits. */
export function isSilent({ member }: ModelSeries, ownMs: number | undefined, nowUs: number): boolean {
  return nowUs - member.reportedUs > (ownMs ?? stalenessMs) * 1000;
}

/** What a series that is present is worth to a reader. */
export function presentValue(
  series: ModelSeries,
  overTime: ModelStream['output']['stream']['overTime'],
  reader: ModelReader,
): number {
  const value = (series.held as readonly number[])[0];
  const isReduced = series.of.metric.kind === 'gauge' && reader.stays && overTime !== undefined;
  return isReduced ? series.windowOf(reader).reduce(overTime, value) : value;
}

/** Bucket by bucket into bounds that are among its own; the sum stays. */
function fold(
  counts: readonly number[],
  own: readonly number[],
  bounds: readonly number[],
): readonly number[] {
  const folded = Array<number>(bounds.length + 2).fill(0);
  counts.slice(0, -1).forEach((count, bucket) => {
    const upper = own[bucket] ?? Infinity;
    const into = bounds.findIndex((bound) => upper <= bound);
    folded[into < 0 ? bounds.length : into] += count;
  });
  folded[bounds.length + 1] = counts.at(-1)!;
  return folded;
}
