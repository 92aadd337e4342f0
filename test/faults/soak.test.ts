import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { until } from '../agent/until.ts';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { checkFleet } from './rig/check-fleet.ts';
import { FaultWorld } from './rig/fault-world.ts';
import { preloaded } from './rig/preload.ts';
import { directoryBytes, mebibytes, openFiles, residentBytes } from './rig/process-figures.ts';

/** How long it goes on at constant load. */
const seconds = Number(process.env.STREAMGAUGE_TEST_SECONDS ?? 60);
const sampleMs = 250;
/**
 * What may come on top from the second third to the last one. Bytes that live, after a collection of garbage: requests that are under way. Resident memory: what the
 * runtime keeps for later. The disk: less than what is written to it in that time.
 */
const mostGrowth = { live: 4 * 2 ** 20, resident: 40 * 2 ** 20, files: 3, disk: 150 * 1024 };

interface Sample {
  readonly live: number;
  readonly resident: number;
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
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const memory = { STREAMGAUGE_TEST_MEMORY: folder };
  const world = await FaultWorld.start(t, {
    seed,
    hosts,
    // With a checkpoint every second, and short segments, what each leaves behind adds up soon.
    collectorEnv: { ...preloaded('often-checkpoints', 'short-segments', 'live-memory'), ...memory },
    agentEnv: { ...preloaded('live-memory'), ...memory },
  });
  await world.agentsReport();
  const collector = world.collector.child.pid;
  const agent = world.agents[0]!.child.pid;
  const liveBytes = (pid: number): number => Number(readFileSync(path.join(folder, `${pid}`), 'utf8'));
  const figuresOf = (pid: number): Omit<Sample, 'disk'> => ({
    live: liveBytes(pid),
    resident: residentBytes(pid),
    files: openFiles(pid),
  });
  await until('memory is told', () =>
    [collector, agent].every((pid) => existsSync(path.join(folder, `${pid}`))),
  );
  const samples: { collector: Sample; agent: Sample }[] = [];
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    samples.push({
      collector: { ...figuresOf(collector), disk: directoryBytes(world.dataDir) },
      agent: { ...figuresOf(agent), disk: 0 },
    });
    await delay(sampleMs);
  }
  const third = Math.floor(samples.length / 3);
  for (const program of ['collector', 'agent'] as const) {
    const of = (from: number, to: number, figure: keyof Sample): number[] =>
      samples.slice(from, to).map((sample) => sample[program][figure]);
    // Memory goes up and down with garbage, and the disk between two checkpoints, so their middle counts; of files the most.
    const figures = (from: number, to: number) => ({
      live: median(of(from, to, 'live')),
      resident: median(of(from, to, 'resident')),
      files: Math.max(...of(from, to, 'files')),
      disk: median(of(from, to, 'disk')),
    });
    const before = figures(third, 2 * third);
    const after = figures(2 * third, 3 * third);
    const told = (figure: keyof Sample): string =>
      figure === 'files'
        ? `${before.files}, then ${after.files} files`
        : `${figure} ${mebibytes(before[figure])}, then ${mebibytes(after[figure])}`;
    t.log(`${program}: ${(['live', 'resident', 'files', 'disk'] as const).map(told).join('; ')}`);
    for (const figure of ['live', 'resident', 'files', 'disk'] as const)
      t.true(after[figure] <= before[figure] + mostGrowth[figure], `${program}: ${told(figure)}`);
  }
  await world.finish(t);
  checkFleet(t, world);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
