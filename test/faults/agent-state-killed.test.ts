import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { type StateContent, stateFromBody } from '../../agent/state/state-content.ts';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { startCollector, view } from '../integration/in-process.ts';
import { shown } from '../integration/shown.ts';
import { Child } from '../process/child.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';

const program = fileURLToPath(new URL('../integration/fixtures/counting-agent.ts', import.meta.url));
const kills = 8;
/** What one collection counts at most. */
const perCollection = 15;

async function onDisk(directory: string): Promise<StateContent> {
  const text = await readFile(path.join(directory, 'agent-state'), 'utf8');
  return stateFromBody(text.slice(text.indexOf('\n') + 1));
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, one) => all + one, 0);

/** What the process had counted when it wrote its last whole line. */
function counted(agent: Child): number {
  const last = [...agent.output.matchAll(/^counted ([\d ]+)$/gm)].at(-1);
  return sum((last?.[1] ?? '0').split(' ').map(Number));
}

test('an agent that is killed at any moment, connected or not: what its file or the collector has is counted, once', async (t) => {
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const merged = { name: 'fleet.done', resourceKeys: [], attributeKeys: { included: [] } };
  const collector = await startCollector(t, { views: [view('work.done', merged)] });
  const proxy = new TcpProxy(Number(collector.addresses.grpc.split(':')[1]));
  await proxy.listen();
  t.teardown(() => proxy.close());
  const stateDir = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-state-'));
  t.teardown(() => rm(stateDir, { recursive: true }));
  const total = (): number => sum(shown(collector, 'fleet.done').values());
  let agent: Child | undefined;
  t.teardown(() => agent?.kill());
  /** Of all runs that are over: what they had counted, and what their files showed of it. */
  let upper = 0;
  let lower = 0;
  for (let kill = 0; kill < kills; kill++) {
    const isAway = random.chance(0.5);
    proxy.refusing = isAway;
    if (isAway) proxy.cut();
    agent = new Child(process.execPath, [program, `127.0.0.1:${proxy.port}`, 'counting', stateDir]);
    await agent.waitForOutput(/^counted /m);
    await delay(random.int(100, 1500));
    // An outage in the midst of it, or its end.
    if (random.chance(0.5)) {
      proxy.refusing = !isAway;
      if (proxy.refusing) proxy.cut();
      await delay(random.int(100, 1500));
    }
    await agent.kill();
    const { counting, finals } = await onDisk(stateDir);
    const saved = sum(counting.map(({ value }) => value));
    t.log(
      `${counted(agent) - saved} of ${counted(agent)} were not in the file; ${finals.length} final states`,
    );
    upper += counted(agent);
    lower += saved;
    t.true(total() <= upper + (kill + 1) * perCollection, `${total()} is shown of ${upper}`);
    t.true(finals.length <= 9, 'three for each series at most');
  }
  proxy.refusing = false;
  agent = new Child(process.execPath, [program, `127.0.0.1:${proxy.port}`, 'counting', stateDir]);
  // Whatever waits is acknowledged: of three lives of a series, each before the next.
  const deadline = performance.now() + 100_000;
  while ((await onDisk(stateDir)).finals.length > 0 && performance.now() < deadline) await delay(200);
  t.deepEqual((await onDisk(stateDir)).finals, []);
  t.is(await agent.stop(), 0);
  upper += counted(agent);
  lower += counted(agent);
  t.log(`${upper} counted, ${lower} in files, ${total()} shown`);
  t.true(total() <= upper + kills * perCollection);
  t.true(total() >= lower);
  const { counting, finals } = await onDisk(stateDir);
  t.deepEqual([counting, finals], [[], []], 'after an orderly end nothing is left to deliver');
});
