import { readFileSync } from 'node:fs';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import test, { type ExecutionContext } from 'ava';
import type { CollectorLevels } from '../../../collector/telemetry/collector-counters.ts';
import { CollectorTelemetry } from '../../../collector/telemetry/collector-telemetry.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { collectionFromSdk } from '../../../otel/otlp/from-sdk.ts';
import { ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';
import { PrometheusWriter } from '../../../otel/prometheus/writer.ts';
import { parseExposition } from '../../otel/prometheus/exposition-parser.ts';

const levels: CollectorLevels = {
  activeStreams: 3,
  membersPresent: 2,
  membersStale: 1,
  inputSeries: 500,
  otlpSeries: 7,
  outputSeries: 50,
  epochsOpened: 4,
  outputConflicts: { unit: 1, kind: 2 },
  outputOverflow: 0,
  viewsInapplicable: 3,
  storage: {
    kind: 'directory',
    path: '/data',
    state: 'open',
    error: null,
    directoryId: '00',
    term: '00',
    position: 9,
    committedPosition: 9,
    pendingBytes: 0,
    commits: 7,
    commitErrors: 1,
    commitMs: 14,
    writtenBytes: 4096,
    refusedRecords: 2,
    checkpoint: { position: 5, bytes: 1000, durationMs: 20, longestMomentMs: 3 },
    checkpoints: { written: 1, failed: 0 },
    losses: 0,
    recovery: { records: 0, damages: 0, durationMs: 1 },
  },
};

function started(t: ExecutionContext, now = () => performance.now()) {
  const errors: unknown[] = [];
  const telemetry = new CollectorTelemetry({
    version: '1.2.3',
    instanceId: 'instance',
    resource: { attributes: attributes({ 'deployment.environment.name': 'test' }), schemaUrl: '' },
    levels: () => levels,
    onError: (error) => errors.push(error),
    now,
  });
  telemetry.start();
  t.teardown(() => telemetry.stop());
  return { telemetry, errors };
}

function metricsOf(collected: ResourceMetrics): Map<string, MetricData> {
  return new Map(collected.scopeMetrics.flatMap(({ metrics }) => metrics).map((m) => [m.descriptor.name, m]));
}

/** A metric's values by the values of its attributes, joined. */
function valuesOf(metrics: Map<string, MetricData>, name: string): Record<string, unknown> {
  return Object.fromEntries(
    metrics
      .get(name)!
      .dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(' '), value]),
  );
}

test('docs/metrics.md lists exactly what is registered: names, kinds, units, attributes, meanings', async (t) => {
  let now = 0;
  const { telemetry, errors } = started(t, () => now);
  const reader = telemetry.registerReader('cumulative');
  const observer = telemetry.exportObserver('otlp');
  observer.points?.('failed', 1, 'UNAVAILABLE');
  observer.request?.(5, 100, 'UNAVAILABLE');
  // The event loop's delay is shown once a window in which something was measured has passed.
  let metrics = new Map<string, MetricData>();
  while (!metrics.has('nodejs.eventloop.delay.max')) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    now += 5000;
    metrics = metricsOf(await reader.collect());
  }

  const kinds = new Map([...metrics].map(([name, data]) => [name, kindOf(data)]));
  const registered = [...metrics].map(([name, { descriptor, dataPoints }]) => {
    const keys = new Set(dataPoints.flatMap(({ attributes }) => Object.keys(attributes)));
    return [name, kinds.get(name), descriptor.unit, [...keys].sort().join(' '), descriptor.description];
  });
  const documented = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [name, kind, unit, keys, meaning] = line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim());
      const plain = (text = '') => text.replaceAll('`', '');
      return [plain(name), kind, plain(unit), plain(keys).split(', ').sort().join(' '), meaning];
    });
  t.true(documented.length > 30);
  t.deepEqual(registered.map(String).sort(), documented.map(String).sort());
  t.deepEqual(errors, []);
});

function kindOf(data: MetricData): string {
  if (data.dataPointType === DataPointType.SUM) return data.isMonotonic ? 'counter' : 'up-down counter';
  return data.dataPointType === DataPointType.GAUGE ? 'gauge' : 'histogram';
}

