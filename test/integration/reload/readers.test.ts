import test, { type ExecutionContext } from 'ava';
import { until } from '../../interop/until.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import type { OtlpSink } from '../../sinks/otlp-sink.ts';
import type { ReceivedPoint } from '../../sinks/received-points.ts';
import { CountingSource, counts, type SetSeries } from '../counting-source.ts';
import { otlpReader, startAgent } from '../in-process.ts';
import { mergesAnew } from '../merged.ts';
import { folder, other, ReloadedCollector } from './reloaded.ts';

async function sinks(t: ExecutionContext, count: number): Promise<OtlpSink[]> {
  const started = await Promise.all(Array.from({ length: count }, () => startHttpSink()));
  for (const sink of started) t.teardown(() => sink.stop());
  return started;
}

const jobsOf = (...from: readonly OtlpSink[]): ReceivedPoint[] =>
  from.flatMap(({ points }) => points.filter(({ name }) => name === counts.name));

/** What delta intervals come to: each counts once, and one begins where another ends. */
function total(t: ExecutionContext, points: readonly ReceivedPoint[]): number {
  const byStart = new Map(points.map((point) => [point.start, point]));
  const intervals = [...byStart.values()].sort((a, b) => Number(a.time - b.time));
  for (const [i, { start }] of intervals.entries()) if (i > 0) t.is(start, intervals[i - 1]!.time);
  return intervals.reduce((sum, { value }) => sum + Number(value), 0);
}

async function counting(t: ExecutionContext, world: ReloadedCollector): Promise<SetSeries> {
  const source = new CountingSource();
  const jobs = source.add(counts);
  const { collector } = world;
  const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  return jobs;
}

const has = (t: ExecutionContext, value: number, ...from: readonly OtlpSink[]) =>
  until(() => sumOf(jobsOf(...from)) === value, `${value} have arrived`).then(() =>
    t.is(total(t, jobsOf(...from)), value),
  );
const sumOf = (points: readonly ReceivedPoint[]): number =>
  [...new Map(points.map((point) => [point.start, point])).values()].reduce(
    (sum, { value }) => sum + Number(value),
    0,
  );

test('a delta reader goes on through changes of its interval, backend and requests, others come and go, and a restart goes on from there', async (t) => {
  const [first, second, third] = (await sinks(t, 3)) as [OtlpSink, OtlpSink, OtlpSink];
  const directory = await folder(t);
  const reader = otlpReader('otlp_http', first, { temporality: 'delta', intervalMs: 100 });
  const world = await ReloadedCollector.start(t, { readers: [reader] }, directory);
  const jobs = await counting(t, world);
  jobs.value = 5;
  await has(t, 5, first);
  const late = otlpReader('otlp_http', third, { name: 'late', temporality: 'delta', intervalMs: 100 });
  const moved = other(
    reader,
    { intervalMs: 50, maxRequestBytes: 64 * 1024 },
    { endpoint: `${second.url}/v1/metrics` },
  );
  t.deepEqual(
    (await world.reload({ readers: [moved, late] })).filter((key) => key.includes('otlp_http.')),
    ['interval', 'max_request_bytes', 'exporter.endpoint'].map(
      (key) => `meter_provider.readers.otlp_http.${key}`,
    ),
  );
  jobs.value = 9;
  await has(t, 9, first, second);
  // One that comes later has all there was since the state began.
  await has(t, 9, third);
  await world.reload({ readers: [moved] });
  await until(
    () => world.said('a reader is not configured any more; its backend') !== undefined,
    'it has gone',
  );
  jobs.value = 12;
  await has(t, 12, first, second);
  // What it was told last was told when it was removed, or before.
  t.is(total(t, jobsOf(third)), 9);
  // Its books end with it; those of the other one go on, balanced.
  t.deepEqual(
    world.collector.figures().readers.map(({ name }) => name),
    ['otlp_http'],
  );
  await world.collector.stop();
  const told = jobsOf(third).length;
  const again = await ReloadedCollector.start(t, { readers: [moved, late] }, directory);
  const more = await counting(t, again);
  more.value = 3;
  await has(t, 15, first, second);
  // It was gone, so it begins anew, with all there was.
  const since = () => jobsOf(third).slice(told);
  await until(() => sumOf(since()) === 15, 'it is back');
  t.is(total(t, since()), 15);
});

test('what a removed reader could not deliver within the time for a stop is counted and told', async (t) => {
  const [sink] = (await sinks(t, 1)) as [OtlpSink];
  sink.plan = () => 'unavailable';
  const reader = otlpReader('otlp_http', sink, { temporality: 'delta', intervalMs: 100 });
  const world = await ReloadedCollector.start(t, { readers: [reader], shutdownTimeoutMs: 300 });
  await counting(t, world);
  const waiting = async () => (await statusOf(world)).exports[0].queue.points;
  await until(async () => (await waiting()) > 0, 'intervals wait');
  await world.reload({ readers: [] });
  const message = 'a reader is not configured any more, and its backend does not have everything';
  await until(() => world.said(message) !== undefined, 'it has gone');
  const { level, fields } = world.said(message)!;
  t.is(level, 'warn');
  t.like(fields, { reader: 'otlp_http', pointsDelivered: 0 });
  t.true((fields.pointsUndelivered as number) > 0);
  t.regex(String(fields.error), /503/);
  t.deepEqual((await statusOf(world)).exports, []);
});

async function statusOf({ collector }: ReloadedCollector) {
  const status = await (await fetch(`http://${collector.addresses.admin}/status`)).json();
  return status as { readonly exports: readonly [{ readonly queue: { readonly points: number } }] };
}

test('a reader that did not change keeps its connection and its queue, whatever else is reloaded', async (t) => {
  const [sink] = (await sinks(t, 1)) as [OtlpSink];
  const reader = otlpReader('otlp_http', sink, { temporality: 'delta', intervalMs: 100 });
  const world = await ReloadedCollector.start(t, { readers: [reader] });
  const jobs = await counting(t, world);
  sink.plan = () => 'unavailable';
  jobs.value = 7;
  await until(() => sink.attempts.some(({ fault }) => fault === 'unavailable'), 'it fails');
  await world.reload({ stalenessMs: 60_000, log: { level: 'debug' } });
  jobs.value = 8;
  sink.plan = () => 'ok';
  await has(t, 8, sink);
});

test('a cumulative reader that gets room for history is made anew, and totals go on', async (t) => {
  const [sink] = (await sinks(t, 1)) as [OtlpSink];
  const reader = otlpReader('otlp_http', sink, { intervalMs: 100 });
  const world = await ReloadedCollector.start(t, { readers: [reader] });
  const jobs = await counting(t, world);
  jobs.value = 4;
  const last = () => jobsOf(sink).at(-1);
  await until(() => last()?.value === 4n, 'it is there');
  const { start } = last()!;
  const queue = { maxBytes: 2 ** 20, maxAgeMs: 60_000, whenFull: 'coalesce' } as const;
  await world.reload({ readers: [{ ...reader, queue }] });
  jobs.value = 6;
  await until(() => last()?.value === 6n, 'it goes on');
  t.is(last()!.start, start);
  await until(
    () => world.said('a reader is not configured any more') !== undefined,
    'the other one has ended',
  );
  jobs.value = 7;
  await until(() => last()?.value === 7n, 'it still goes on');
});
