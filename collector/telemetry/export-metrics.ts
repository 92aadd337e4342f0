import type { QueueFigures } from '../../otel/export/queue-limits.ts';
import type { ExportCounters } from './collector-counters.ts';
import { type Emit, emitEach, type ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

export const readerKey = 'streamgauge.reader';

/** The one instrument that is recorded to, once for each request: it is no hot path. */
export const exportDuration = {
  name: 'streamgauge.collector.export.duration',
  kind: 'histogram',
  unit: 's',
  description: 'How long a try of a request took, until the backend answered or the try was given up.',
  attributes: [readerKey],
  bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
} as const;

/** Exports by reader, and scrapes. */
export const exportMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  ofReaders(
    'collection.done',
    '{collection}',
    'Collections that were made and encoded.',
    (c) => c.collections,
  ),
  ofReaders('collection.failed', '{collection}', 'Collections that failed.', (c) => c.collectionsFailed),
  ofReaders('collection.time', 's', 'Time spent on collecting and encoding.', (c) => c.collectionMs / 1e3),
  ofReaders('request', '{request}', 'Tries of requests, repeated ones too.', (c) => c.requests),
  ofReaders('retry', '{retry}', 'Times that a request was put off to be tried again.', (c) => c.retries),
  ofReaders('io', 'By', 'Bytes of tried requests, before compression.', (c) => c.sentBytes),
  {
    name: 'streamgauge.collector.export.failure',
    kind: 'counter',
    unit: '{request}',
    description: 'Tries of requests that failed, by code: a gRPC status, an HTTP status or a system error.',
    attributes: [readerKey, 'error.type'],
    observe: (source, emit) =>
      eachReader(source, ({ reader, failures }) => {
        for (const [code, count] of failures) emit(count, { [readerKey]: reader, 'error.type': code });
      }),
  },
  {
    name: 'streamgauge.collector.export.point',
    kind: 'counter',
    unit: '{point}',
    description:
      'Points by what became of them and why: exported, rejected by the backend, failed, superseded by a newer state, or dropped.',
    attributes: [readerKey, 'streamgauge.outcome', 'streamgauge.cause'],
    observe: (source, emit) =>
      eachReader(source, ({ reader, points }) => {
        for (const [outcome, causes] of Object.entries(points)) {
          for (const [cause, count] of causes) {
            const why = cause === '' ? {} : { 'streamgauge.cause': cause };
            emit(count, { [readerKey]: reader, 'streamgauge.outcome': outcome, ...why });
          }
        }
      }),
  },
  ofQueues(
    'collection',
    '{collection}',
    'Collections that wait for the backend: delta intervals, or cumulative ones where there is room for history.',
    (queue) => queue.collections,
  ),
  ofQueues('point', '{point}', 'Points in collections that wait for the backend.', (queue) => queue.points),
  ofQueues('size', 'By', 'Encoded requests that wait for the backend.', (queue) => queue.bytes),
  ofQueues('limit', 'By', 'How much may wait: `queue.max_bytes`.', (queue) => queue.maxBytes),
  ofQueues(
    'age',
    's',
    'How long ago the oldest was collected that waits for the backend; 0 when none does.',
    (queue) => queue.oldestAgeMs / 1e3,
    'gauge',
  ),
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

function ofQueues(
  what: string,
  unit: string,
  description: string,
  value: (queue: QueueFigures) => number,
  kind: 'up_down_counter' | 'gauge' = 'up_down_counter',
): ObservedMetric<TelemetrySource> {
  return {
    name: `streamgauge.collector.export.queue.${what}`,
    kind,
    unit,
    description,
    attributes: [readerKey],
    observe: (source: TelemetrySource, emit: Emit) =>
      eachReader(source, (counters) => emit(value(counters.queue()), { [readerKey]: counters.reader })),
  };
}

function eachReader({ counters }: TelemetrySource, tell: (counters: ExportCounters) => void): void {
  for (const reader of counters.exports.values()) tell(reader);
}
