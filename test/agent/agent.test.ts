import test from 'ava';
import {
  Agent,
  type AgentConfig,
  type AgentDependencies,
  agentDefaults,
  attributes,
  emptyScope,
  metric,
  type SourceDefinition,
} from '../../agent/index.ts';
import { recordedLog } from './recorded-log.ts';
import { until } from './until.ts';
import { FakeCollector } from './uplink/fake-collector.ts';

/** A source of one counter that rises by one with each collection. */
function ticks(intervalMs = 20): SourceDefinition {
  return {
    intervalMs,
    make(group) {
      const cell = group.define({
        scope: { ...emptyScope, name: 'embedder' },
        metric: metric({ name: 'ticks', kind: 'sum', isMonotonic: true, valueType: 'int' }),
        attributes: attributes({}),
        epoch: { token: 'ticks', beganMs: performance.now() },
      });
      let value = 0;
      return { name: 'ticks', collect: () => group.setCounter(cell, ++value) };
    },
  };
}

function config(endpoint: string, more: Partial<AgentConfig> = {}): AgentConfig {
  return {
    ...agentDefaults,
    collector: { ...agentDefaults.collector, endpoint, backOff: { initialMs: 10, maxMs: 100 } },
    agentId: 'agent-under-test',
    resource: attributes({ 'deployment.environment.name': 'test' }),
    host: { ...agentDefaults.host, enabled: false },
    ...more,
  };
}

function agentOf(configuration: AgentConfig, dependencies: Partial<AgentDependencies> = {}) {
  const log = recordedLog();
  const agent = new Agent(configuration, { log, version: '1.2.3', sources: [ticks()], ...dependencies });
  return { agent, log, [Symbol.asyncDispose]: () => agent.stop() };
}

test('an agent with a source of its own reports it, and drains with the last value', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = agentOf(config(collector.address));
  const { agent } = rig;
  t.like(agent.status(), { connected: false, memberId: '', endpoint: collector.address });
  await agent.start();
  agent.addSource({ ...ticks(50), make: (group) => ({ ...ticks().make(group), name: 'more' }) });
  const stream = await collector.reported(0, 5);
  t.like(stream.hello, { memberId: 'agent-under-test', userAgent: 'streamgauge/1.2.3' });
  const resource = Object.fromEntries(
    stream.hello.resource.map((a: { key: string; value: { stringValue: string } }) => [
      a.key,
      a.value.stringValue,
    ]),
  );
  t.is(resource['deployment.environment.name'], 'test');
  t.is(typeof resource['host.name'], 'string');
  await until('the second source is there', () => stream.series.size === 2);
  const status = agent.status();
  t.like(status, { connected: true, memberId: 'agent-under-test', sourceErrors: 0 });
  t.deepEqual(
    status.sampling.map(({ intervalMs, sources }) => [intervalMs, sources]),
    [
      [20, ['ticks']],
      [50, ['more']],
    ],
  );

  const report = await agent.drain(5_000);
  t.true(report.delivered);
  t.is(report.lastReport, stream.last.number);
  t.is(report.acknowledged, stream.last.number);
  t.is(stream.series.get(1)!.value, agent.status().sampling[0]!.collections);
  t.deepEqual(collector.problems, []);
  await agent.stop();
  await agent.stop();
  await t.throwsAsync(agent.start(), { message: /starts once, and this one is stopped/ });
});

test('draining and stopping are safe before start', async (t) => {
  const { agent } = agentOf(config('127.0.0.1:1'));
  t.deepEqual(await agent.drain(100), {
    delivered: false,
    lastReport: 0,
    acknowledged: 0,
    reason: 'the agent was not running',
  });
  await agent.stop();
});

test('a source that throws is logged once and counted, and the others go on', async (t) => {
  await using collector = await FakeCollector.start();
  const bad: SourceDefinition = {
    intervalMs: 20,
    make: () => ({
      name: 'bad',
      collect() {
        throw new Error('broken');
      },
    }),
  };
  await using rig = agentOf(config(collector.address), { sources: [bad, ticks()] });
  await rig.agent.start();
  const stream = await collector.reported(0, 4);
  t.true(stream.live('ticks').value! >= 4);
  t.true(rig.agent.status().sourceErrors >= 4);
  const errors = rig.log.lines.filter(({ level }) => level === 'error');
  t.is(errors.length, 1);
  t.regex(errors[0]!.message, /the source bad failed/);
});

test('an interval that is not allowed is named with what is', (t) => {
  for (const intervalMs of [0, 9, 1.5, Number.NaN, 86_400_001])
    t.throws(() => agentOf(config('127.0.0.1:1'), { sources: [ticks(intervalMs)] }), {
      message: `a source's interval is ${intervalMs} ms; whole numbers from 10 to 86400000 are allowed`,
    });
});

test('an id that is not valid makes start reject', async (t) => {
  const { agent } = agentOf(config('127.0.0.1:1', { agentId: '' }));
  await t.throwsAsync(agent.start(), { message: /^agent_id: / });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('the host’s metrics arrive, each in the group of its interval', async (t) => {
  await using collector = await FakeCollector.start();
  const host = { ...agentDefaults.host, memory: { enabled: true, intervalMs: 250 } };
  await using rig = agentOf(config(collector.address, { host }), { sources: [] });
  await rig.agent.start();
  const stream = await collector.reported(0, 2);
  const metrics = new Map([...stream.series.values()].map((series) => [series.metric, series]));
  for (const name of ['system.cpu.time', 'system.memory.usage', 'system.uptime', 'system.network.io'])
    t.true(metrics.has(name), name);
  const groupOf = (source: string) =>
    rig.agent.status().sampling.findIndex(({ sources }) => sources.some((s) => s.includes(source)));
  t.is(metrics.get('system.memory.usage')!.group, groupOf('memory'));
  t.is(metrics.get('system.cpu.time')!.group, groupOf('cpu'));
  t.not(groupOf('memory'), groupOf('cpu'));
  t.is(rig.agent.status().sampling[groupOf('memory')]!.intervalMs, 250);
  t.true((await rig.agent.drain(5_000)).delivered);
  t.deepEqual(collector.problems, []);
});

onLinux('collected once, an agent gives its host’s metrics without a collector', async (t) => {
  await using rig = agentOf(config('127.0.0.1:1', { host: agentDefaults.host, agentId: '' }));
  const [own, ...others] = [...rig.agent.collectOnce().resources];
  t.deepEqual(others, []);
  t.true(own!.resource.attributes.some(([key]) => key === 'host.name'));
  const names = own!.scopes.flatMap(({ streams }) => streams.map((stream) => stream.metric.name));
  for (const name of ['ticks', 'system.cpu.time', 'system.memory.usage']) t.true(names.includes(name), name);
  t.false(rig.agent.status().connected);
});
