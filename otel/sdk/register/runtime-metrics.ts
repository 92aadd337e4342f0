import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Meter } from '@opentelemetry/api';

/** How often the event loop's delay is sampled: its least delay that can be seen. */
const delayResolutionMs = 10;

/** The least and the greatest that the semantic conventions advise, in seconds. */
const gcBounds = [0.01, 0.1, 1, 10];

/** The kinds of garbage collection by V8's flags, as `perf_hooks.constants` has them. */
const gcTypes: Readonly<Record<number, string>> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' };

/**
 * Metrics of the Node.js and V8 runtime, with the names and units of OpenTelemetry's semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/ and v8js-metrics/). Keeps no process alive.
 * @returns the function that ends them
 */
export function runtimeMetrics(meter: Meter): () => void {
  const stops = [eventLoopDelay(meter), garbageCollection(meter)];
  eventLoopTime(meter);
  heap(meter);
  processMetrics(meter);
  return () => {
    for (const stop of stops) stop();
  };
}

/** Over the time since the last collection; nothing while there was no sample. */
function eventLoopDelay(meter: Meter): () => void {
  const histogram = monitorEventLoopDelay({ resolution: delayResolutionMs });
  histogram.enable();
  const gauge = (what: string, text: string) =>
    meter.createObservableGauge(`nodejs.eventloop.delay.${what}`, {
      description: `Event loop ${text} delay.`,
      unit: 's',
    });
  const readings = [
    [gauge('min', 'minimum'), () => histogram.min],
    [gauge('max', 'maximum'), () => histogram.max],
    [gauge('mean', 'mean'), () => histogram.mean],
    [gauge('stddev', 'standard deviation'), () => histogram.stddev],
    [gauge('p50', '50 percentile'), () => histogram.percentile(50)],
    [gauge('p90', '90 percentile'), () => histogram.percentile(90)],
    [gauge('p99', '99 percentile'), () => histogram.percentile(99)],
  ] as const;
  meter.addBatchObservableCallback(
    (result) => {
      if (histogram.count === 0) return;
      for (const [instrument, read] of readings) result.observe(instrument, read() / 1e9);
      histogram.reset();
    },
    readings.map(([instrument]) => instrument),
  );
  return () => histogram.disable();
}

function eventLoopTime(meter: Meter): void {
  const time = meter.createObservableCounter('nodejs.eventloop.time', {
    description: 'Cumulative duration of time the event loop has been in each state.',
    unit: 's',
  });
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', {
    description: 'Event loop utilization.',
    unit: '1',
  });
  let last = performance.eventLoopUtilization();
  meter.addBatchObservableCallback(
    (result) => {
      const now = performance.eventLoopUtilization();
      result.observe(time, now.active / 1e3, { 'nodejs.eventloop.state': 'active' });
      result.observe(time, now.idle / 1e3, { 'nodejs.eventloop.state': 'idle' });
      result.observe(utilization, performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
    [time, utilization],
  );
}

function heap(meter: Meter): void {
  const upDown = (name: string, description: string) =>
    meter.createObservableUpDownCounter(`v8js.memory.heap.${name}`, { description, unit: 'By' });
  const readings = [
    [upDown('limit', 'Total heap memory size pre-allocated.'), 'space_size'],
    [upDown('used', 'Heap memory size allocated.'), 'space_used_size'],
    [upDown('space.available_size', 'Heap space available size.'), 'space_available_size'],
    [upDown('space.physical_size', 'Committed size of a heap space.'), 'physical_space_size'],
  ] as const;
  meter.addBatchObservableCallback(
    (result) => {
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name };
        for (const [instrument, field] of readings) result.observe(instrument, space[field], attributes);
      }
    },
    readings.map(([instrument]) => instrument),
  );
}

function garbageCollection(meter: Meter): () => void {
  const duration = meter.createHistogram('v8js.gc.duration', {
    description: 'Garbage collection duration.',
    unit: 's',
    advice: { explicitBucketBoundaries: gcBounds },
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as { detail?: { kind?: number } }).detail ?? {};
      duration.record(entry.duration / 1e3, { 'v8js.gc.type': gcTypes[kind ?? 0] ?? 'unknown' });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

function processMetrics(meter: Meter): void {
  const cpu = meter.createObservableCounter('process.cpu.time', {
    description: 'Total CPU seconds broken down by different CPU modes.',
    unit: 's',
  });
  const memory = meter.createObservableUpDownCounter('process.memory.usage', {
    description: 'The amount of physical memory in use.',
    unit: 'By',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const { user, system } = process.cpuUsage();
      result.observe(cpu, user / 1e6, { 'cpu.mode': 'user' });
      result.observe(cpu, system / 1e6, { 'cpu.mode': 'system' });
      result.observe(memory, process.memoryUsage.rss());
    },
    [cpu, memory],
  );
}
