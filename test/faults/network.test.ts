import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { until } from '../agent/until.ts';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld } from './rig/fault-world.ts';

const seconds = Number(process.env.STREAMGAUGE_TEST_SECONDS ?? 25);
const troubles = ['cut', 'strand', 'silence', 'hold', 'delay', 'slow', 'refuse', 'duplicate'] as const;

/** Longer than agents and collectors take to give up a silent connection here. */
const longestTroubleMs = 2500;

test('connections between agents and the collector cut, half-open, delayed, slowed, held, duplicated, at random moments', async (t) => {
  t.timeout((seconds + 240) * 1000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  let proxy: TcpProxy | undefined;
  const world = await FaultWorld.start(t, {
    seed,
    hosts: [['host-0', 'host-1'], ['host-2']],
    agentPort: async (collectorPort) => {
      proxy = new TcpProxy(collectorPort);
      proxy.recording = true;
      t.teardown(() => proxy!.close());
      return await proxy.listen();
    },
  });
  const between = proxy!;
  await world.agentsReport();
  const happened: Record<string, number> = {};
  const mend = (): void => {
    between.refusing = false;
    between.delayMs = 0;
    between.bytesPerSecond = Infinity;
    between.resume();
  };
  let duplicated = 0;
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    await delay(random.int(50, 800));
    const trouble = random.pick(troubles);
    happened[trouble] = (happened[trouble] ?? 0) + 1;
    if (trouble === 'cut') between.cut();
    else if (trouble === 'strand') between.strand();
    else if (trouble === 'silence') between.silence();
    else if (trouble === 'hold') between.hold();
    else if (trouble === 'delay') between.delayMs = random.int(5, 400);
    else if (trouble === 'slow') between.bytesPerSecond = random.int(300, 3000);
    else if (trouble === 'duplicate') duplicated += (await between.duplicate(random.int(50, 600))) ? 1 : 0;
    else {
      between.refusing = true;
      between.cut();
    }
    await delay(random.int(20, longestTroubleMs));
    mend();
  }
  t.log(happened, { duplicated, connections: between.connections });
  t.true(between.connections > 3);
  between.cut();
  await world.finish(t);
  checkFleet(t, world);
});

test('what was said over a connection is said once more over another one: nothing counts twice', async (t) => {
  t.timeout(120_000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  let proxy: TcpProxy | undefined;
  const world = await FaultWorld.start(t, {
    seed,
    hosts: [['host-0']],
    agentPort: async (collectorPort) => {
      proxy = new TcpProxy(collectorPort);
      proxy.recording = true;
      t.teardown(() => proxy!.close());
      return await proxy.listen();
    },
  });
  const between = proxy!;
  await world.agentsReport();
  const sessions = async (): Promise<string | null> => (await world.members())[0]?.session ?? null;
  for (let round = 0; round < 5; round++) {
    await delay(300);
    const { connections } = between;
    t.true(await between.duplicate(400));
    // The twin took the stream over, as the agent itself would; so the agent comes again.
    await until('the agent is back', () => between.connections > connections);
    await world.agentsReport();
  }
  t.not(await sessions(), null);
  await world.finish(t);
  checkFleet(t, world);
});
