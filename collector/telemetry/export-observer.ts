import type { ExportCounters } from './collector-counters.ts';

/** Codes of failures that are counted apart for one reader; the rest are one. They are few by nature: gRPC and HTTP statuses and system errors. */
const maxCodes = 32;
const otherCode = '_OTHER';

/** What a reader tells of its exports. */
export interface ExportObserver {
  /** A request was taken by the backend. */
  delivered(request: {
    readonly points: number;
    readonly rejectedPoints: number;
    readonly bytes: number;
  }): void;
  /** A request was given up. `code`: a gRPC status, an HTTP status or a system error. */
  failed(request: { readonly points: number; readonly code: string }): void;
  /** A request is tried again. */
  retried(): void;
  /** All requests of one collection are settled. */
  finished(durationMs: number): void;
}

/** Counts what a reader tells. */
export function countExports(
  counters: ExportCounters,
  recordDuration: (seconds: number) => void,
): ExportObserver {
  return {
    delivered({ points, rejectedPoints, bytes }) {
      counters.requests++;
      counters.deliveredPoints += points - rejectedPoints;
      counters.rejectedPoints += rejectedPoints;
      counters.sentBytes += bytes;
    },
    failed({ points, code }) {
      counters.requests++;
      counters.failedPoints += points;
      const { failures } = counters;
      const counted = failures.has(code) || failures.size < maxCodes - 1 ? code : otherCode;
      failures.set(counted, (failures.get(counted) ?? 0) + 1);
    },
    retried() {
      counters.retries++;
    },
    finished(durationMs) {
      recordDuration(durationMs / 1e3);
    },
  };
}
