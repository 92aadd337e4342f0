import type { Attributes } from '../model/attributes.ts';
import type { MetricDescription } from '../model/metric.ts';
import type { Resource } from '../model/resource.ts';
import type { InstrumentationScope } from '../model/scope.ts';

/** What a member says of one of its series before it reports it. */
export interface SeriesInput {
  readonly scope: InstrumentationScope;
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  /** `undefined`: the member's own. */
  readonly resource: Resource | undefined;
  /** Empty: none, as for gauges. */
  readonly epoch: string;
  /** When the epoch began, microseconds by the store's clock. `undefined`: not known. */
  readonly beganAtUs: number | undefined;
  /** By the source's own clock, microseconds since the Unix epoch; 0 unknown. */
  readonly startTimeUs: number;
  /** Index into the times of sampling groups. */
  readonly clock: number;
  /** The stream that defines it, from 1. A series has one place in a stream at a time. */
  readonly holder: number;
}

/** Why a definition is not taken: a newer epoch of the series is held, the same stream holds the series under another number, or the member holds as many as it may. */
export type DefineRefusal = 'epoch_old' | 'held' | 'full';