test('what is counted is what is collected', async (t) => {
  const { telemetry } = started(t);
  const reader = telemetry.registerReader('cumulative');
  const { sessions } = telemetry.counters;
  sessions.reports = 7;
  sessions.points = 2 ** 40;
  sessions.receivedBytes = 100;
  sessions.sentBytes = 10;
  sessions.mergeMs = 1500;
  sessions.refusedPoints.epoch_fell = 5;
  const report = new ExpositionReport();
  report.samples = 9;
  report.leftOut.delta = 2;
  telemetry.scraped(report);
  telemetry.scraped(report);
  const observer = telemetry.exportObserver('a');
  observer.collection?.(250, 153);
  observer.collectionFailed?.(new Error('x'));
  observer.request?.(10, 4000, '');
  observer.points?.('exported', 97, '');
  observer.points?.('rejected', 3, 'partial_success');
  observer.request?.(10, 2000, '503');
  observer.points?.('failed', 50, '503');
  observer.retry?.(1000, '503');
  telemetry.exportObserver('a').retry?.(1000, '503');
  telemetry.exportObserver('b').request?.(1, 5, '');

  const collected = await reader.collect();
  const metrics = metricsOf(collected);
  const is = (name: string, expected: Record<string, unknown>) =>
    t.like(valuesOf(metrics, `streamgauge.collector.${name}`), expected, name);
  is('report.received', { '': 7 });
  is('point.received', { '': 2 ** 40 });
  is('stream.io', { receive: 100, transmit: 10 });
  is('merge.time', { '': 1.5 });
  is('point.refused', { epoch_fell: 5, not_finite: 0 });
  is('stream.active', { '': 3 });
  is('member.held', { present: 2, stale: 1 });
  is('series.held', { input: 500, output: 50 });
  is('scrape.request', { '': 2 });
  is('scrape.sample', { '': 18 });
  is('scrape.left_out', { delta: 4, type_conflict: 0 });
  is('export.request', { a: 2, b: 1 });
  is('export.retry', { a: 2, b: 0 });
  is('export.io', { a: 6000, b: 5 });
  is('export.collection.done', { a: 1, b: 0 });
  is('export.collection.failed', { a: 1, b: 0 });
  is('export.collection.time', { a: 0.25, b: 0 });
  is('export.point', {
    'a exported': 97,
    'a rejected partial_success': 3,
    'a failed 503': 50,
    'b exported': 0,
  });
  is('export.failure', { 'a 503': 1 });
  t.like(collected.resource.attributes, {
    'service.name': 'streamgauge-collector',
    'service.version': '1.2.3',
    'service.instance.id': 'instance',
    'deployment.environment.name': 'test',
  });
});

test('each reader has its own temporality and its own intervals', async (t) => {
  const { telemetry } = started(t);
  const cumulative = telemetry.registerReader('cumulative');
  const delta = telemetry.registerReader('delta');
  await Promise.all([cumulative.collect(), delta.collect()]);
  const { sessions } = telemetry.counters;
  const observer = telemetry.exportObserver('a');
  const name = 'streamgauge.collector.report.received';
  const seen: unknown[] = [];
  for (const added of [3, 4, 0]) {
    sessions.reports += added;
    observer.request?.(1000, 1, '');
    const both = [metricsOf(await cumulative.collect()), metricsOf(await delta.collect())];
    seen.push(both.map((metrics) => metrics.get(name)!.dataPoints[0]!.value));
    const histograms = both.map(
      (metrics) => metrics.get('streamgauge.collector.export.duration')!.dataPoints[0]!,
    );
    seen.push(histograms.map(({ value }) => (value as { count: number }).count));
    t.is(both[1]!.get(name)!.aggregationTemporality, AggregationTemporality.DELTA);
    // Up-down counters are not differenced.
    const active = both[1]!.get('streamgauge.collector.stream.active')!;
    t.is(active.aggregationTemporality, AggregationTemporality.CUMULATIVE);
    t.is(active.dataPoints[0]!.value, 3);
  }
  t.deepEqual(seen, [
    [3, 3],
    [1, 1],
    [7, 4],
    [2, 1],
    [7, 0],
    [3, 1],
  ]);
  await cumulative.stop();
  await cumulative.stop();
  sessions.reports += 1;
  t.is(metricsOf(await delta.collect()).get(name)!.dataPoints[0]!.value, 1);
});

