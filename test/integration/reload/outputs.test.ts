import test from 'ava';
import { attributes, attributesKey } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { counter, SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { until } from '../../interop/until.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import { CountingSource, counts } from '../counting-source.ts';
import { collectorConfig, startAgent, view } from '../in-process.ts';
import { mergesAnew } from '../merged.ts';
import { ReloadedCollector } from './reloaded.ts';

const passed = metric({ name: 'bytes.passed', unit: 'By', kind: 'sum', isMonotonic: true, valueType: 'int' });
const fleet = view('jobs.done', { name: 'fleet.done', resourceKeys: [] });
const byKind = view('jobs.done', {
  name: 'fleet.by_kind',
  resourceKeys: [],
  attributeKeys: { included: ['kind'] },
});
const byUser = view('jobs.done', {
  name: 'fleet.by_user',
  resourceKeys: [],
  attributeKeys: { included: ['user'] },
});

for (const storage of ['directory', 'memory'] as const)
  test(`a merged view that changes begins at zero with what is held as baseline; all others go on: ${storage}`, async (t) => {
    const views = [fleet, byKind];
    const world = await ReloadedCollector.start(t, {
      views,
      ...(storage === 'memory' ? { storage: { kind: 'memory' } } : {}),
    });
    const { collector } = world;
    const source = new CountingSource();
    const [jobs, bytes] = [source.add(counts, { kind: 'a', user: 'u' }), source.add(passed)];
    const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition()] });
    await mergesAnew(collector, agent);
    jobs.value = 17;
    bytes.value = 4000;
    await until(
      () => world.point('fleet.done').value === 17 && world.point('bytes.passed').value === 4000,
      'merged',
    );
    const before = { fleet: world.point('fleet.done'), passing: world.point('bytes.passed') };
    const kindStartUs = world.point('fleet.by_kind').startUs!;
    t.deepEqual(await world.reload({ views: [byUser, fleet] }), [
      'meter_provider.views[0]',
      'meter_provider.views[1]',
    ]);
    t.like(world.point('fleet.done'), { value: 17, startUs: before.fleet.startUs });
    t.like(world.point('bytes.passed'), { value: 4000, startUs: before.passing.startUs });
    t.is(world.points('fleet.by_kind').size, 0);
    const begun = world.point('fleet.by_user');
    t.is(begun.value, 0);
    t.true(begun.startUs! > kindStartUs);
    jobs.value = 20;
    await until(() => world.point('fleet.done').value === 20, 'it goes on');
    t.like(world.point('fleet.by_user'), { value: 3, startUs: begun.startUs });
    t.is(collector.agents()[0]!.session, 's1', 'no stream was ended');
  });

test('reload while a member is partitioned: what it counted meanwhile is counted when it is back', async (t) => {
  const world = await ReloadedCollector.start(t, { views: [fleet, byKind] });
  const { collector } = world;
  const proxy = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await proxy.listen();
  t.teardown(() => proxy.close());
  const source = new CountingSource();
  const jobs = source.add(counts, { kind: 'a', user: 'u' });
  const agent = await startAgent(t, `127.0.0.1:${proxy.port}`, { id: 'a', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  jobs.value = 10;
  await until(() => world.point('fleet.done').value === 10, 'merged');
  proxy.refusing = true;
  proxy.cut();
  await until(() => collector.agents()[0]!.state === 'silent', 'it is gone');
  jobs.value = 25;
  await world.reload({ views: [fleet, byUser], stalenessMs: 60_000 });
  t.is(world.point('fleet.done').value, 10);
  t.is(world.point('fleet.by_user').value, 0);
  proxy.refusing = false;
  await until(() => world.point('fleet.done').value === 25, 'it is back');
  t.is(world.point('fleet.by_user').value, 15, 'all but what was held when the view began');
});

test('a limit that is raised is told to agents on a new stream, and a series that was refused counts from zero in a new epoch', async (t) => {
  const { grpc } = collectorConfig();
  const world = await ReloadedCollector.start(t, {
    views: [view('things', { resourceKeys: [], attributeKeys: { included: ['kind'] } })],
    grpc: { ...grpc, limits: { ...grpc.limits, maxSeries: 1 } },
  });
  const { grpc: address } = world.collector.addresses;
  const of = (kind: string) =>
    [...world.points('things')].find(([key]) => key.endsWith(attributesKey(attributes({ kind }))))?.[1];
  const things = counter('things');
  const series = (kind: string, epoch: string) => ({
    ...{ metric: things, attributes: { kind }, epoch },
    beganUs: 1,
  });
  const identity = { memberId: 'a', incarnation: Buffer.alloc(16, 7) };
  const first = new SyntheticAgent(identity);
  t.teardown(() => first.cut());
  const welcome = await first.connect(address);
  t.is(welcome.limits.maxSeries, 1);
  first.define([series('a', 'a'), series('b', 'b')]);
  await first.sums(3, 100);
  t.like(first.refusals[0], { kind: 'limit', report: 0, series: [2] });
  t.deepEqual([of('a')?.value, of('b')], [3, undefined]);
  t.deepEqual(await world.reload({ grpc }), ['grpc.limits.max_series']);
  await first.until(() => first.drained, 'the wish to begin a new stream');
  first.halfClose();
  const second = new SyntheticAgent({ ...identity, lastReport: first.lastReport });
  t.teardown(() => second.cut());
  t.is((await second.connect(address)).limits.maxSeries, grpc.limits.maxSeries);
  second.define([series('a', 'a'), series('b', 'b 1')]);
  await second.sums(3, 0);
  t.deepEqual([of('a')?.value, of('b')?.value], [3, 0]);
  await second.sums(3, 4);
  t.deepEqual([of('a')?.value, of('b')?.value], [3, 4]);
  t.deepEqual(second.refusals, []);
});

test('while outputs are read a reload waits, and a collection that is under way sees the views of before', async (t) => {
  const world = await ReloadedCollector.start(t, { views: [fleet] });
  const { collector } = world;
  const source = new CountingSource();
  source.add(counts, { kind: 'a' }).value = 1;
  const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  const reading = collector.collect().resources[Symbol.iterator]();
  t.false(reading.next().done);
  let isDone = false;
  const reloading = world.reload({ views: [byKind] }).then(() => {
    isDone = true;
  });
  await mergesAnew(collector, agent);
  t.false(isDone);
  t.is(world.points('fleet.done').size, 1);
  while (reading.next().done !== true);
  await reloading;
  t.is(world.points('fleet.done').size, 0);
  t.is(world.points('fleet.by_kind').size, 1);
});

test('reloads follow one another, and one without a change says so', async (t) => {
  const world = await ReloadedCollector.start(t, { views: [fleet] });
  const reloads = [[byKind], [byUser], [fleet]].map((views) =>
    world.collector.reload({ ...world.config, views }),
  );
  await Promise.all(reloads);
  t.deepEqual(await world.collector.reload(), []);
  t.truthy(world.said('configuration read again: nothing has changed'));
  await world.collector.stop();
  await t.throwsAsync(world.collector.reload(), { message: /the collector is stopped/ });
});
