import test, { type ExecutionContext } from 'ava';
import { checkWorld } from './check-world.ts';
import { World } from './world.ts';

export interface WorldOptions {
  readonly hosts: number;
  readonly durationMs: number;
}

/** The seed of this run: `STREAMGAUGE_TEST_SEED`, or one at random. It decides what happens, though not when to the millisecond. */
export function seedOfRun(): number {
  const given = process.env.STREAMGAUGE_TEST_SEED;
  if (given === undefined) return Math.floor(Math.random() * 2 ** 31);
  if (!/^\d{1,10}$/.test(given)) throw new Error(`STREAMGAUGE_TEST_SEED is ${given}: give a whole number`);
  return Number(given);
}

/** A world goes on for a while, and everything that left the collector is what was counted. */
export const conserves = test.macro(
  async (t: ExecutionContext, options: WorldOptions, seed: number = seedOfRun()) => {
    // Printed with the result, whether it is good or bad.
    t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
    const world = await World.start(t, seed, options.hosts);
    await world.run(options.durationMs);
    await world.finish(t);
    t.log(world.events);
    checkWorld(t, world);
  },
);
