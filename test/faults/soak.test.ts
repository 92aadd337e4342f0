import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld } from './rig/fault-world.ts';
import { preloaded } from './rig/preload.ts';
import { directoryBytes, mebibytes, openFiles, residentBytes } from './rig/process-figures.ts';

/** How long it goes on at constant load. */
const seconds = Number(process.env.STREAMGAUGE_TEST_SECONDS ?? 60);
const sampleMs = 250;
/** What may come on top from the second third to the last one: the garbage collector's whim, and files that are open at the moment. */
const mostGrowth = { memory: 12 * 2 ** 20, share: 0.08, files: 3, disk: 2 * 2 ** 20 };

interface Sample {
  readonly memory: number;
  readonly files: number;
  readonly disk: number;
}

test(`${seconds} s at constant load: memory, open files and disk stay where they are`, async (t) => {
  t.timeout((seconds + 180) * 1000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const hosts = [
    ['host-0', 'host-1', 'host-2', 'host-3'],
    ['host-4', 'host-5', 'host-6', 'host-7'],
  ];
  // With a checkpoint every second the journal is short at once, and whatever each leaves behind adds up.
  const world = await FaultWorld.start(t, { seed, hosts, collectorEnv: preloaded('often-checkpoints') });
  await world.agentsReport();
  const collector = world.collector.child.pid;
  const agent = world.agents[0]!.child.pid;
  const samples: { collector: Sample; agent: Sample }[] = [];
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    samples.push({
      collector: {
        memory: residentBytes(collector),
        files: openFiles(collector),
        disk: directoryBytes(world.dataDir),
      },
      agent: { memory: residentBytes(agent), files: openFiles(agent), disk: 0 },
    });
    await delay(sampleMs);
  }
  const third = Math.floor(samples.length / 3);
  for (const program of ['collector', 'agent'] as const) {
    const of = (from: number, to: number, figure: keyof Sample): number[] =>
      samples.slice(from, to).map((sample) => sample[program][figure]);
    // Memory goes up and down with garbage, so its middle counts; of the others the most.
    const figures = (from: number, to: number) => ({
      memory: median(of(from, to, 'memory')),
      files: Math.max(...of(from, to, 'files')),
      disk: Math.max(...of(from, to, 'disk')),
    });
    const before = figures(third, 2 * third);
    const after = figures(2 * third, 3 * third);
    t.log(
      `${program}: memory ${mebibytes(before.memory)}, then ${mebibytes(after.memory)}; files ${before.files}, ${after.files}; disk ${mebibytes(before.disk)}, ${mebibytes(after.disk)}`,
    );
    const memory = after.memory - before.memory;
    t.true(
      memory <= Math.max(mostGrowth.memory, mostGrowth.share * before.memory),
      `${program}: memory grew by ${mebibytes(memory)}`,
    );
    t.true(after.files <= before.files + mostGrowth.files, `${program}: files grew to ${after.files}`);
    t.true(
      after.disk <= before.disk + mostGrowth.disk,
      `${program}: the disk grew to ${mebibytes(after.disk)}`,
    );
  }
  await world.finish(t);
  checkFleet(t, world);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
