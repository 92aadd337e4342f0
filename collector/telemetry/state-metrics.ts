import { emitEach, type ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

/** Members and series. */
export const stateMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  {
    name: 'streamgauge.collector.member.held',
    kind: 'up_down_counter',
    unit: '{member}',
    description: 'Members whose state is held: present, or stale because they have been silent for a while.',
    attributes: ['streamgauge.member.state'],
    observe: ({ levels }, emit) => {
      const { membersPresent, membersStale } = levels();
      emit(membersPresent, { 'streamgauge.member.state': 'present' });
      emit(membersStale, { 'streamgauge.member.state': 'stale' });
    },
  },
  {
    name: 'streamgauge.collector.member.staled',
    kind: 'counter',
    unit: '{member}',
    description: 'Times that a member became stale.',
    observe: ({ counters }, emit) => emit(counters.sessions.membersStale),
  },
  {
    name: 'streamgauge.collector.member.evicted',
    kind: 'counter',
    unit: '{member}',
    description: 'Members whose state was freed after a long silence.',
    observe: ({ counters }, emit) => emit(counters.sessions.membersEvicted),
  },
  {
    name: 'streamgauge.collector.series.held',
    kind: 'up_down_counter',
    unit: '{series}',
    description: 'Series: input series are those of members, output series what views make of them.',
    attributes: ['streamgauge.series.side'],
    observe: ({ levels }, emit) => {
      const { inputSeries, outputSeries } = levels();
      emit(inputSeries, { 'streamgauge.series.side': 'input' });
      emit(outputSeries, { 'streamgauge.series.side': 'output' });
    },
  },
  {
    name: 'streamgauge.collector.series.defined',
    kind: 'counter',
    unit: '{series}',
    description: 'Definitions of series that were taken; a stream defines all of its series anew.',
    observe: ({ counters }, emit) => emit(counters.sessions.seriesDefined),
  },
  {
    name: 'streamgauge.collector.series.retired',
    kind: 'counter',
    unit: '{series}',
    description: 'Series that agents retired, as gone or as idle.',
    observe: ({ counters }, emit) => emit(counters.sessions.seriesRetired),
  },
  {
    name: 'streamgauge.collector.series.refused',
    kind: 'counter',
    unit: '{series}',
    description: 'Definitions of series that were not taken, by cause.',
    attributes: ['streamgauge.cause'],
    observe: ({ counters }, emit) =>
      emitEach(emit, 'streamgauge.cause', { ...counters.sessions.refusedSeries }),
  },
  {
    name: 'streamgauge.collector.output.conflict',
    kind: 'counter',
    unit: '{stream}',
    description:
      'Metric streams that were made beside another one of the same resource, scope and name, by what they differ in.',
    attributes: ['streamgauge.cause'],
    observe: ({ levels }, emit) => emitEach(emit, 'streamgauge.cause', levels().outputConflicts),
  },
  {
    name: 'streamgauge.collector.output.overflow',
    kind: 'counter',
    unit: '{series}',
    description:
      'Input series that went into the overflow series of an output, because of its cardinality limit.',
    observe: ({ levels }, emit) => emit(levels().outputOverflow),
  },
  {
    name: 'streamgauge.collector.view.inapplicable',
    kind: 'counter',
    unit: '{metric}',
    description:
      'Metrics that a view made nothing of, because its aggregation has no meaning for their kind.',
    observe: ({ levels }, emit) => emit(levels().viewsInapplicable),
  },
  {
    name: 'streamgauge.collector.epoch.opened',
    kind: 'counter',
    unit: '{epoch}',
    description: 'Counters that began anew: series that came with another epoch than the one held.',
    observe: ({ levels }, emit) => emit(levels().epochsOpened),
  },
  {
    name: 'streamgauge.collector.baseline',
    kind: 'counter',
    unit: '{point}',
    description:
      'First values of counters that merging views set aside, because it is not known that they began lately.',
    observe: ({ counters }, emit) => emit(counters.sessions.baselines),
  },
];
