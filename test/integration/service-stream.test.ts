import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from '../agent/until.ts';
import { startCollectorProcess } from '../process/streamgauge.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import type { ReceivedPoint } from '../sinks/received-points.ts';
import { otlpReader, startCollector, view } from './in-process.ts';
import { type Recorded, RecordingService } from './recording-service.ts';

/** The newest point of each series of a metric. */
function newest(sink: OtlpSink, name: string): ReceivedPoint[] {
  const points = new Map<string, ReceivedPoint>();
  for (const point of sink.points)
    if (point.name === name) points.set(JSON.stringify([point.resource, point.attributes], text), point);
  return [...points.values()];
}

const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);

const sum = (map: Map<string, number>) => [...map.values()].reduce((a, b) => a + b, 0);

/** What a sink has of a service's instruments, in the form of what the service has recorded. */
function shownAs(sink: OtlpSink): Partial<Recorded> {
  const value = (name: string) => newest(sink, name)[0]?.value;
  const took = value('took') as { bucketCounts: number[]; sum: number } | undefined;
  const sizes = value('sizes') as { count: number; sum: number } | undefined;
  return {
    jobs: new Map(
      newest(sink, 'jobs').map(({ attributes, value: jobs }) => [
        `${attributes.queue}/${attributes.shard}`,
        Number(jobs),
      ]),
    ),
    open: Number(value('open')),
    level: Number(value('level')),
    ticks: Number(value('ticks')),
    buckets: took?.bucketCounts ?? [],
    tookSum: took?.sum ?? -1,
    sizes: sizes?.count ?? -1,
    sizesSum: sizes?.sum ?? -1,
  };
}

async function sinkOf(t: ExecutionContext): Promise<OtlpSink> {
  const sink = await startGrpcSink();
  t.teardown(() => sink.stop());
  return sink;
}

function serviceOf(t: ExecutionContext, endpoint: string, instance: string): RecordingService {
  const service = new RecordingService(endpoint, instance);
  t.teardown(() => service.exporter.shutdown().catch(() => {}));
  return service;
}

const equals = (a: unknown, b: unknown) => JSON.stringify(a, inOrder) === JSON.stringify(b, inOrder);

function inOrder(_: string, value: unknown): unknown {
  return value instanceof Map ? [...value].sort() : value;
}

test('what a service records is what the backend gets: every kind, as it came', async (t) => {
  const sink = await sinkOf(t);
  const collector = await startCollector(t, { readers: [otlpReader('otlp_grpc', sink)] });
  const service = serviceOf(t, collector.addresses.grpc!, 'a');
  for (let round = 0; round < 4; round++) {
    service.work(25, round * 25);
    await service.flush();
  }
  await sink.waitFor(() => equals(shownAs(sink), service.recorded), 'the sink has what was recorded');
  t.deepEqual(shownAs(sink), service.recorded);
  const [jobs] = newest(sink, 'jobs');
  t.like(jobs, { scope: 'shop.meter', unit: '{job}', temporality: 'cumulative', monotonic: true });
  t.like(jobs!.resource, { 'service.name': 'shop', 'service.instance.id': 'a' });
  t.is(service.exporter.status().memberId, 'shop/a');
  t.true(jobs!.start > 0n && jobs!.start <= jobs!.time);
});

test('services that come, restart and go add up in one total', async (t) => {
  const sink = await sinkOf(t);
  const collector = await startCollector(t, {
    readers: [otlpReader('otlp_grpc', sink)],
    views: [view('jobs', { name: 'fleet.jobs', resourceKeys: [], attributeKeys: { included: [] } })],
  });
  let total = 0;
  const totals = () => newest(sink, 'fleet.jobs').map(({ value }) => Number(value));
  for (const instance of ['a', 'b', 'a', 'a']) {
    const service = serviceOf(t, collector.addresses.grpc!, instance);
    service.work(20, total);
    await service.flush();
    service.work(7, 3);
    // The last measurements go out with the farewell.
    await service.provider.shutdown();
    total += sum(service.recorded.jobs);
    await sink.waitFor(() => totals()[0] === total, `the total is ${total}`);
  }
  t.deepEqual(totals(), [total]);
  const shown = sink.points.filter(({ name }) => name === 'fleet.jobs').map(({ value }) => Number(value));
  t.deepEqual(
    shown,
    shown.toSorted((a, b) => a - b),
    'a total never falls',
  );
});

test('a collector that is killed and comes back with its directory: nothing is lost, nothing counts twice', async (t) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'service-stream-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const first = await startCollectorProcess(['--data-dir', directory]);
  t.teardown(() => first.child.kill());
  const service = serviceOf(t, `127.0.0.1:${first.grpcPort}`, 'a');
  service.work(30);
  await service.flush();
  await first.child.kill();
  service.work(30, 30);
  const ports = { grpcPort: first.grpcPort, httpPort: first.httpPort, adminPort: first.adminPort };
  const second = await startCollectorProcess(['--data-dir', directory], ports);
  t.teardown(() => second.child.kill());
  await service.flush();
  const response = await fetch(`http://127.0.0.1:${second.httpPort}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('jobs_total{'));
  const values = lines.map((line) =>
    Number(
      line
        .slice(line.lastIndexOf('}') + 1)
        .trim()
        .split(' ')[0],
    ),
  );
  t.is(
    values.reduce((a, b) => a + b, 0),
    sum(service.recorded.jobs),
  );
  t.true(service.exporter.status().reconnects > 0);
});

test('while there is no collector exports succeed and nothing grows', async (t) => {
  const service = serviceOf(t, '127.0.0.1:9', 'a');
  service.work(10);
  t.is(await exported(service), 0);
  const { heldSeries } = service.exporter.status();
  for (let round = 0; round < 200; round++) {
    service.work(10, round);
    t.is(await exported(service), 0);
  }
  const status = service.exporter.status();
  t.is(status.heldSeries, heldSeries);
  t.is(status.reports, 0);
  await until('a connection was refused', () => service.exporter.status().lastError !== '');
  t.regex(service.exporter.status().lastError, /cannot be reached: .*ECONNREFUSED/);
});

/** The code of one export. */
async function exported(service: RecordingService): Promise<number> {
  const { exporter } = service;
  const before = exporter.export.bind(exporter);
  const code = new Promise<number>((resolve) => {
    exporter.export = (metrics, done) =>
      before(metrics, (result) => {
        resolve(result.code);
        done(result);
      });
  });
  const flush = exporter.forceFlush.bind(exporter);
  exporter.forceFlush = async () => {};
  await service.provider.forceFlush();
  exporter.export = before;
  exporter.forceFlush = flush;
  return code;
}

test('forceFlush and shutdown reject with what was not delivered, and where to', async (t) => {
  const service = new RecordingService('127.0.0.1:9', 'a', { timeoutMs: 5000 });
  service.work(6);
  const expected = {
    message:
      /the newest values of 11 series were not delivered within 5000 ms to http:\/\/127\.0\.0\.1:9: .*cannot be reached/,
  };
  await t.throwsAsync(service.flush(), expected);
  await t.throwsAsync(service.exporter.shutdown(), {
    message: /the newest values of 11 series were not delivered to http:\/\/127\.0\.0\.1:9: /,
  });
  t.is(await exported(service), 1);
});
