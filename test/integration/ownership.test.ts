import test from 'ava';
import { SyntheticAgent } from '../agents/synthetic-agent.ts';
import { until } from '../interop/until.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { CountingSource, counts, open } from './counting-source.ts';
import { startAgent, startCollector } from './in-process.ts';
import { mergesAnew } from './merged.ts';
import { shown } from './shown.ts';

test('an agent with the id of another one on this boot takes its place, and the displaced one returns when it leaves', async (t) => {
  const collector = await startCollector(t);
  const { grpc } = collector.addresses;
  const make = (value: number) => {
    const source = new CountingSource();
    source.add(counts, {}, value);
    source.add(open, {}, value);
    return startAgent(t, grpc, { id: 'same', sources: [source.definition()] });
  };
  const first = await make(1);
  await mergesAnew(collector, first);
  const second = await make(20);
  await mergesAnew(collector, second);
  await until(() => !first.status().connected && first.status().reconnects >= 3, 'the first is turned away');
  t.regex(
    first.status().lastError,
    /agent_id "same": the agent at .* has the same id .*give one of them an agent_id of its own$/,
  );
  t.is(second.status().reconnects, 0);
  t.is(shown(collector, open.name).get('same'), 20);
  t.is(shown(collector, counts.name).get('same'), 20);
  t.true((await second.drain(30_000)).delivered);
  await until(() => first.status().connected, 'the first is back');
  await until(() => shown(collector, open.name).get('same') === 1, 'its values are shown again');
});

test('a clone on another machine is turned away while the agent lives, and harms nothing', async (t) => {
  const collector = await startCollector(t);
  const { grpc } = collector.addresses;
  const source = new CountingSource();
  const counter = source.add(counts, {}, 5);
  const agent = await startAgent(t, grpc, { id: 'disk', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  for (let attempt = 0; attempt < 3; attempt++) {
    const clone = new SyntheticAgent({ memberId: 'disk', bootId: 'another machine' });
    t.teardown(() => clone.cut());
    await t.throwsAsync(clone.connect(grpc), {
      message:
        /^6 the agent at 127\.0\.0\.1:\d+ has the same id and is connected; .*give one of them an agent_id of its own$/,
    });
  }
  counter.value = 9;
  await until(() => shown(collector, counts.name).get('disk') === 9, 'the agent counts on');
  t.is(agent.status().reconnects, 0);
  t.true((await agent.drain(30_000)).delivered);
  const heir = new SyntheticAgent({ memberId: 'disk', bootId: 'another machine' });
  t.teardown(() => heir.cut());
  await heir.connect(grpc);
  t.is(collector.figures().agents, 1);
});

test('an agent takes over from its own half-open connection and counts on', async (t) => {
  const collector = await startCollector(t);
  const proxy = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await proxy.listen();
  t.teardown(() => proxy.close());
  const source = new CountingSource();
  const counter = source.add(counts, {}, 5);
  const agent = await startAgent(t, `127.0.0.1:${proxy.port}`, { id: 'a', sources: [source.definition()] });
  await mergesAnew(collector, agent);
  for (let round = 1; round <= 3; round++) {
    const { session } = agent.status();
    // The agent's side is gone; the collector hears nothing of it.
    proxy.strand();
    counter.value += 10;
    await until(
      () => agent.status().connected && agent.status().session !== session,
      'the agent is welcome on another stream',
      5000,
    );
    await until(() => shown(collector, counts.name).get('a') === counter.value, 'the newest value');
    t.is(collector.figures().agents, 1);
    t.like(collector.agents(), [{ memberId: 'a', state: 'connected', session: agent.status().session }]);
  }
  t.is(agent.status().reconnects, 3);
  t.is(agent.status().refused.epoch_fell + agent.status().refused.epoch_old, 0);
});

test('an agent whose connection stands still notices, and goes on when it moves again', async (t) => {
  const collector = await startCollector(t);
  const proxy = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await proxy.listen();
  t.teardown(() => proxy.close());
  const source = new CountingSource();
  const counter = source.add(counts, {}, 5);
  const agent = await startAgent(t, `127.0.0.1:${proxy.port}`, {
    id: 'a',
    sources: [source.definition()],
    collector: { keepaliveTimeMs: 100, keepaliveTimeoutMs: 100, connectTimeoutMs: 1500 },
  });
  await mergesAnew(collector, agent);
  proxy.hold();
  counter.value = 50;
  await until(() => agent.status().reconnects >= 2, 'the agent tries anew');
  proxy.resume();
  await until(() => agent.status().connected, 'the agent is back');
  counter.value = 60;
  await until(() => shown(collector, counts.name).get('a') === 60, 'the newest value');
  t.is(collector.figures().agents, 1);
});
