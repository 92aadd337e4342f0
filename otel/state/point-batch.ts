import type { Attributes } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';

/**
 * What exporters see: resources, in them scopes, in them metric streams, as in OTLP. A metric stream's points are read into a
 * batch of columns that is used again for the next stream, so nothing is allocated per point.
 */
export interface Collection {
  /** When it was collected: microseconds since the Unix epoch. */
  readonly timeUs: number;
  readonly resources: Iterable<ResourceMetrics>;
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
  /** Writes the points of this collection into the batch, in place of what it held. */
  read(batch: PointBatch): void;
}

/** The attributes of an output series with their OTLP bytes, which are made once, at the first export. */
export interface SeriesAttributes {
  readonly attributes: Attributes;
  /** Repeated `KeyValue attributes = 7|9` fields, tag and length included; filled by otel/otlp. */
  otlpNumber: Uint8Array | undefined;
  otlpHistogram: Uint8Array | undefined;
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
  mins = new Float64Array(0);
  maxes = new Float64Array(0);

  /** Empties the batch and makes room for so many points, with so many buckets each. */
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
    if (capacity > this.sums.length) {
      this.sums = new Float64Array(capacity);
      this.mins = new Float64Array(capacity);
      this.maxes = new Float64Array(capacity);
    }
  }
}
