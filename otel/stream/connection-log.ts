import type { Clock } from '../clock.ts';
import type { CallFailure } from './call-failure.ts';
import type { StreamLog } from './stream-log.ts';

/** How long a failure that goes on stays unmentioned. */
const reminderMs = 5 * 60_000;

/**
 * Tells what becomes of the connection, one line for each change: the first failure of an outage, another kind of failure, a
 * reminder every five minutes, and the recovery with how long it took. Never one for each attempt.
 */
export class ConnectionLog {
  readonly #log: StreamLog;
  readonly #clock: Clock;
  readonly #endpoint: string;
  #outage: { sinceMs: number; saidMs: number; code: number; attempts: number } | undefined;

  constructor(log: StreamLog, clock: Clock, endpoint: string) {
    this.#log = log;
    this.#clock = clock;
    this.#endpoint = endpoint;
  }

  connected(fields: object): void {
    const outage = this.#outage;
    this.#outage = undefined;
    if (outage === undefined) {
      this.#log.info({ endpoint: this.#endpoint, ...fields }, 'connected');
      return;
    }
    const outageMs = Math.round(this.#clock.monotonicMs() - outage.sinceMs);
    this.#log.info(
      { endpoint: this.#endpoint, ...fields, outageMs, attempts: outage.attempts },
      'connected again',
    );
  }

  failed(failure: CallFailure, retryInMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const outage = this.#outage;
    if (outage === undefined) {
      this.#outage = { sinceMs: nowMs, saidMs: nowMs, code: failure.code, attempts: 1 };
    } else {
      outage.attempts++;
      if (outage.code === failure.code && nowMs - outage.saidMs < reminderMs) return;
      outage.code = failure.code;
      outage.saidMs = nowMs;
    }
    this.#log.warn(
      {
        endpoint: this.#endpoint,
        code: failure.code,
        retryInMs: Math.round(retryInMs),
        ...(outage === undefined
          ? {}
          : { attempts: outage.attempts, outageMs: Math.round(nowMs - outage.sinceMs) }),
      },
      `${failure.message}; retrying`,
    );
  }
}
