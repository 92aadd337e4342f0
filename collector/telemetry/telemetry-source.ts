import type { CollectorCounters, CollectorLevels } from './collector-counters.ts';
import type { EventLoopDelay } from './event-loop-delay.ts';

/** What the collector's observed metrics are read from. */
export interface TelemetrySource {
  readonly counters: CollectorCounters;
  readonly levels: () => CollectorLevels;
  /** Of the last seconds; `undefined` until they have passed. */
  readonly eventLoopDelay: () => EventLoopDelay | undefined;
  /** Seconds that the longest merge of the last seconds took. */
  readonly longestMerge: () => number;
}
