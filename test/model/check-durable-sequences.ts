import fc from 'fast-check';
import type { SequencesOutcome } from './check-sequences.ts';
import { DurableWorld } from './durable-world.ts';
import { Fleet } from './fleet.ts';
import { type DurableStep, durableSteps } from './steps.ts';

/** How long a sequence that fails is made shorter. */
const shrinkMs = 30_000;

/** The same for a collector that is killed and comes back in between, whose model goes on as if nothing had been. */
export async function checkDurableSequences(seed: number, runs: number): Promise<SequencesOutcome> {
  const holds = fc.asyncProperty(durableSteps, holdsThrough);
  const found = await fc.check(holds, { seed, numRuns: runs, endOnFailure: true });
  if (!found.failed) return { held: runs, failure: undefined };
  const path = found.counterexamplePath ?? undefined;
  const shrunk = await fc.check(holds, {
    seed,
    numRuns: 1,
    interruptAfterTimeLimit: shrinkMs,
    ...(path === undefined ? {} : { path }),
  });
  const { counterexample, errorInstance: thrown } = shrunk.failed ? shrunk : found;
  const failure = [
    `SEED=${seed} RUNS=${runs}: after ${found.numRuns - 1} sequences that held, this one does not:`,
    fc.stringify(counterexample),
    thrown instanceof Error ? thrown.stack : `${thrown}`,
  ].join('\n');
  return { held: found.numRuns - 1, failure };
}

async function holdsThrough(steps: readonly DurableStep[]): Promise<void> {
  const world = await DurableWorld.open();
  const fleet = new Fleet(world);
  for (const member of [0, 1]) fleet.join(member);
  for (const step of steps)
    if (step.do === 'checkpoint') await world.checkpoint();
    else if (step.do === 'restart') await fleet.restart(() => world.restart(step.isInOrder));
    else fleet.take(step);
  await fleet.restart(() => world.restart(false));
  fleet.end();
  fleet.stop();
}
