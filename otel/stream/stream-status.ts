import type { RefuseKind } from '../../proto/messages/collector-message.ts';
import type { StreamSession } from './session.ts';

/** What the streams of one end have done since its start, for status pages and benchmarks. */
export interface StreamStatus {
  readonly endpoint: string;
  /** Welcome has come and the stream is open. */
  readonly connected: boolean;
  /** The collector's name for the session; empty when not connected. */
  readonly session: string;
  /** Where acknowledged reports are: `memory` or `disk`; empty when not connected. */
  readonly durability: string;
  /** Reports sent. */
  readonly reports: number;
  /** Values in those reports, unchanged ones included. */
  readonly points: number;
  /** Values that differed from the report before on the same stream. */
  readonly changedValues: number;
  /** Bytes of the reports, as gRPC messages before framing. */
  readonly reportBytes: number;
  /** Bytes of all other messages, before compression. */
  readonly controlBytes: number;
  /** The number of the last report; 0: none. */
  readonly lastReport: number;
  /** The highest report that the collector has acknowledged; 0: none. */
  readonly acknowledged: number;
  /** When the last Ack came: microseconds since the Unix epoch; 0: none. */
  readonly lastAckUs: number;
  /** Collections that were not reported by themselves because the stream took nothing; the state went out with a later one. */
  readonly skipped: number;
  /** How often a stream ended and another one was due. */
  readonly reconnects: number;
  /** Series on the present stream. */
  readonly series: number;
  /** Refusals by kind: one for each series, or for a whole report. */
  readonly refused: Readonly<Record<RefuseKind, number>>;
  /** Series that the agent itself did not send, each time it found out. */
  readonly leftOut: number;
  /** Why the last stream ended; empty: none did, or as it should. */
  readonly lastError: string;
}

/** The figures of {@link StreamStatus}, counted over all streams. */
export class StreamCounters {
  reports = 0;
  points = 0;
  changedValues = 0;
  reportBytes = 0;
  controlBytes = 0;
  lastReport = 0;
  acknowledged = 0;
  lastAckUs = 0;
  skipped = 0;
  reconnects = 0;
  leftOut = 0;
  lastError = '';
  readonly refused: Record<RefuseKind, number> = {
    unspecified: 0,
    invalid: 0,
    limit: 0,
    epoch_fell: 0,
    epoch_old: 0,
    not_finite: 0,
  };

  status(endpoint: string, session: StreamSession | undefined): StreamStatus {
    const { refused, ...figures } = this;
    return {
      endpoint,
      connected: session?.connected ?? false,
      session: session?.name ?? '',
      durability: session?.durability ?? '',
      series: session?.series ?? 0,
      refused: { ...refused },
      ...figures,
    };
  }
}
