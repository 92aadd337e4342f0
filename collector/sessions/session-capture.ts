import type { Member } from '../../otel/state/members.ts';
import type { Hello } from '../../proto/messages/agent-message.ts';
import type { StreamCapture } from '../../proto/report/stream-capture.ts';
import type { StreamColumns } from '../../proto/report/stream-columns.ts';
import type { Grant } from '../security/grant.ts';
import type { GroupProgress, ProgressCapture } from './group-progress.ts';
import type { IntakeCapture, SeriesIntake } from './series-intake.ts';
import type { StreamOf } from './stream-series.ts';

/** What a session was at one moment, but for its connection. Valid as long as the copies that it was made with. */
export interface SessionCapture {
  readonly number: number;
  readonly openedUs: number;
  /** When it next looks for series that are not of its stream. */
  readonly expireUs: number;
  readonly peer: string;
  /** What the peer may do and write, where that has bounds. */
  readonly grant: Grant | undefined;
  /** `undefined` while it waits for Hello. */
  readonly open: OpenCapture | undefined;
}

export interface OpenCapture {
  readonly hello: Hello;
  readonly lastReport: number;
  readonly reports: number;
  readonly points: number;
  readonly series: StreamSeriesCapture;
}

/** A session that was loaded. */
export interface RestoredSession extends Omit<SessionCapture, 'peer' | 'grant' | 'open'> {
  readonly open: RestoredOpen | undefined;
}

/** The store has its member, and the owners know it. */
export interface RestoredOpen extends Omit<OpenCapture, 'series'> {
  readonly member: Member;
  readonly series: RestoredStream;
}

/** What the series of a stream were at one moment. Valid as long as the copies that it was made with. */
export interface StreamSeriesCapture {
  readonly stream: StreamOf;
  readonly maxCells: number;
  readonly intake: IntakeCapture;
  readonly columns: StreamCapture;
  /** Of the columns' groups, in their order. */
  readonly progress: readonly ProgressCapture[];
  readonly told: readonly number[];
}

/** A stream's series that were loaded. */
export interface RestoredStream {
  readonly stream: StreamOf;
  readonly intake: SeriesIntake;
  readonly columns: StreamColumns;
  readonly progress: readonly GroupProgress[];
  readonly told: readonly number[];
}
