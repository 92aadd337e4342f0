import type { ExportCounters } from './collector-counters.ts';
import { type Emit, emitEach, type ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

export const readerKey = 'streamgauge.reader';

/** The one instrument that is recorded to, once for each export: it is no hot path. */
export const exportDuration = {
  name: 'streamgauge.collector.export.duration',
  kind: 'histogram',
  unit: 's',
  description:
    'How long an export took, from collecting until its last request was settled, retries included.',
  attributes: [readerKey],
  bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
} as const;

/** Exports by reader, and scrapes. */
export const exportMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  ofReaders(
    'request',
    '{request}',
    'Requests that were settled: taken, or given up.',
    ({ requests }) => requests,
  ),
  ofReaders('retry', '{retry}', 'Further tries of requests.', ({ retries }) => retries),
  ofReaders(
    'io',
    'By',
    'Bytes of requests that were taken, before compression.',
    ({ sentBytes }) => sentBytes,
  ),
  {
    name: 'streamgauge.collector.export.point',
    kind: 'counter',
    unit: '{point}',
    description:
      'Points by what became of them: delivered, rejected by the backend, or failed with their request.',
    attributes: [readerKey, 'streamgauge.outcome'],
    observe: (source, emit) =>
      eachReader(source, ({ reader, deliveredPoints, rejectedPoints, failedPoints }) => {
        emit(deliveredPoints, { [readerKey]: reader, 'streamgauge.outcome': 'delivered' });
        emit(rejectedPoints, { [readerKey]: reader, 'streamgauge.outcome': 'rejected' });
        emit(failedPoints, { [readerKey]: reader, 'streamgauge.outcome': 'failed' });
      }),
  },
  {
    name: 'streamgauge.collector.export.failure',
    kind: 'counter',
    unit: '{request}',
    description:
      'Requests that were given up, by the code of their last failure: a gRPC status, an HTTP status or a system error.',
    attributes: [readerKey, 'error.type'],
    observe: (source, emit) =>
      eachReader(source, ({ reader, failures }) => {
        for (const [code, count] of failures) emit(count, { [readerKey]: reader, 'error.type': code });
      }),
  },
  {
    name: 'streamgauge.collector.scrape.request',
    kind: 'counter',
    unit: '{scrape}',
    description: 'Requests for /metrics that were answered.',
    observe: ({ counters }, emit) => emit(counters.scrapes.scrapes),
  },
  {
    name: 'streamgauge.collector.scrape.sample',
    kind: 'counter',
    unit: '{sample}',
    description: 'Lines with a value in answers to /metrics.',
    observe: ({ counters }, emit) => emit(counters.scrapes.samples),
  },
  {
    name: 'streamgauge.collector.scrape.left_out',
    kind: 'counter',
    unit: '{point}',
    description: 'Points that an answer to /metrics did not show, by cause, counted at every scrape.',
    attributes: ['streamgauge.cause'],
    observe: ({ counters }, emit) => emitEach(emit, 'streamgauge.cause', counters.scrapes.leftOut),
  },
];

function ofReaders(
  what: string,
  unit: string,
  description: string,
  value: (counters: ExportCounters) => number,
): ObservedMetric<TelemetrySource> {
  return {
    name: `streamgauge.collector.export.${what}`,
    kind: 'counter',
    unit,
    description,
    attributes: [readerKey],
    observe: (source: TelemetrySource, emit: Emit) =>
      eachReader(source, (counters) => emit(value(counters), { [readerKey]: counters.reader })),
  };
}

function eachReader({ counters }: TelemetrySource, tell: (counters: ExportCounters) => void): void {
  for (const reader of counters.exports.values()) tell(reader);
}
