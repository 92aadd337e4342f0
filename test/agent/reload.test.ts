import fs from 'node:fs';
import test from 'ava';
import { Agent } from '../../agent/agent.ts';
import { type AgentConfig, agentDefaults } from '../../agent/config/agent-config.ts';
import { changedKeys } from '../../agent/config/changes.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { recordedLog } from './recorded-log.ts';
import { KeptSource } from './state/kept-source.ts';
import { until } from './until.ts';
import { FakeCollector, type SeenStream } from './uplink/fake-collector.ts';

const off = { enabled: false, intervalMs: 1000 };

/** Three groups of the host, fast. */
function config(endpoint: string): AgentConfig {
  const { host, collector } = agentDefaults;
  const on = { enabled: true, intervalMs: 50 };
  return {
    ...agentDefaults,
    agentId: 'reloaded',
    collector: { ...collector, endpoint, backOff: { initialMs: 10, maxMs: 50 } },
    host: {
      ...host,
      cpu: on,
      uptime: on,
      load: on,
      memory: off,
      paging: off,
      disk: { ...host.disk, enabled: false },
      filesystem: { ...host.filesystem, enabled: false },
      network: { ...host.network, enabled: false },
      connections: off,
      processes: off,
    },
  };
}

function agentOf(of: AgentConfig, ...sources: KeptSource[]) {
  const log = recordedLog();
  const agent = new Agent(of, { log, sources: sources.map((source) => source.definition()) });
  return { agent, log, [Symbol.asyncDispose]: () => agent.stop() };
}

/** By metric, what is told of its live series. */
const live = (stream: SeenStream, metric: string) =>
  [...stream.series.values()].filter((series) => series.metric === metric && series.retired === undefined);
const onLinux = process.platform === 'linux' ? test : test.skip;
const descriptors = () => fs.readdirSync('/proc/self/fd').length;

onLinux(
  'a group with another interval is made anew, on the same stream and in the same epochs; the others go on',
  async (t) => {
    await using collector = await FakeCollector.start();
    const before = config(collector.address);
    await using rig = agentOf(before);
    await rig.agent.start();
    const stream = await collector.reported(0, 2);
    const [cpu] = live(stream, 'system.cpu.time');
    const [uptime] = live(stream, 'system.uptime');
    const open = descriptors();
    const after = { ...before, host: { ...before.host, cpu: { enabled: true, intervalMs: 80 }, load: off } };
    t.deepEqual(rig.agent.reload(after), {
      changed: ['host.cpu.interval', 'host.load.enabled', 'host.load.interval'],
      atNextStart: [],
    });
    await until(
      'the group has moved',
      () => (live(stream, 'system.cpu.time')[0]?.group ?? cpu!.group) !== cpu!.group,
    );
    await until('the load has left', () => live(stream, 'system.cpu.load_average.1m').length === 0);
    t.is(cpu!.retired, 'idle');
    const [again] = live(stream, 'system.cpu.time');
    t.is(again!.epoch, cpu!.epoch);
    t.is(live(stream, 'system.uptime')[0]!.number, uptime!.number);
    t.deepEqual(
      rig.agent.status().sampling.map(({ intervalMs, sources }) => [intervalMs, sources]),
      [
        [50, ['host.uptime']],
        [80, ['host.cpu']],
      ],
    );
    t.is(
      rig.log.lines.at(-1)!.message,
      'the configuration was read again: host.cpu.interval, host.load.enabled, host.load.interval changed',
    );
    // Back again, often: the files of sources that are no more are closed.
    for (let i = 0; i < 5; i++) for (const each of [before, after]) rig.agent.reload(each);
    await until('the group reports', () => live(stream, 'system.cpu.time').length > 0);
    t.true(descriptors() <= open + 1, `${open} descriptors before, ${descriptors()} after`);
    t.is(collector.streams.length, 1);
    t.deepEqual(collector.problems, []);
  },
);

