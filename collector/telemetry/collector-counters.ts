import { noFigures, type QueueFigures } from '../../otel/export/queue-limits.ts';
import type { PointsOutcome } from '../../otel/export/reader-status.ts';
import { type LeftOutCause, leftOutCauses } from '../../otel/prometheus/exposition-report.ts';
import type { StorageStatus } from '../durability/state-storage.ts';
import { OtlpCounters } from '../receivers/otlp/otlp-counters.ts';
import { denialCounters } from '../security/denials.ts';
import { limitCounters } from '../security/exceeded.ts';
import { SessionCounters } from '../sessions/session-counters.ts';

/** What one reader's exports came to. */
export class ExportCounters {
  readonly reader: string;
  /** Collections with their encoding, and the milliseconds they took. */
  collections = 0;
  collectionMs = 0;
  collectionsFailed = 0;
  /** Tries of requests, repeated ones too, and their bytes before compression. */
  requests = 0;
  sentBytes = 0;
  /** Tries that failed, by code. */
  readonly failures = new Map<string, number>();
  retries = 0;
  /** Points by what became of them and why; '' where there is nothing to explain. */
  readonly points: Record<PointsOutcome, Map<string, number>> = {
    exported: new Map([['', 0]]),
    rejected: new Map(),
    failed: new Map(),
    superseded: new Map(),
    dropped: new Map(),
  };
  /** What waits for its backend now. */
  queue: () => QueueFigures = () => noFigures;

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
  readonly otlp = new OtlpCounters();
  /** Those that were not let in, by cause. */
  readonly denials = denialCounters();
  /** What went over a limit of a port, by cause. */
  readonly limits = limitCounters();
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
  /** Of these, the ones of senders of OTLP. */
  readonly otlpSeries: number;
  /** Series that readers see. */
  readonly outputSeries: number;
  /** Epochs opened by series that had another one before; since the start, never less than before. */
  readonly epochsOpened: number;
  /** Metric streams made beside another one of the same resource, scope and name, by cause, since the start. */
  readonly outputConflicts: Readonly<Record<string, number>>;
  /** Input series that went into overflow series since the start. */
  readonly outputOverflow: number;
  /** Metrics that a view made nothing of, since the start. */
  readonly viewsInapplicable: number;
  readonly storage: StorageStatus;
}
