import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { fixedPort } from '../process/fixed-port.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld, type Ports } from './rig/fault-world.ts';

const rounds = 4;

test('a data directory goes from one process to another, each with ports of its own, and totals go on', async (t) => {
  t.timeout(240_000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  let proxy: TcpProxy | undefined;
  const world = await FaultWorld.start(t, {
    seed,
    hosts: [['host-0', 'host-1']],
    agentPort: async (collectorPort) => {
      proxy = new TcpProxy(collectorPort);
      t.teardown(() => proxy!.close());
      return await proxy.listen();
    },
  });
  await world.agentsReport();
  let here: Ports = [world.collectorPort, world.httpPort, world.adminPort];
  let there: Ports = [await fixedPort(), await fixedPort(), await fixedPort()];
  for (let round = 0; round < rounds; round++) {
    // As long as one holds it, no other one gets it.
    const early = world.startCollector({}, there);
    t.teardown(() => early.kill());
    const { code } = await early.wait();
    t.is(code, 1);
    t.regex(early.output, /data directory .* is held by process \d+.*--data-dir.*--memory/s);
    await delay(random.int(100, 800));
    if (random.chance(0.5)) await world.collector.kill();
    else t.is(await world.collector.child.stop(), 0);
    [here, there] = [there, here];
    proxy!.targetPort = here[0];
    await world.moved(here);
    await world.agentsReport();
  }
  await world.finish(t);
  checkFleet(t, world);
});
