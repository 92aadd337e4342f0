/** What becomes of waiting collections when there is no room for another. `coalesce`: history is thinned evenly; delta intervals grow longer. */
export type WhenFull = 'coalesce' | 'drop_oldest';

/** How much one reader's queue may hold. */
export interface QueueLimits {
  /** Of encoded requests. A collection is never split: the newest is kept however large it is, so there may be as much as one of them more. */
  readonly maxBytes: number;
  /** What waits longer is dropped. */
  readonly maxAgeMs: number;
  readonly whenFull: WhenFull;
}

/** What waits for one reader's backend. */
export interface QueueFigures {
  /** Delta intervals, or cumulative collections. */
  readonly collections: number;
  readonly requests: number;
  readonly points: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Since the oldest was collected; 0 when nothing waits. */
  readonly oldestAgeMs: number;
}

export const defaultMaxAgeMs = 86_400_000;

export const defaultQueue = {
  delta: { maxBytes: 64 * 1024 * 1024, maxAgeMs: defaultMaxAgeMs, whenFull: 'coalesce' },
  cumulative: { maxBytes: 0, maxAgeMs: defaultMaxAgeMs, whenFull: 'coalesce' },
} as const satisfies Record<string, QueueLimits>;

/** Of a reader that keeps nothing. */
export const noFigures: QueueFigures = {
  collections: 0,
  requests: 0,
  points: 0,
  bytes: 0,
  maxBytes: 0,
  oldestAgeMs: 0,
};
