import type { Attributes } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';

/** The life of a counter: an opaque token, and when it began. */
export interface Epoch {
  /** Equal tokens of one series are the same life; at most 64 bytes of UTF-8. */
  readonly token: string;
  /** By this process's monotonic clock (`performance.now()`), so mostly negative. `undefined`: not known. */
  readonly beganMs: number | undefined;
}

/** One series of whoever leads a stream: what Define says of it. */
export interface StreamSeries {
  /** `undefined`: the resource of Hello. */
  readonly resource?: Resource | undefined;
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  /** All kinds but gauges: the life that the value counts. */
  readonly epoch?: Epoch | undefined;
  /** When counting began by the source's own clock, microseconds since the Unix epoch; 0 or absent: unknown. */
  readonly startTimeUs?: number | undefined;
}
