import type { AgentMessage } from '../../proto/messages/agent-message.ts';
import type { Refuse, Welcome } from '../../proto/messages/collector-message.ts';
import type { Position } from '../../proto/messages/position.ts';

/** What one stream says once Welcome has come: definitions, reports, and what follows from refusals. */
export interface StreamReporter {
  /** Sends one report with what was collected since the last one on this stream, after what it needs. Nothing when there is none. */
  cut(): void;
  /** @returns until when no report is wanted, by the monotonic clock; `undefined`: reports go on */
  refused(refuse: Refuse): number | undefined;
  /** Series that have a number. */
  readonly series: number;
  /** So many definitions have gone out of use that the stream should be renewed. */
  readonly isOvergrown: boolean;
}

/** What a stream's messages are written with. */
export interface StreamWriter {
  readonly writeControl: (message: AgentMessage) => void;
  readonly writeReport: (bytes: Uint8Array) => void;
}

/** What is told over all streams of one end, and what it keeps from their answers. */
export interface StreamContent {
  /** The last Ack's place in the collector's journal, of whichever run, for the next Hello. */
  readonly position: Position | undefined;
  /** How long the next stream can do without an Ack; for its Hello. */
  readonly ackDelayMs: number;
  /** A stream is welcome. @param welcomeMs when Welcome came, by the monotonic clock */
  begin(welcome: Welcome, welcomeMs: number, writer: StreamWriter): StreamReporter;
  /** All reports up to this one are committed. */
  acknowledged(report: number, position: Position | undefined): void;
}
