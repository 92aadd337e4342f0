import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Child } from '../process/child.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld } from './rig/fault-world.ts';
import { preloaded } from './rig/preload.ts';

const program = fileURLToPath(new URL('./fixtures/fault-agent.ts', import.meta.url));

test('an agent whose disk was cloned, state file and all, is turned away on another machine while the agent lives, and counts nothing twice', async (t) => {
  t.timeout(180_000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const world = await FaultWorld.start(t, { seed, hosts: [['host-0']] });
  await world.agentsReport();
  // Until its state file tells of what it counted.
  await delay(1500);
  const copy = path.join(world.folder, 'clone');
  mkdirSync(copy);
  for (const name of ['host-0.json', 'host-0.state'])
    cpSync(path.join(world.folder, name), path.join(copy, name), { recursive: true });
  const clone = new Child(process.execPath, [program, `127.0.0.1:${world.collectorPort}`, copy, 'host-0'], {
    env: {
      ...preloaded('other-boot'),
      STREAMGAUGE_TEST_BOOT_ID: '00000000-0000-4000-8000-000000000000',
    },
  });
  t.teardown(() => clone.kill());
  await clone.waitForOutput(/has turned this agent away, agent_id \\?"host-0\\?"/);
  const [{ session } = { session: null }] = await world.members();
  t.truthy(session);
  // It tries again all the while.
  await delay(500);
  t.is((await world.members())[0]!.session, session, 'the agent keeps its stream');
  await clone.kill();
  await world.collector.kill();
  world.collector.start();
  await world.collectorReady();
  await world.finish(t);
  checkFleet(t, world);
});
