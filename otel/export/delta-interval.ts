import type { DroppedPoints } from '../otlp/encode-requests.ts';
import type { Collection } from '../state/point-batch.ts';
import type { Encode } from './encoding-in-turns.ts';
import type { PointsUnderWay } from './points-under-way.ts';
import type { QueuedCollection, QueuedRequest } from './queued-collection.ts';

/**
 * One interval of a delta reader in the making. Each step reads some points, which moves what the next interval begins at, and so changes state: the same steps at
 * the same places between other changes give the same bytes.
 */
export class DeltaInterval {
  /** When it was collected, by the wall clock: microseconds since the Unix epoch. */
  readonly timeUs: number;
  readonly underWay: PointsUnderWay;
  /** Those that are made. */
  readonly requests: QueuedRequest[] = [];
  /** In these. */
  points = 0;
  stepsMade = 0;
  /** Why it ends before its end. What was made is good. */
  failure: unknown;
  isDone = false;
  /** What it came to. */
  made: QueuedCollection | undefined;
  readonly #steps: Iterator<QueuedRequest | undefined>;
  readonly #release: (() => void) | undefined;

  /** @param onDropped told of points that no request can hold */
  constructor(
    timeUs: number,
    collection: Collection,
    underWay: PointsUnderWay,
    encode: Encode,
    onDropped: (dropped: DroppedPoints) => void,
    maxRequestBytes: number,
  ) {
    this.timeUs = timeUs;
    this.underWay = underWay;
    this.#steps = underWay.follow(encode(underWay.watch(collection), onDropped, maxRequestBytes));
    this.#release = collection.hold?.();
  }

  /** Works for a millisecond or two at most. Gives whether there is more to do. */
  step(): boolean {
    this.stepsMade++;
    try {
      const { done, value } = this.#steps.next();
      if (done === true) this.isDone = true;
      else if (value !== undefined) {
        this.requests.push(value);
        this.points += value.points;
      }
    } catch (error) {
      this.failure = error;
      this.isDone = true;
    }
    return !this.isDone;
  }

  /** Lets go of the state. To be called once. */
  close(): void {
    this.isDone = true;
    this.#steps.return?.();
    this.#release?.();
  }
}
