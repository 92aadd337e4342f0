import type { EncodedRequest } from '../otlp/open-request.ts';
import type { Commit } from './commit.ts';
import type { PointsUnderWay } from './points-under-way.ts';

/** A request that may wait for long. Without `release` its memory is not used again: others read it too. */
export interface QueuedRequest extends Omit<EncodedRequest, 'release'> {
  release?: (() => void) | undefined;
}

/** One collection, encoded whole, and those of its requests that have no answer. */
export class QueuedCollection {
  /** When it was collected, by the wall clock: microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** The same by the monotonic clock of this process: milliseconds. */
  readonly bornMs: number;
  /** In order; the queue takes them away. */
  readonly requests: QueuedRequest[];
  readonly underWay: PointsUnderWay;
  readonly commit: Commit;
  /** Whether it is being sent, and has to stay in its place. */
  isTaken = false;
  /** Whether the backend took all of it that was answered, and nothing of it is missing. */
  isWhole = true;

  constructor(
    timeUs: number,
    bornMs: number,
    requests: QueuedRequest[],
    underWay: PointsUnderWay,
    commit: Commit,
  ) {
    this.timeUs = timeUs;
    this.bornMs = bornMs;
    this.requests = requests;
    this.underWay = underWay;
    this.commit = commit;
  }

  /** That have no answer. */
  get points(): number {
    return this.requests.reduce((sum, { points }) => sum + points, 0);
  }

  /** Of requests without an answer. */
  get bytes(): number {
    return this.requests.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
