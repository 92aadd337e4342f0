import type { QueueFigures, QueueLimits } from './queue-limits.ts';
import type { QueuedCollection } from './queued-collection.ts';

/** Collections that are made at intervals and delivered in order, whenever the backend takes them. */
export interface ExportQueue {
  /** Whether another collection may be made now. */
  readonly hasRoom: boolean;
  /** The oldest, which has a request without an answer. */
  readonly first: QueuedCollection | undefined;
  readonly figures: QueueFigures;
  /** May be changed; room is made when the next collection comes. */
  limits: QueueLimits;
  /** Whether what waits is there again after a restart. */
  readonly isDurable: boolean;
  /** When the oldest will have waited for too long, by the monotonic clock: milliseconds. */
  readonly tooOldMs: number;
  /** Makes what was left half-made before a restart. Never rejects. */
  resume(): Promise<void>;
  /** Makes a collection, in turns, and puts it last. `undefined` when there is nothing to collect from; the failure is booked. Never rejects. */
  collect(timeUs: number): Promise<QueuedCollection | undefined>;
  /** The oldest request is answered for good, and its points are settled. */
  answered(isDelivered: boolean): void;
  /** Drops what has waited for too long. Gives whether anything has. */
  dropTooOld(): boolean;
  /** There is little time left: drops what newer collections make good. */
  hurry(): void;
  /** Nothing is sent any more. Counts what is lost as failed, by cause; gives how many points are kept for the next start. */
  end(cause: string): number;
}
