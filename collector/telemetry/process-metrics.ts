import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Emit, ObservedMetric } from './observed-metric.ts';
import type { TelemetrySource } from './telemetry-source.ts';

/** The process, under OpenTelemetry's semantic conventions for processes, Node.js and V8. */
export const processMetrics: readonly ObservedMetric<TelemetrySource>[] = [
  {
    name: 'process.cpu.time',
    kind: 'counter',
    unit: 's',
    description: 'CPU time of the process.',
    attributes: ['cpu.mode'],
    observe: (_, emit) => {
      const { user, system } = process.cpuUsage();
      emit(user / 1e6, { 'cpu.mode': 'user' });
      emit(system / 1e6, { 'cpu.mode': 'system' });
    },
  },
  {
    name: 'process.memory.usage',
    kind: 'up_down_counter',
    unit: 'By',
    description: 'Resident memory.',
    observe: (_, emit) => emit(process.memoryUsage.rss()),
  },
  {
    name: 'process.uptime',
    kind: 'gauge',
    unit: 's',
    description: 'How long the process has run.',
    observe: (_, emit) => emit(process.uptime()),
  },
  delay('p50', 'The median of how late the event loop was in the last seconds.'),
  delay('p99', 'The 99th percentile of how late the event loop was in the last seconds.'),
  delay('max', 'The most that the event loop was late in the last seconds.'),
  {
    name: 'nodejs.eventloop.time',
    kind: 'counter',
    unit: 's',
    description: 'Time that the event loop was active or idle.',
    attributes: ['nodejs.eventloop.state'],
    observe: (_, emit) => {
      const { active, idle } = performance.eventLoopUtilization();
      emit(active / 1e3, { 'nodejs.eventloop.state': 'active' });
      emit(idle / 1e3, { 'nodejs.eventloop.state': 'idle' });
    },
  },
  heap('v8js.memory.heap.used', 'Heap in use.', (space) => space.space_used_size),
  heap('v8js.memory.heap.limit', 'Heap allocated.', (space) => space.space_size),
];

function delay(what: 'p50' | 'p99' | 'max', description: string): ObservedMetric<TelemetrySource> {
  return {
    name: `nodejs.eventloop.delay.${what}`,
    kind: 'gauge',
    unit: 's',
    description,
    observe: ({ eventLoopDelay }, emit) => {
      const measured = eventLoopDelay();
      if (measured !== undefined) emit(measured[what]);
    },
  };
}

type HeapSpace = ReturnType<typeof getHeapSpaceStatistics>[number];

function heap(
  name: string,
  description: string,
  bytes: (space: HeapSpace) => number,
): ObservedMetric<TelemetrySource> {
  return {
    name,
    kind: 'up_down_counter',
    unit: 'By',
    description,
    attributes: ['v8js.heap.space.name'],
    observe: (_, emit: Emit) => {
      for (const space of getHeapSpaceStatistics()) {
        emit(bytes(space), { 'v8js.heap.space.name': space.space_name });
      }
    },
  };
}
