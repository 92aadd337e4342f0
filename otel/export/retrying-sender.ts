import { type Clock, pause, systemClock } from '../clock.ts';
import { type RequestSender, SendError, type SendResult } from './request-sender.ts';

export interface RetryPolicy {
  /** The first delay before jitter. Default 1,000. */
  readonly initialMs?: number | undefined;
  /** No delay of our own is longer. Default 30,000. */
  readonly maxMs?: number | undefined;
  /** A server's wish is obeyed up to here. Default 300,000. */
  readonly maxServerDelayMs?: number | undefined;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export interface RetryObserver {
  /** After each try, but for those that were cancelled by the caller. */
  attempt(result: SendResult, bytes: number, durationMs: number): void;
  /** Before each wait; not called for the last failure. */
  retry(delayMs: number, error: SendError): void;
}

/** A server's delay of 0 must not become a busy loop. */
const shortestServerDelayMs = 100;

/**
 * Tries again what may succeed later: exponential back-off with jitter, capped, or the server's own delay. The back-off outlives a
 * request, so that a backend that is down is not asked more often because requests are given up and replaced.
 *
 * A try that takes longer than `attemptTimeoutMs` is cancelled and counts as retryable, whatever the sender below does.
 */
export class RetryingSender {
  #sender: RequestSender;
  #attemptTimeoutMs: number;
  /** Senders with tries that are under way, and how many. */
  readonly #busy = new Map<RequestSender, number>();
  readonly #clock: Clock;
  readonly #observer: RetryObserver;
  readonly #policy: { initialMs: number; maxMs: number; maxServerDelayMs: number; random: () => number };
  #failures = 0;
  /** Monotonic times before which nothing is sent. */
  #ownDelayUntilMs = Number.NEGATIVE_INFINITY;
  #serverDelayUntilMs = Number.NEGATIVE_INFINITY;
  /** Ends waits, to look again how long they are. */
  #changed = new AbortController();

  constructor(
    sender: RequestSender,
    attemptTimeoutMs: number,
    observer: RetryObserver,
    policy: RetryPolicy = {},
    clock: Clock = systemClock,
  ) {
    this.#sender = sender;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#observer = observer;
    this.#clock = clock;
    this.#policy = {
      initialMs: policy.initialMs ?? 1000,
      maxMs: policy.maxMs ?? 30_000,
      maxServerDelayMs: policy.maxServerDelayMs ?? 300_000,
      random: policy.random ?? Math.random,
    };
  }

  /** How long nothing may be sent, in milliseconds. */
  get delayMs(): number {
    const untilMs = Math.max(this.#ownDelayUntilMs, this.#serverDelayUntilMs);
    return Math.max(0, untilMs - this.#clock.monotonicMs());
  }

  /** Resolves when sending is allowed, or when one of the signals is aborted. */
  async allowed(...signals: readonly AbortSignal[]): Promise<void> {
    while (this.delayMs > 0 && !signals.some((signal) => signal.aborted)) {
      await pause(this.#clock, this.delayMs, this.#changed.signal, ...signals);
    }
  }

  /**
   * Tries from now on are made with another sender, and need not wait for what the one before asked for; that one is closed, once a try that is under way has its
   * answer or its timeout.
   */
  change(sender: RequestSender, attemptTimeoutMs: number): void {
    const before = this.#sender;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    if (sender === before) return;
    this.#sender = sender;
    if (!this.#busy.has(before)) before.close();
    this.#serverDelayUntilMs = Number.NEGATIVE_INFINITY;
    this.#ownDelayUntilMs = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
    this.#lookAgain();
  }

  /** Forgets our own back-off, for a last try; the server's wish stands. */
  hurry(): void {
    this.#failures = 0;
    if (this.#ownDelayUntilMs === Number.NEGATIVE_INFINITY) return;
    this.#ownDelayUntilMs = Number.NEGATIVE_INFINITY;
    this.#lookAgain();
  }

  /**
   * Sends until success or a permanent failure. Never rejects.
   * @param signal ends a try that is under way, and everything
   * @param patience ends waiting: the first retryable failure after it is the result, and a wait ends with the failure before it
   */
  async send(bytes: Uint8Array, signal: AbortSignal, patience: AbortSignal): Promise<SendResult> {
    for (;;) {
      const sender = this.#sender;
      const result = await this.#attempt(bytes, signal);
      if (result.kind === 'success') {
        this.hurry();
        return result;
      }
      if (result.kind === 'permanent' || signal.aborted) return result;
      // What one sender's backend said is not the other's.
      if (sender === this.#sender) this.#postpone(result.delayMs);
      if (patience.aborted) return result;
      this.#observer.retry(this.delayMs, result.error);
      await this.allowed(signal, patience);
      if (signal.aborted || patience.aborted) return result;
    }
  }

  close(): void {
    this.#sender.close();
  }

  #lookAgain(): void {
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  async #attempt(bytes: Uint8Array, signal: AbortSignal): Promise<SendResult> {
    const fromMs = this.#clock.monotonicMs();
    const sender = this.#sender;
    const timeoutMs = this.#attemptTimeoutMs;
    this.#busy.set(sender, (this.#busy.get(sender) ?? 0) + 1);
    const limit = new AbortController();
    const both = AbortSignal.any([signal, limit.signal]);
    const ended = new AbortController();
    const timedOut = pause(this.#clock, timeoutMs, signal, ended.signal).then((): SendResult => {
      const why = signal.aborted ? 'was cancelled' : `took longer than ${timeoutMs} ms`;
      // A request that has ended must not be cancelled: its connection is in use again.
      if (!ended.signal.aborted) limit.abort();
      const code = signal.aborted ? 'CANCELLED' : 'DEADLINE_EXCEEDED';
      return { kind: 'retryable', error: new SendError(`the request ${why}`, code) };
    });
    const sent = sender.send(bytes, both).catch((cause: unknown): SendResult => {
      const error = new SendError(`the sender failed: ${(cause as Error)?.message}`, 'BUG', { cause });
      return { kind: 'permanent', error };
    });
    const result = await Promise.race([sent, timedOut]);
    ended.abort();
    this.#rest(sender);
    if (result.kind === 'success' || !signal.aborted)
      this.#observer.attempt(result, bytes.length, this.#clock.monotonicMs() - fromMs);
    return result;
  }

  /** A try has ended. */
  #rest(sender: RequestSender): void {
    const others = this.#busy.get(sender)! - 1;
    if (others > 0) this.#busy.set(sender, others);
    else this.#busy.delete(sender);
    if (others === 0 && sender !== this.#sender) sender.close();
  }

  #postpone(serverDelayMs: number | undefined): void {
    const { initialMs, maxMs, maxServerDelayMs, random } = this.#policy;
    const now = this.#clock.monotonicMs();
    if (serverDelayMs !== undefined) {
      const bounded = Math.min(Math.max(serverDelayMs, shortestServerDelayMs), maxServerDelayMs);
      // Jitter only adds: the server said "not before".
      this.#serverDelayUntilMs = now + bounded * (1 + random() / 10);
      return;
    }
    const ceiling = Math.min(initialMs * 2 ** Math.min(this.#failures, 30), maxMs);
    this.#failures++;
    this.#ownDelayUntilMs = now + ceiling * (0.5 + random() / 2);
  }
}
