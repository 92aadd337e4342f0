import { type LeftOutCause, leftOutCauses } from '../../otel/prometheus/exposition-report.ts';
import { SessionCounters } from '../sessions/session-counters.ts';

/** What one reader's exports came to. */
export class ExportCounters {
  readonly reader: string;
  /** Requests that were settled: taken, or given up. */
  requests = 0;
  /** Further tries of a request. */
  retries = 0;
  deliveredPoints = 0;
  /** Points that the backend refused while it took the rest of their request. */
  rejectedPoints = 0;
  /** Points of requests that were given up. */
  failedPoints = 0;
  /** Bytes of requests that were taken, before compression. */
  sentBytes = 0;
  /** Requests that were given up, by the code of the last failure. */
  readonly failures = new Map<string, number>();

  constructor(reader: string) {
    this.reader = reader;
  }
}

/** What scrapes of `/metrics` came to. */
export class ScrapeCounters {
  scrapes = 0;
  samples = 0;
  /** Points that were not shown, by cause, once for each scrape. */
  readonly leftOut = Object.fromEntries(leftOutCauses.map((cause) => [cause, 0])) as Record<
    LeftOutCause,
    number
  >;
}

/**
 * All that the collector counts of itself, in plain numbers. Whoever does the work adds to them, which costs the hot path an
 * addition; the instruments read them when they are collected.
 */
export class CollectorCounters {
  readonly sessions = new SessionCounters();
  readonly scrapes = new ScrapeCounters();
  /** By the reader's name. */
  readonly exports = new Map<string, ExportCounters>();
}

/** What is the case now; read at each collection from those who know. */
export interface CollectorLevels {
  /** Streams that were welcomed and have not ended. */
  readonly activeStreams: number;
  readonly membersPresent: number;
  readonly membersStale: number;
  /** Series that are held. */
  readonly inputSeries: number;
  /** Series that readers see. */
  readonly outputSeries: number;
  /** Epochs opened by series that had another one before; since the start, never less than before. */
  readonly epochsOpened: number;
}
