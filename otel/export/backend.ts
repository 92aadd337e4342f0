import type { EncodedRequest } from '../otlp/open-request.ts';
import type { PointsUnderWay } from './points-under-way.ts';
import type { ReaderRecord } from './reader-status.ts';
import type { RetryingSender } from './retrying-sender.ts';

/**
 * What became of a request. `unanswered`: it may succeed later, and its points have no outcome yet; `code` is that of the last failure.
 */
export type RequestOutcome =
  | { readonly kind: 'delivered'; readonly exported: number }
  | { readonly kind: 'failed' }
  | { readonly kind: 'unanswered'; readonly code: string };

/** One reader's backend: sends requests, and books what became of their points. */
export class Backend {
  readonly #sender: RetryingSender;
  readonly #record: ReaderRecord;
  /** Requests with a try that was given up: it may still be read from their memory. */
  readonly #givenUp = new WeakSet<EncodedRequest>();

  constructor(sender: RetryingSender, record: ReaderRecord) {
    this.#sender = sender;
    this.#record = record;
  }

  /** Resolves when sending is allowed, or when one of the signals is aborted. */
  allowed(...signals: readonly AbortSignal[]): Promise<void> {
    return this.#sender.allowed(...signals);
  }

  /**
   * Sends one request until it is answered for good, and settles its points then. Its memory is given back where nobody can be reading it any more.
   * @param signal ends a try that is under way, and everything
   * @param patience ends waiting for another try
   */
  async send(
    request: EncodedRequest,
    underWay: PointsUnderWay,
    signal: AbortSignal,
    patience: AbortSignal,
  ): Promise<RequestOutcome> {
    const { points } = request;
    const { requests } = this.#record.counts;
    const result = await this.#sender.send(request.bytes, signal, patience);
    if (result.kind === 'success') {
      const isOnlyTry = this.#record.counts.requests === requests + 1 && !this.#givenUp.has(request);
      if (isOnlyTry) request.release?.();
      const rejected = Math.min(points, result.partialSuccess?.rejected ?? 0);
      this.#record.points('exported', points - rejected);
      this.#record.points('rejected', rejected, 'partial_success');
      underWay.settle(request, 'exported', rejected);
      return { kind: 'delivered', exported: points - rejected };
    }
    const { code } = result.error;
    if (result.kind === 'retryable') {
      this.#givenUp.add(request);
      return { kind: 'unanswered', code };
    }
    this.#record.points('failed', points, code);
    underWay.settle(request, 'failed');
    return { kind: 'failed' };
  }
}
