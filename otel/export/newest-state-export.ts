import type { EncodedRequest } from '../otlp/open-request.ts';
import type { Collection } from '../state/point-batch.ts';
import { Commit } from './commit.ts';
import { type Encode, EncodingInTurns } from './encoding-in-turns.ts';
import { PointsUnderWay } from './points-under-way.ts';
import {
  bookCollectionFailed,
  bookDropped,
  type ExportWay,
  noPatience,
  type ReaderCore,
} from './reader-core.ts';

export interface NewestStateOptions {
  readonly collect: (timeUs: number) => Collection;
  readonly encode: Encode;
  readonly committed: (() => Promise<void>) | undefined;
  readonly onDelivered: (() => void) | undefined;
}

/**
 * The way of cumulative readers that keep no history: one export is under way at a time, encoded while it is sent, one request ahead. When the next
 * interval comes, or the export's timeout is over, a request that is being tried may finish, and the rest of the collection follows as long as tries
 * succeed. What waits for a retry or for its commit is given up, counted as superseded, and the newest state is collected once the back-off or the server's
 * delay has passed.
 */
export class NewestStateExport implements ExportWay {
  readonly #core: ReaderCore;
  readonly #options: NewestStateOptions;
  readonly #ended: AbortSignal;
  /** Of the requests that are not answered yet. */
  readonly #commits = new WeakMap<EncodedRequest, Commit>();

  constructor(core: ReaderCore, options: NewestStateOptions) {
    this.#core = core;
    this.#options = options;
    this.#ended = AbortSignal.any([core.stopped, core.draining]);
  }

  async run(firstAfterMs: number): Promise<void> {
    const { times, backend, own } = this.#core;
    const ended = this.#ended;
    times.begin(firstAfterMs);
    for (;;) {
      this.#core.enter('waiting');
      await times.wait(ended);
      if (ended.aborted) return;
      this.#core.enter('retrying');
      await backend.allowed(ended);
      own.due();
      await own.send(ended, noPatience);
      await backend.allowed(ended);
      if (ended.aborted) return;
      times.next();
      await this.#exportUntil(times.dueMs);
    }
  }

  async finish(signal: AbortSignal): Promise<boolean> {
    const { backend, own } = this.#core;
    await backend.allowed(signal);
    own.due();
    await own.send(signal, noPatience);
    await backend.allowed(signal);
    return !signal.aborted && (await this.#export(signal, signal));
  }

  hurry(): void {}

  end(): number {
    return 0;
  }

  async #exportUntil(untilMs: number): Promise<void> {
    const { clock, own, settings } = this.#core;
    const patience = new AbortController();
    const cancel = clock.setTimeout(
      () => patience.abort(),
      Math.min(untilMs - clock.monotonicMs(), settings.exportTimeoutMs),
    );
    await this.#export(this.#ended, patience.signal);
    if (own.isWaiting) await own.send(this.#ended, patience.signal);
    cancel();
  }

  /** Collects and sends once. Gives whether all that was collected was answered with success. */
  async #export(signal: AbortSignal, patience: AbortSignal): Promise<boolean> {
    this.#core.enter('exporting');
    const underWay = new PointsUnderWay(this.#core.ledger);
    let encoding: EncodingInTurns | undefined;
    try {
      encoding = this.#begin(underWay);
      let isComplete = true;
      for (let request = await encoding.next(); request !== undefined; request = await encoding.next()) {
        const outcome = await this.#send(request, encoding, underWay, signal, patience);
        if (outcome !== 'delivered') isComplete = false;
        if (outcome === 'given up') break;
      }
      if (isComplete) this.#options.onDelivered?.();
      return isComplete;
    } catch (error) {
      bookCollectionFailed(this.#core, this.#core.clock, error);
      return false;
    } finally {
      encoding?.close();
      underWay.settleRest('failed');
    }
  }

  #begin(underWay: PointsUnderWay): EncodingInTurns {
    const { collect, encode } = this.#options;
    const { maxRequestBytes } = this.#core.settings;
    const collection = collect(this.#core.clock.nowUs());
    const onDropped = bookDropped(this.#core, underWay, maxRequestBytes);
    const steps = underWay.follow(encode(underWay.watch(collection), onDropped, maxRequestBytes));
    return new EncodingInTurns(collection, this.#noteCommits(steps), (points, workMs) =>
      this.#core.record.collection(workMs, points),
    );
  }

  *#noteCommits(steps: Iterable<EncodedRequest | undefined>): Generator<EncodedRequest | undefined> {
    for (const request of steps) {
      if (request !== undefined) this.#commits.set(request, new Commit(this.#options.committed?.()));
      yield request;
    }
  }

  /** Sends one request. When that is given up, so is what comes after it: then `encoding` has been read to its end. */
  async #send(
    request: EncodedRequest,
    encoding: EncodingInTurns,
    underWay: PointsUnderWay,
    signal: AbortSignal,
    patience: AbortSignal,
  ): Promise<'delivered' | 'failed' | 'given up'> {
    const { backend, record, stopped } = this.#core;
    encoding.ahead();
    const isCommitted = await this.#whenCommitted(this.#commits.get(request)!, signal, patience);
    const outcome = isCommitted
      ? await backend.send(request, underWay, signal, patience)
      : { kind: 'unanswered' as const, code: 'not_committed' };
    if (outcome.kind !== 'unanswered') return outcome.kind;
    // Who goes on has a newer state to send instead.
    const [rest, cause] = stopped.aborted
      ? (['failed', outcome.code] as const)
      : (['superseded', isCommitted ? 'newer_state' : outcome.code] as const);
    record.points(rest, request.points, cause);
    record.points(rest, await encoding.discard(), cause);
    underWay.settleRest(rest);
    return 'given up';
  }

  async #whenCommitted(commit: Commit, signal: AbortSignal, patience: AbortSignal): Promise<boolean> {
    if (commit.isDone) return true;
    this.#core.enter('committing');
    const isCommitted = await commit.wait(signal, patience);
    this.#core.enter('exporting');
    return isCommitted;
  }
}
