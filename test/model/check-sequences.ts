import fc from 'fast-check';
import { Fleet } from './fleet.ts';
import { World } from './fleet-world.ts';
import { type Sequence, sequence } from './steps.ts';

/** What came of some sequences: how many held, and if one did not, what it says, with the seed that it comes again from. */
export interface SequencesOutcome {
  readonly held: number;
  readonly failure: string | undefined;
}

/** How long a sequence that fails is made shorter. */
const shrinkMs = 30_000;

/** Takes so many sequences of a seed, until one fails; that one is then made as short as it may become within half a minute. */
export function checkSequences(seed: number, runs: number): SequencesOutcome {
  const holds = fc.property(sequence, (one) => holdsThrough(one));
  const found = fc.check(holds, { seed, numRuns: runs, endOnFailure: true });
  if (!found.failed) return { held: runs, failure: undefined };
  const path = found.counterexamplePath ?? undefined;
  const options = {
    seed,
    numRuns: 1,
    interruptAfterTimeLimit: shrinkMs,
    ...(path === undefined ? {} : { path }),
  };
  const shrunk = fc.check(holds, options);
  const { counterexample, errorInstance: thrown } = shrunk.failed ? shrunk : found;
  const failure = [
    `SEED=${seed} RUNS=${runs}: after ${found.numRuns - 1} sequences that held, this one does not:`,
    fc.stringify(counterexample),
    thrown instanceof Error ? thrown.stack : `${thrown}`,
  ].join('\n');
  return { held: found.numRuns - 1, failure };
}

function holdsThrough({ overlap, steps }: Sequence): void {
  const fleet = new Fleet(new World(overlap));
  try {
    for (const member of [0, 1]) fleet.join(member);
    for (const step of steps) fleet.take(step);
    fleet.end();
  } finally {
    fleet.stop();
  }
}