test('the cumulative start is when the reader was registered, not when a value was first above zero', async (t) => {
  const { telemetry } = started(t);
  const before = Date.now();
  const reader = telemetry.registerReader('cumulative');
  await reader.collect();
  const registered = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 30));
  telemetry.counters.sessions.refusedSeries.limit = 2;
  const point = metricsOf(await reader.collect())
    .get('streamgauge.collector.series.refused')!
    .dataPoints.find(({ attributes }) => attributes['streamgauge.cause'] === 'limit')!;
  const startMs = point.startTime[0] * 1e3 + point.startTime[1] / 1e6;
  t.true(startMs >= before - 1 && startMs <= registered + 1);
  t.is(point.value, 2);
});

test('codes of failures are bounded', async (t) => {
  const { telemetry } = started(t);
  const observer = telemetry.exportObserver('a');
  for (let i = 0; i < 1000; i++) observer.request?.(1, 1, `code ${i}`);
  observer.request?.(1, 1, 'code 0');
  const { failures } = telemetry.counters.exports.get('a')!;
  t.is(failures.size, 32);
  t.is(failures.get('code 0'), 2);
  t.is(failures.get('_OTHER'), 969);
});

test('a metric that cannot be read is reported, and the others are collected', async (t) => {
  const errors: unknown[] = [];
  const telemetry = new CollectorTelemetry({
    version: '1',
    instanceId: 'i',
    resource: { attributes: [], schemaUrl: '' },
    levels: () => {
      throw new Error('not yet');
    },
    onError: (error) => errors.push(error),
  });
  const metrics = metricsOf(await telemetry.registerReader('cumulative').collect());
  t.true(metrics.has('process.cpu.time'));
  t.false(metrics.has('streamgauge.collector.stream.active'));
  t.true(errors.length > 0 && errors.every((error) => (error as Error).message === 'not yet'));
});

test('the longest merge is that of a window, the same for all readers', async (t) => {
  let now = 0;
  const { telemetry } = started(t, () => now);
  const readers = [telemetry.registerReader('cumulative'), telemetry.registerReader('delta')];
  const longest = async () => {
    const both = await Promise.all(readers.map(async (reader) => metricsOf(await reader.collect())));
    return both.map((metrics) => metrics.get('streamgauge.collector.merge.longest')!.dataPoints[0]!.value);
  };
  telemetry.counters.sessions.maxMergeMs = 40;
  t.deepEqual(await longest(), [0, 0]);
  now = 5000;
  t.deepEqual(await longest(), [0.04, 0.04]);
  telemetry.counters.sessions.maxMergeMs = 10;
  now = 9999;
  t.deepEqual(await longest(), [0.04, 0.04]);
  now = 10_000;
  t.deepEqual(await longest(), [0.01, 0.01]);
});

test('in Prometheus: no conflicts, nothing left out, names as promtool wants them', async (t) => {
  const { telemetry } = started(t);
  const reader = telemetry.registerReader('cumulative');
  telemetry.exportObserver('a').request?.(10, 1, '');
  const report = new ExpositionReport();
  const collection = collectionFromSdk(await reader.collect(), 0);
  const text = [...new PrometheusWriter().write(collection, 'text', report)].join('');
  const families = parseExposition(text, false);
  t.deepEqual(report.conflicts, []);
  t.is(families.get('streamgauge_collector_point_received_total')?.type, 'counter');
  t.is(families.get('process_cpu_time_seconds_total')?.samples.length, 2);
  t.is(families.get('streamgauge_collector_export_duration_seconds')?.type, 'histogram');
  for (const { name, type } of families.values()) {
    t.notRegex(
      name,
      /_(s|ms|us|ns|b|kb|m|h|d|milliseconds|count|sum|bucket|gauge|counter|histogram)(_|$)/,
      name,
    );
    t.is(name.endsWith('_total'), type === 'counter', name);
  }
});
