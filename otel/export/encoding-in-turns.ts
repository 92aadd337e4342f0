import type { DroppedPoints } from '../otlp/encode-requests.ts';
import type { EncodedRequest } from '../otlp/open-request.ts';
import type { Collection } from '../state/point-batch.ts';
import { longestTurnMs, nextTurn } from '../turns.ts';

/**
 * Turns a collection into requests, in steps of a few milliseconds at most: `undefined` is a step that ends no request. What it drops it tells,
 * and gives the rest. The same collection in the same steps gives the same bytes.
 */
export type Encode = (
  collection: Collection,
  onDropped: (dropped: DroppedPoints) => void,
  maxRequestBytes: number,
) => Iterable<EncodedRequest | undefined>;

/**
 * The requests of one collection, encoded as they are wanted and one ahead, in turns that leave the event loop to others in between. So a
 * collection of millions of series takes the memory of two requests while it is sent.
 *
 * The state that is read is held while it lasts. When others wait for it, what is left is encoded at once and kept.
 */
export class EncodingInTurns {
  #points = 0;
  #workMs = 0;
  readonly #onRead: (points: number, workMs: number) => void;
  readonly #steps: Iterator<EncodedRequest | undefined>;
  readonly #release: (() => void) | undefined;
  /** Encoded ahead. */
  readonly #kept: EncodedRequest[] = [];
  #isDone = false;
  #turnBeganMs = performance.now();
  /** Requests are made one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #isAhead = false;

  /** @param onRead told when the last request is there: the points of all, and the time spent, without the turns of others */
  constructor(
    collection: Collection,
    steps: Iterable<EncodedRequest | undefined>,
    onRead: (points: number, workMs: number) => void,
  ) {
    this.#onRead = onRead;
    this.#steps = steps[Symbol.iterator]();
    this.#release = collection.hold?.(() => {
      this.keepAll().catch(() => {});
    });
  }

  /** The next request; `undefined` when there are no more. Rejects when the collection cannot be read or encoded, and again if asked again. */
  async next(): Promise<EncodedRequest | undefined> {
    await this.#last;
    return this.#kept.shift() ?? this.#inOrder(() => this.#encode());
  }

  /** Begins with the next request; its failure is that of `next`. */
  ahead(): void {
    if (this.#isAhead) return;
    this.#isAhead = true;
    this.#inOrder(async () => {
      this.#isAhead = false;
      if (this.#kept.length === 0) await this.#keepOne();
    }).catch(() => {});
  }

  /** Encodes everything that is left, which `next` then gives. */
  keepAll(): Promise<void> {
    return this.#inOrder(async () => {
      while (!this.#isDone) await this.#keepOne();
    });
  }

  /** Encodes everything that is left and forgets it. Gives how many points that were. */
  async discard(): Promise<number> {
    let points = 0;
    for (let request = await this.next(); request !== undefined; request = await this.next())
      points += request.points;
    return points;
  }

  /** Lets go of the state. Safe when repeated. */
  close(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#steps.return?.();
    this.#release?.();
  }

  #inOrder<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result;
    return result;
  }

  async #keepOne(): Promise<void> {
    const request = await this.#encode();
    if (request !== undefined) this.#kept.push(request);
  }

  async #encode(): Promise<EncodedRequest | undefined> {
    while (!this.#isDone) {
      const fromMs = performance.now();
      // The turn may have begun with another request.
      if (fromMs - this.#turnBeganMs >= longestTurnMs) {
        await nextTurn();
        this.#turnBeganMs = performance.now();
        continue;
      }
      const step = this.#steps.next();
      this.#workMs += performance.now() - fromMs;
      if (step.done === true) {
        this.close();
        this.#onRead(this.#points, this.#workMs);
      } else if (step.value !== undefined) {
        this.#points += step.value.points;
        return step.value;
      }
    }
    return undefined;
  }
}
