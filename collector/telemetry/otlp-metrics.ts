import { emitEach, type ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

/** What comes in as OTLP. */
export const otlpMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  {
    name: 'streamgauge.collector.otlp.request',
    kind: 'counter',
    unit: '{request}',
    description: 'OTLP requests by protocol and result: taken, partial, invalid, unavailable, failed.',
    attributes: ['streamgauge.otlp.protocol', 'streamgauge.otlp.result'],
    observe: ({ counters }, emit) => {
      for (const [key, count] of counters.otlp.requests) {
        const [protocol, result] = key.split(' ');
        emit(count, { 'streamgauge.otlp.protocol': protocol, 'streamgauge.otlp.result': result });
      }
    },
  },
  {
    name: 'streamgauge.collector.otlp.point',
    kind: 'counter',
    unit: '{point}',
    description: 'Data points of OTLP requests by what became of them: docs/aggregation.md and docs/otlp.md.',
    attributes: ['streamgauge.outcome'],
    observe: ({ counters }, emit) =>
      emitEach(emit, 'streamgauge.outcome', Object.fromEntries(counters.otlp.outcomes)),
  },
  {
    name: 'streamgauge.collector.otlp.exemplar.passed_over',
    kind: 'counter',
    unit: '{exemplar}',
    description: 'Exemplars of OTLP requests, which are not kept.',
    observe: ({ counters }, emit) => emit(counters.otlp.exemplars),
  },
  {
    name: 'streamgauge.collector.otlp.io',
    kind: 'counter',
    unit: 'By',
    description: 'Bytes of OTLP requests, uncompressed.',
    observe: ({ counters }, emit) => emit(counters.otlp.bytes),
  },
  {
    name: 'streamgauge.collector.otlp.time',
    kind: 'counter',
    unit: 's',
    description: 'Time spent on decoding OTLP requests and taking their points in.',
    observe: ({ counters }, emit) => emit(counters.otlp.takeMs / 1e3),
  },
  {
    name: 'streamgauge.collector.otlp.series',
    kind: 'up_down_counter',
    unit: '{series}',
    description: 'Series that are held of senders of OTLP.',
    observe: ({ levels }, emit) => emit(levels().otlpSeries),
  },
  {
    name: 'streamgauge.collector.otlp.identity_conflict',
    kind: 'counter',
    unit: '{conflict}',
    description: 'Times that two processes were found to send OTLP under one identity.',
    observe: ({ counters }, emit) => emit(counters.otlp.identityConflicts),
  },
];
