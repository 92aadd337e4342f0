import type { Attributes } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';
import { ExponentialPoints } from './exponential-points.ts';

/**
 * What exporters see: resources, in them scopes, in them metric streams, as in OTLP. A metric stream's points are read into a
 * batch of columns that is used again for the next stream, so nothing is allocated per point.
 */
export interface Collection {
  /** When it was collected: microseconds since the Unix epoch. */
  readonly timeUs: number;
  readonly resources: Iterable<ResourceMetrics>;
  /**
   * For who reads streams after having walked the resources, or with pauses: keeps their points in their places until the function that it gives is
   * called, once. Walking them does so by itself. `onAwaited` is called, more than once perhaps, when others have waited long for that: who can
   * ends soon. Absent where nothing moves.
   */
  readonly hold?: ((onAwaited?: () => void) => () => void) | undefined;
}

export interface ResourceMetrics {
  readonly resource: Resource;
  readonly scopes: readonly ScopeMetrics[];
}

export interface ScopeMetrics {
  readonly scope: InstrumentationScope;
  readonly streams: readonly MetricStream[];
}

export interface MetricStream {
  readonly metric: MetricDescription;
  /** `undefined` for gauges and summaries. */
  readonly temporality: 'delta' | 'cumulative' | undefined;
  /**
   * Writes points of this collection into the batch, in place of what it held: those from place `from` on, 0 at first, and at most a few
   * thousand, so that a caller can let others run in between. Gives the place to go on from, or {@link noMore}. A batch may be empty
   * before the last one.
   */
  read(batch: PointBatch, from: number): number;
}

/** What `read` gives when a stream has been read to its end. */
export const noMore = -1;

/** Places that are read at a time, so that a reader holds nobody up for more than a fraction of a millisecond. */
export const placesPerRead = 1024;

/** Reads a stream to its end. Gives the batch each time that it holds points; they are valid until the next turn. */
export function* batchesOf(stream: MetricStream, batch: PointBatch): Generator<PointBatch, void> {
  for (let at = 0; at !== noMore; ) {
    at = stream.read(batch, at);
    if (batch.size > 0) yield batch;
  }
}

/** The attributes of an output series with what exporters make of them once, at their first export. */
export interface SeriesAttributes {
  readonly attributes: Attributes;
  /** Repeated `KeyValue attributes = 7|9` fields, tag and length included; filled by otel/otlp. */
  otlpNumber: Uint8Array | undefined;
  otlpHistogram: Uint8Array | undefined;
  /** `KeyValue attributes = 1`. Absent at first: most series are no exponential histograms. */
  otlpExponential?: Uint8Array | undefined;
  /** The labels at /metrics; filled by otel/prometheus at the first scrape. */
  prometheusLabels?: string | undefined;
}

/** `flags` bit of OTLP's data points: the series has no value at this time. */
export const noRecordedValue = 1;

/**
 * Points of one metric stream in columns: point `i` is at index `i` of each. Owned by whoever made it; what is read into it is
 * valid until the next read. It grows, and never shrinks.
 */
export class PointBatch {
  size = 0;
  seriesAttributes: SeriesAttributes[] = [];
  /** Microseconds since the Unix epoch; 0 is unknown. */
  startTimeUs = new Float64Array(64);
  timeUs = new Float64Array(64);
  /** Sums and gauges. */
  values = new Float64Array(64);
  flags = new Uint8Array(64);
  /** Histograms: `bucketCount` counts for each point, in a row. */
  bucketCount = 0;
  bucketCounts = new Float64Array(0);
  sums = new Float64Array(0);
  /** NaN: this point has none. Likewise `maxes`. */
  mins = new Float64Array(0);
  maxes = new Float64Array(0);
  /** Exponential histograms; their sum, min and max are in the columns above. */
  readonly exponential = new ExponentialPoints();
  /** Summaries: how much each has counted; the sum is in the column above. */
  counts = new Float64Array(0);
  /** Summaries: `quantileCount` values for each point, in a row. */
  quantileCount = 0;
  quantileValues = new Float64Array(0);

  /** Empties the batch and makes room for so many points of sums or gauges, or of histograms with so many buckets each. */
  reset(capacity: number, bucketCount = 0): void {
    this.size = 0;
    this.bucketCount = bucketCount;
    if (capacity > this.values.length) {
      const room = Math.max(capacity, this.values.length * 2);
      this.startTimeUs = new Float64Array(room);
      this.timeUs = new Float64Array(room);
      this.values = new Float64Array(room);
      this.flags = new Uint8Array(room);
    }
    if (bucketCount === 0) return;
    if (capacity * bucketCount > this.bucketCounts.length) {
      this.bucketCounts = new Float64Array(capacity * bucketCount);
    }
    this.#reserveSums(capacity);
  }

  /** Empties the batch and makes room for so many exponential histograms. */
  resetExponential(capacity: number): void {
    this.reset(capacity);
    this.#reserveSums(capacity);
    this.exponential.reset(capacity);
  }

  /** Empties the batch and makes room for so many summaries with so many quantiles each. */
  resetSummaries(capacity: number, quantileCount: number): void {
    this.reset(capacity);
    this.#reserveSums(capacity);
    this.quantileCount = quantileCount;
    if (capacity > this.counts.length) this.counts = new Float64Array(capacity);
    if (capacity * quantileCount > this.quantileValues.length)
      this.quantileValues = new Float64Array(capacity * quantileCount);
  }

  #reserveSums(capacity: number): void {
    if (capacity <= this.sums.length) return;
    this.sums = new Float64Array(capacity);
    this.mins = new Float64Array(capacity);
    this.maxes = new Float64Array(capacity);
  }
}
