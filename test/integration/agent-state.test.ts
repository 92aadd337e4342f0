import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Agent } from '../../agent/agent.ts';
import { type StateContent, stateFromBody } from '../../agent/state/state-content.ts';
import type { Collector } from '../../collector/collector.ts';
import { KeptSource } from '../agent/state/kept-source.ts';
import { until } from '../interop/until.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { makeAgent, startCollector, view } from './in-process.ts';
import { mergesAnew } from './merged.ts';
import { shown } from './shown.ts';

const views = [
  view('jobs.done'),
  view('jobs.done', { name: 'fleet.done', resourceKeys: [], attributeKeys: { included: [] } }),
];

const fleet = (collector: Collector): number =>
  [...shown(collector, 'fleet.done').values()].reduce((sum, value) => sum + value, 0);

async function directory(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-state-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

async function savedState(stateDir: string): Promise<StateContent> {
  const text = await readFile(path.join(stateDir, 'agent-state'), 'utf8');
  return stateFromBody(text.slice(text.indexOf('\n') + 1));
}

async function untilSaved(stateDir: string, values: readonly number[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async () => {
    const { counting } = await savedState(stateDir);
    if (JSON.stringify(counting.map(({ value }) => value)) === JSON.stringify(values)) resolve();
    else setTimeout(() => void look(), 20);
  };
  void look();
  await promise;
}

interface Run {
  readonly agent: Agent;
  readonly source: KeptSource;
}

async function start(
  t: ExecutionContext,
  endpoint: string,
  stateDir: string,
  ...workers: string[]
): Promise<Run> {
  const source = new KeptSource(...workers);
  const agent = makeAgent(endpoint, { id: 'kept', sources: [source.definition()], stateDir });
  t.teardown(() => agent.stop());
  await agent.start();
  return { agent, source };
}

test('what was counted in an outage is delivered by the next run, and counting goes on from there', async (t) => {
  const collector = await startCollector(t, { views });
  const stateDir = await directory(t);
  const proxy = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await proxy.listen();
  t.teardown(() => proxy.close());
  const first = await start(t, `127.0.0.1:${proxy.port}`, stateDir, 'a', 'b');
  await mergesAnew(collector, first.agent);
  first.source.count('a', 5);
  first.source.count('b', 100);
  await until(() => fleet(collector) === 105, 'the counts are merged');
  await proxy.close();
  first.source.count('a', 7);
  await untilSaved(stateDir, [12, 100]);
  await first.agent.stop();

  // b is counted on, a is not.
  const second = await start(t, collector.addresses.grpc, stateDir, 'b');
  second.source.count('b', 1);
  await until(() => fleet(collector) === 113, 'the total holds both runs');
  await until(() => second.agent.status().state.finals === 0, 'the final states are acknowledged');
  t.deepEqual((await savedState(stateDir)).finals, []);
  t.true((await second.agent.drain(10_000)).delivered);
  t.is(fleet(collector), 113);
});

test('a state file that is behind what the collector has makes nothing count twice', async (t) => {
  const collector = await startCollector(t, { views });
  const stateDir = await directory(t);
  const file = path.join(stateDir, 'agent-state');
  const first = await start(t, collector.addresses.grpc, stateDir, 'a');
  await mergesAnew(collector, first.agent);
  first.source.count('a', 5);
  await untilSaved(stateDir, [5]);
  await copyFile(file, `${file}.old`);
  first.source.count('a', 4);
  await until(() => fleet(collector) === 9, 'the newer count is merged');
  await first.agent.stop();
  await copyFile(`${file}.old`, file);

  const second = await start(t, collector.addresses.grpc, stateDir, 'a');
  second.source.count('a', 2);
  await until(() => fleet(collector) === 11, 'the newer value of the old run holds');
  await until(() => second.agent.status().state.finals === 0, 'the final state is acknowledged');
  t.deepEqual(second.agent.status().refused.epoch_fell, 0);
  t.deepEqual(second.agent.status().notCounted, []);
});

test('runs that never saw a collector are delivered as one', async (t) => {
  const collector = await startCollector(t, { views });
  const stateDir = await directory(t);
  // Epochs that begin within the collector's life count from zero.
  for (const count of [3, 20, 100]) {
    const { agent, source } = await start(t, '127.0.0.1:1', stateDir, 'a');
    source.count('a', count);
    await untilSaved(stateDir, [count]);
    await agent.stop();
  }
  const last = await start(t, collector.addresses.grpc, stateDir, 'a');
  t.is(last.agent.status().state.finals, 1);
  last.source.count('a', 1000);
  await until(() => fleet(collector) === 1123, 'the total holds all runs');
});

test('after an end with everything acknowledged nothing is delivered again', async (t) => {
  const collector = await startCollector(t, { views });
  const stateDir = await directory(t);
  const first = await start(t, collector.addresses.grpc, stateDir, 'a');
  first.source.count('a', 5);
  await until(() => fleet(collector) === 5, 'the count is merged');
  first.source.count('a', 1);
  t.true((await first.agent.drain(10_000)).delivered);
  t.is(fleet(collector), 6);
  const { counting, finals, position } = await savedState(stateDir);
  t.deepEqual([counting, finals], [[], []]);
  t.truthy(position);
  const second = await start(t, collector.addresses.grpc, stateDir, 'a');
  t.is(second.agent.status().state.finals, 0);
  second.source.count('a', 4);
  await until(() => fleet(collector) === 10, 'the total goes on');
});

test('a counter that ends in an outage is delivered when the collector is back, before its next life', async (t) => {
  const collector = await startCollector(t, { views });
  const proxy = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await proxy.listen();
  t.teardown(() => proxy.close());
  const { port } = proxy;
  const { agent, source } = await start(t, `127.0.0.1:${port}`, await directory(t), 'a', 'b');
  await mergesAnew(collector, agent);
  source.count('a', 5);
  source.count('b', 1);
  await until(() => fleet(collector) === 6, 'the counts are merged');
  await proxy.close();
  await until(() => !agent.status().connected, 'the stream is cut');
  source.count('a', 10);
  source.retire('a');
  source.count('b', 2);
  source.retire('b');
  // Two further lives that no collector hears of while they last.
  for (const more of [20, 30]) {
    const { collections } = agent.status().sampling[0]!;
    source.count('a', more);
    await until(() => agent.status().sampling[0]!.collections > collections + 1, 'it is collected');
    source.retire('a');
  }
  source.count('a', 400);
  const back = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await back.listen(port);
  t.teardown(() => back.close());
  await until(() => fleet(collector) === 468, 'the total holds all lives', 45_000);
  t.deepEqual(agent.status().notCounted, []);
});
