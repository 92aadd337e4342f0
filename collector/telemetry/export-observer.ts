import type { ReaderObserver } from '../../otel/export/reader-status.ts';
import type { ExportCounters } from './collector-counters.ts';

/** Causes that are counted apart for one reader; the rest are one. They are few by nature: gRPC and HTTP statuses and system errors. */
const maxCauses = 32;
const otherCause = '_OTHER';

/** Counts what a reader tells of its exports. */
export function countExports(
  counters: ExportCounters,
  recordDuration: (seconds: number) => void,
): ReaderObserver {
  return {
    points(outcome, points, cause) {
      add(counters.points[outcome], cause, points);
    },
    request(durationMs, bytes, code) {
      counters.requests++;
      counters.sentBytes += bytes;
      if (code !== '') add(counters.failures, code, 1);
      recordDuration(durationMs / 1e3);
    },
    retry() {
      counters.retries++;
    },
    collection(durationMs) {
      counters.collections++;
      counters.collectionMs += durationMs;
    },
    collectionFailed() {
      counters.collectionsFailed++;
    },
    queue(read) {
      counters.queue = read;
    },
  };
}

function add(counts: Map<string, number>, cause: string, count: number): void {
  const counted = counts.has(cause) || counts.size < maxCauses - 1 ? cause : otherCause;
  counts.set(counted, (counts.get(counted) ?? 0) + count);
}
