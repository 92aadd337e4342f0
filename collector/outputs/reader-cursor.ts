import type { Temporality } from '../../otel/model/metric.ts';
import type { FoldScratch } from './fold-scratch.ts';
import type { ShownShape } from './shown-shape.ts';

/** Where one reader stands: what it wants, and what it has seen. Delta readers each have a place in the outputs for what they were given last. */
export interface ReaderCursor {
  readonly index: number;
  /** For sums that only grow and histograms; all else is cumulative. */
  readonly temporality: Temporality;
  /** The time of its last collection, as it was given: where its current delta interval begins. Microseconds since the Unix epoch. */
  collectedUs: number;
  /** When that was by the store's clock. */
  collectedAtUs: number;
  /** When the collection was made that its backend last took whole, by the store's clock: series that ended before need not be shown again. */
  deliveredUs: number;
  /** How many collections there were. */
  collections: number;
}

/**
 * The time of a point that counts from `startUs` on, which is by the store's clock. A wall clock that was set back is behind that one, and no point ends
 * before it begins.
 */
export function timeOf({ timeUs }: Collecting, startUs: number): number {
  return Math.max(timeUs, startUs);
}

/** A collection under way. */
export interface Collecting {
  readonly cursor: ReaderCursor;
  /** The reader's collections so far, this one included. */
  readonly collection: number;
  readonly timeUs: number;
  /** The same moment by the store's clock. */
  readonly nowUs: number;
  /** Where delta intervals begin. */
  readonly sinceUs: number;
  /** Series that left before this second of the store's life have been delivered. */
  readonly deliveredS: number;
  /** This collection's alone while it is held. */
  scratch: FoldScratch;
  /** Told as OutputsJournal.shown is. */
  readonly onShown: (stream: number, shapes: readonly ShownShape[]) => void;
}
