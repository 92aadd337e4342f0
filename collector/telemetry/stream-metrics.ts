import { emitEach, type ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

/** Streams, and what comes in on them. */
export const streamMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  {
    name: 'streamgauge.collector.stream.active',
    kind: 'up_down_counter',
    unit: '{stream}',
    description: 'Streams that are open.',
    observe: ({ levels }, emit) => emit(levels().activeStreams),
  },
  {
    name: 'streamgauge.collector.stream.welcomed',
    kind: 'counter',
    unit: '{stream}',
    description: 'Streams that were taken on.',
    observe: ({ counters }, emit) => emit(counters.sessions.streamsWelcomed),
  },
  {
    name: 'streamgauge.collector.stream.ended',
    kind: 'counter',
    unit: '{stream}',
    description: 'Streams that came to their end or were refused, by cause.',
    attributes: ['streamgauge.cause'],
    observe: ({ counters }, emit) =>
      emitEach(emit, 'streamgauge.cause', { ...counters.sessions.streamsEnded }),
  },
  {
    name: 'streamgauge.collector.access.denied',
    kind: 'counter',
    unit: '{request}',
    description: 'Connections, streams and requests that were not let in, by cause.',
    attributes: ['streamgauge.cause'],
    observe: ({ counters }, emit) => emitEach(emit, 'streamgauge.cause', { ...counters.denials }),
  },
  {
    name: 'streamgauge.collector.limit.exceeded',
    kind: 'counter',
    unit: '{event}',
    description: 'Connections, streams, messages and requests that went over a limit of a port, by cause.',
    attributes: ['streamgauge.cause'],
    observe: ({ counters }, emit) => emitEach(emit, 'streamgauge.cause', { ...counters.limits }),
  },
  {
    name: 'streamgauge.collector.stream.io',
    kind: 'counter',
    unit: 'By',
    description: 'Bytes of messages on streams, without the framing of gRPC and HTTP/2.',
    attributes: ['network.io.direction'],
    observe: ({ counters }, emit) => {
      emit(counters.sessions.receivedBytes, { 'network.io.direction': 'receive' });
      emit(counters.sessions.sentBytes, { 'network.io.direction': 'transmit' });
    },
  },
  {
    name: 'streamgauge.collector.ack.sent',
    kind: 'counter',
    unit: '{ack}',
    description: 'Acknowledgements sent to agents.',
    observe: ({ counters }, emit) => emit(counters.sessions.acks),
  },
  {
    name: 'streamgauge.collector.report.received',
    kind: 'counter',
    unit: '{report}',
    description: 'Reports that were merged.',
    observe: ({ counters }, emit) => emit(counters.sessions.reports),
  },
  {
    name: 'streamgauge.collector.point.received',
    kind: 'counter',
    unit: '{point}',
    description: 'Points in reports, unchanged ones included.',
    observe: ({ counters }, emit) => emit(counters.sessions.points),
  },
  {
    name: 'streamgauge.collector.value.changed',
    kind: 'counter',
    unit: '{value}',
    description: 'Values in reports that were not those of the report before.',
    observe: ({ counters }, emit) => emit(counters.sessions.changedValues),
  },
  {
    name: 'streamgauge.collector.point.refused',
    kind: 'counter',
    unit: '{point}',
    description: 'Points that were not taken, by cause.',
    attributes: ['streamgauge.cause'],
    observe: ({ counters }, emit) =>
      emitEach(emit, 'streamgauge.cause', { ...counters.sessions.refusedPoints }),
  },
  {
    name: 'streamgauge.collector.merge.time',
    kind: 'counter',
    unit: 's',
    description:
      'Time spent on decoding and merging reports; divided by the reports received it is the mean.',
    observe: ({ counters }, emit) => emit(counters.sessions.mergeMs / 1e3),
  },
  {
    name: 'streamgauge.collector.merge.longest',
    kind: 'gauge',
    unit: 's',
    description: 'The longest time that decoding and merging one report took in the last seconds.',
    observe: ({ longestMerge }, emit) => emit(longestMerge()),
  },
];
