import fc from 'fast-check';
import { initialSeries } from '../../model/catalogue.ts';
import { type ReplayStep, replaySteps } from './replay-steps.ts';
import { ReplayWorld } from './replay-world.ts';

/** What came of some sequences, and how often what they are about has happened in them. */
export interface ReplaysOutcome {
  readonly held: number;
  /** What the first one that does not hold says, made short, with the seed that it comes again from. */
  readonly failure: string | undefined;
  readonly restarts: number;
  readonly restartsFromCheckpoint: number;
  readonly tailsLost: number;
}

/** How long a sequence that fails is made shorter. */
const shrinkMs = 30_000;

/** Takes so many sequences of a seed, until one fails; that one is then made as short as it may become within half a minute. */
export async function checkReplays(seed: number, runs: number): Promise<ReplaysOutcome> {
  const counts = { restarts: 0, restartsFromCheckpoint: 0, tailsLost: 0 };
  const holds = fc.asyncProperty(replaySteps, async (steps) => {
    const world = await holdsThrough(steps);
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += world[name];
  });
  const found = await fc.check(holds, { seed, numRuns: runs, endOnFailure: true });
  if (!found.failed) return { held: runs, failure: undefined, ...counts };
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
  return { held: found.numRuns - 1, failure, ...counts };
}

async function holdsThrough(steps: readonly ReplayStep[]): Promise<ReplayWorld> {
  const world = await ReplayWorld.open();
  for (const agent of [0, 1]) {
    await world.take({ do: 'connect', agent, isNewRun: true, isOtherBoot: false, region: 'r1' });
    await world.take({ do: 'define', agent, of: initialSeries, epoch: 'same', isSeen: agent === 0 });
    for (const group of [0, 1]) await world.take({ do: 'report', agent, group, seed: 7, without: -1 });
  }
  for (const step of steps) await world.take(step);
  await world.end();
  return world;
}
