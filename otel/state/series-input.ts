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

/** Why a definition is not taken: a newer epoch of the series is held, or the same stream holds the series under another number. */
export type DefineRefusal = 'epoch_old' | 'held';

/**
 * A series within its member: a number that stands for its definition and, where it is not the member's own, its resource. Exact
 * up to 2^26 definitions and 2^26 resources.
 */
export function seriesKey(definition: number, foreignResource: number | undefined): number {
  return foreignResource === undefined ? definition : (foreignResource + 1) * foreignKey + definition;
}

export function isForeign(key: number): boolean {
  return key >= foreignKey;
}

export function definitionOf(key: number): number {
  return key % foreignKey;
}

const foreignKey = 2 ** 26;