test('another collector takes over with the same state, and the first has all that was told to it', async (t) => {
  await using first = await FakeCollector.start();
  await using second = await FakeCollector.start();
  const source = new KeptSource('a');
  const before = { ...config(first.address), host: { ...agentDefaults.host, enabled: false } };
  await using rig = agentOf(before, source);
  await rig.agent.start();
  source.count('a', 5);
  const stream = await first.stream();
  await until('it is told', () => live(stream, 'jobs.done')[0]?.value === 5);
  rig.agent.reload({ ...before, collector: { ...before.collector, endpoint: second.address } });
  const next = await second.reported(0, 1);
  await until('the first stream is half-closed', () => stream.halfClosed);
  t.is(live(next, 'jobs.done')[0]!.value, 5);
  t.is(live(next, 'jobs.done')[0]!.epoch, live(stream, 'jobs.done')[0]!.epoch);
  t.true(next.reports[0]!.number > stream.last.number);
  t.is(rig.agent.status().endpoint, second.address);
  t.is(rig.agent.status().lastError, '');
  t.true((await rig.agent.drain(5000)).delivered);
});

test('while nobody can be reached, another collector is tried at once', async (t) => {
  await using collector = await FakeCollector.start();
  const before = config('127.0.0.1:1');
  const slow = {
    ...before,
    collector: { ...before.collector, backOff: { initialMs: 600_000, maxMs: 600_000 } },
  };
  await using rig = agentOf(slow);
  await rig.agent.start();
  await until('it has failed', () => rig.agent.status().reconnects === 1);
  rig.agent.reload({ ...slow, collector: { ...slow.collector, endpoint: collector.address } });
  await collector.reported(0, 1);
  t.pass();
});

test('another resource takes another stream; timeouts and who the agent is do not', async (t) => {
  await using collector = await FakeCollector.start();
  const before = config(collector.address);
  await using rig = agentOf(before);
  await rig.agent.start();
  await collector.reported(0, 1);
  const named = {
    ...before,
    agentId: 'other',
    shutdownTimeoutMs: 1,
    collector: { ...before.collector, connectTimeoutMs: 1234 },
  };
  t.deepEqual(rig.agent.reload(named), {
    changed: ['collector.connect_timeout', 'agent_id', 'shutdown_timeout'],
    atNextStart: ['agent_id'],
  });
  t.regex(rig.log.lines.at(-1)!.message, /changed, of which agent_id at the next start only$/);
  rig.agent.reload(named);
  t.is(rig.log.lines.at(-1)!.message, 'the configuration was read again, and nothing has changed');
  await collector.reported(0, collector.streams[0]!.reports.length + 2);
  t.is(collector.streams.length, 1);
  rig.agent.reload({ ...named, resource: attributes({ team: 'a' }) });
  const next = await collector.stream(1);
  t.true(next.hello.resource.some(({ key }: { key: string }) => key === 'team'));
  t.is(next.hello.memberId, 'reloaded');
});

test('what does not run takes no other configuration', (t) => {
  const rig = agentOf(config('127.0.0.1:1'));
  t.throws(() => rig.agent.reload(config('127.0.0.1:2')), { message: /an agent that is new takes no/ });
});

test('changes are named as in the file, without their values', (t) => {
  const before = config('a:1');
  const { collector, host } = before;
  const after: AgentConfig = {
    ...before,
    collector: {
      ...collector,
      tls: { caFile: 'secret' },
      tokenFile: 'secret',
      keepaliveTimeMs: 1,
      backOff: { initialMs: 1, maxMs: 50 },
    },
    resource: attributes({ secret: 'secret' }),
    host: { ...host, rootPath: '/host', disk: { ...host.disk, devices: { include: ['sda'], exclude: [] } } },
    log: { level: 'debug' },
  };
  t.deepEqual(changedKeys(before, after).sort(), [
    'collector.keepalive_time',
    'collector.reconnect.initial_delay',
    'collector.tls',
    'collector.token_file',
    'host.disk.devices.exclude',
    'host.disk.devices.include',
    'host.root_path',
    'log.level',
    'resource.attributes',
  ]);
});
