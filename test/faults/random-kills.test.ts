import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld } from './rig/fault-world.ts';

/** How many processes are killed, at least. */
const kills = Number(process.env.STREAMGAUGE_TEST_KILLS ?? 50);
/** Of one round: kill, wait, start again. */
const longestRoundMs = 20_000;

test(`${kills} times kill -9 of collector, agents and backend, at random moments, single and together`, async (t) => {
  t.timeout(60_000 + kills * longestRoundMs);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const hosts = [['host-0', 'host-1'], ['host-2']];
  const world = await FaultWorld.start(t, { seed, hosts });
  const { collector, backend, agents } = world;
  const all = [collector, backend, ...agents];
  await world.agentsReport();
  const done = (): number => all.reduce((sum, each) => sum + each.kills, 0);
  let unready = 0;
  while (done() < kills) {
    await delay(random.int(0, 500));
    const victims = random.chance(0.25)
      ? all.filter(() => random.chance(0.6))
      : [random.pick([collector, collector, backend, ...agents])];
    await Promise.all(
      victims.map((victim) =>
        agents.includes(victim) ? world.killAgents(agents.indexOf(victim)) : victim.kill(),
      ),
    );
    await delay(random.pick([0, 0, 50, 300]));
    for (const victim of victims) victim.start();
    if (!victims.includes(collector)) continue;
    // Some are killed again while they read what the one before has left.
    if (random.chance(0.3)) {
      unready++;
      await delay(random.int(50, 700));
    } else await world.collectorReady();
  }
  if (!collector.isRunning) collector.start();
  await world.collectorReady();
  t.log(
    Object.fromEntries([...all.map((each) => [each.name, each.kills]), ['before ready, perhaps', unready]]),
  );
  await world.finish(t);
  checkFleet(t, world);
  const { code } = await collector.child.wait();
  t.is(code, 0);
});
