import type { StreamgaugeError } from '../../../proto/error.ts';
import type { CollectorState } from '../../collector-state.ts';
import type { OtlpConfig } from '../../config/otlp-config.ts';
import type { Route } from '../../http/route.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { otlpRoutes } from './http-export.ts';
import type { OtlpCounters } from './otlp-counters.ts';
import { OtlpDoor, type OtlpHost } from './otlp-door.ts';
import type { OtlpIntake } from './otlp-intake.ts';
import type { OtlpJournal } from './otlp-journal.ts';

export interface OtlpReceiverOptions {
  readonly state: CollectorState;
  readonly sessions: Sessions;
  readonly journal: OtlpJournal;
  readonly counters: OtlpCounters;
  readonly isDraining: () => boolean;
  /** Why nothing is kept at present; `undefined` when all is well. */
  readonly failure: () => StreamgaugeError | undefined;
  readonly log: (level: 'warn' | 'error', fields: object, message: string) => void;
}

/** A collector that stops is replaced, and a disk is looked at, within about so long. */
const drainRetryMs = 1000;
const failureRetryMs = 5000;

/** OTLP in: the doors of both ports, and the state and the journal behind them. */
export class OtlpReceiver {
  readonly #state: CollectorState;
  readonly #sessions: Sessions;
  readonly #journal: OtlpJournal;
  readonly #door: OtlpDoor;
  /** Made for the rules in force. */
  #intake: OtlpIntake;

  constructor({ state, sessions, journal, counters, isDraining, failure, log }: OtlpReceiverOptions) {
    this.#state = state;
    this.#sessions = sessions;
    this.#journal = journal;
    this.#intake = state.otlp(sessions);
    const host: OtlpHost = {
      take: (bytes, format, grant) => {
        const nowUs = state.clock.nowUs();
        return this.#intake.take(bytes, format, nowUs, grant, () =>
          journal.otlpReceived(nowUs, format, grant, bytes),
        );
      },
      whenDurable: (run) => journal.whenCommitted(run),
      refusal() {
        if (isDraining())
          return { reason: 'the collector is stopping; send again later', retryDelayMs: drainRetryMs };
        const error = failure();
        return error && { reason: `nothing can be kept: ${error.message}`, retryDelayMs: failureRetryMs };
      },
    };
    this.#door = new OtlpDoor({ host, counters, log });
  }

  /** What the gRPC port and the HTTP port are given of it. */
  of(config: OtlpConfig): {
    readonly grpc: { readonly door: OtlpDoor; readonly maxRequestBytes: number };
    readonly routes: readonly Route[];
  } {
    const { maxRequestBytes } = config;
    return { grpc: { door: this.#door, maxRequestBytes }, routes: otlpRoutes(this.#door, config) };
  }

  /** The state goes by other rules from now on. */
  rulesChanged(): void {
    this.#intake = this.#state.otlp(this.#sessions);
  }

  /** Series that are silent for too long become stale, and are freed after longer. Called every second or so, before what has ended is swept. */
  tick(): void {
    const nowUs = this.#state.clock.nowUs();
    if (this.#state.expirePoints(nowUs)) this.#journal.pointsExpired(nowUs);
  }
}
