import test from 'ava';
import { SyntheticAgent } from '../agents/synthetic-agent.ts';
import { until } from '../interop/until.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import { CountingSource, counts } from './counting-source.ts';
import { otlpReader, startAgent, startCollector } from './in-process.ts';
import { mergesAnew } from './merged.ts';

async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  return { status: response.status, text: await response.text() };
}

test('status and agents tell who is connected, who left, and what came', async (t) => {
  const collector = await startCollector(t);
  const { grpc, http, admin } = collector.addresses;
  t.deepEqual(await get(`http://${http}/healthz`), { status: 200, text: 'alive\n' });
  t.deepEqual(await get(`http://${http}/readyz`), { status: 200, text: 'ready\n' });
  t.deepEqual(JSON.parse((await get(`http://${admin}/agents`)).text), []);

  const source = new CountingSource();
  for (let i = 0n; i < 3n; i++) source.add(counts, { i });
  const agents = await Promise.all(
    ['a', 'b'].map((id) => startAgent(t, grpc, { id, sources: [source.definition()] })),
  );
  for (const agent of agents) await mergesAnew(collector, agent);
  const list = JSON.parse((await get(`http://${admin}/agents`)).text);
  t.like(
    list.toSorted((x: { memberId: string }, y: { memberId: string }) => (x.memberId < y.memberId ? -1 : 1)),
    [
      { memberId: 'a', state: 'connected', series: 3, resource: { 'service.instance.id': 'a' } },
      { memberId: 'b', state: 'connected', series: 3, resource: { 'service.instance.id': 'b' } },
    ],
  );
  t.true(list.every((agent: { reports: number; points: number }) => agent.points === 3 * agent.reports));

  t.true((await agents[1]!.drain(30_000)).delivered);
  const sent = agents[1]!.status();
  await agents[0]!.stop();
  const status = async () => JSON.parse((await get(`http://${admin}/status`)).text);
  await until(async () => (await status()).agents === 0, 'both are gone');
  const { version, state, addresses, seriesIn, seriesOut, points, streams, readers } = await status();
  t.is(version, '9.8.7');
  t.is(state, 'running');
  t.deepEqual(addresses, collector.addresses);
  t.is(seriesIn, 6);
  t.is(seriesOut, 6);
  t.is(streams.streamsWelcomed, 2);
  t.is(streams.streamsEnded.goodbye, 1);
  t.is(points, 3 * streams.reports);
  t.true(streams.reports >= sent.reports + 3);
  t.deepEqual(readers, []);
  const left = JSON.parse((await get(`http://${admin}/agents`)).text);
  t.deepEqual(
    Object.fromEntries(
      left.map((agent: { memberId: string; state: string }) => [agent.memberId, agent.state]),
    ),
    { a: 'silent', b: 'stale' },
  );
  t.is((await get(`http://${admin}/nothing`)).status, 404);
});

test('the collector measures itself, and its own metrics leave by every reader', async (t) => {
  const sinks = await Promise.all([startGrpcSink(), startHttpSink()]);
  for (const sink of sinks) t.teardown(() => sink.stop());
  const collector = await startCollector(t, {
    readers: [otlpReader('otlp_grpc', sinks[0]), otlpReader('otlp_http', sinks[1], { temporality: 'delta' })],
  });
  const source = new CountingSource();
  source.add(counts);
  const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  await agent.drain(30_000);
  const { reports } = agent.status();
  const name = 'streamgauge.collector.report.received';
  const own = (sink: OtlpSink) =>
    sink.points.filter((point) => point.scope === 'streamgauge.collector' && point.name === name);
  await sinks[0].waitFor((sink) => own(sink).at(-1)?.value === BigInt(reports), 'the cumulative count');
  const sum = (sink: OtlpSink): number => own(sink).reduce((total, { value }) => total + Number(value), 0);
  await sinks[1].waitFor((sink) => sum(sink) === reports, 'the delta counts');
  t.is(new Set(own(sinks[0]).map(({ start }) => start)).size, 1);
  for (const sink of sinks) {
    t.true(own(sink).every(({ resource }) => resource['service.name'] === 'streamgauge-collector'));
    t.like(own(sink)[0], { unit: '{report}', kind: 'sum', monotonic: true });
    const names = new Set(sink.points.map((point) => point.name));
    for (const each of ['stream.active', 'point.received', 'export.request', 'merge.time'])
      t.true(names.has(`streamgauge.collector.${each}`), each);
    for (const each of ['process.memory.usage', 'process.uptime']) t.true(names.has(each), each);
  }
  t.is(own(sinks[1])[0]!.temporality, 'delta');
});

test('while it drains it is alive but not ready, waits for its agents within the deadline, and exports a last time', async (t) => {
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const collector = await startCollector(t, {
    readers: [otlpReader('otlp_http', sink, { intervalMs: 60_000 })],
  });
  const { grpc, http } = collector.addresses;
  const source = new CountingSource();
  const counter = source.add(counts, {}, 5);
  const agent = await startAgent(t, grpc, { id: 'leaves', sources: [source.definition()] });
  const deaf = new SyntheticAgent({ memberId: 'stays' });
  t.teardown(() => deaf.cut());
  await deaf.connect(grpc);
  await mergesAnew(collector, agent);
  counter.value = 77;
  await mergesAnew(collector, agent);
  t.is(sink.attempts.length, 0);

  const begin = performance.now();
  const drained = collector.drain(6000);
  await deaf.until(() => deaf.drained, 'the wish to leave');
  t.is((await get(`http://${http}/healthz`)).status, 200);
  t.deepEqual(await get(`http://${http}/readyz`), { status: 503, text: 'not ready: draining\n' });
  const late = new SyntheticAgent({ memberId: 'late' });
  t.teardown(() => late.cut());
  await t.throwsAsync(late.connect(grpc), { message: /14 / });
  const report = await drained;
  t.true(performance.now() - begin < 20_000, 'agents that stay do not hold it up');
  t.deepEqual(report.agents, { left: 1, cutOff: 1 });
  t.like(report.readers, [{ name: 'otlp_http', delivered: true, pointsUndelivered: 0, error: undefined }]);
  await deaf.until(() => deaf.ended !== undefined, 'the end');
  t.like(deaf.ended, { code: 14, details: 'the collector is stopping; connect again later' });
  t.is(sink.points.find(({ name }) => name === counts.name)?.value, 77n);
  await collector.stop();
  await t.throwsAsync(get(`http://${http}/healthz`));
});
