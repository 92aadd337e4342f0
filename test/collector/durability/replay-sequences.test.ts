import test from 'ava';
import { checkReplays } from './check-replays.ts';

/*
 * The same sequences each time; RUNS asks for so many new ones, and SEED for those that a failure named:
 *
 *   SEED=1234 RUNS=50 npx ava test/collector/durability/replay-sequences.test.ts
 *
 * Many at a time, on all cores: `node test/model/run-sequences.ts replay [RUNS] [SEED]`.
 */
const { RUNS, SEED } = process.env;
const runs = Number(RUNS ?? 14);
const seed = Number(SEED ?? (RUNS === undefined ? 1 : Date.now() % 2 ** 31));

test('killed at any moment, a collector is what its journal says, over a checkpoint and without', async (t) => {
  const { failure, restarts, restartsFromCheckpoint, tailsLost } = await checkReplays(seed, runs);
  if (failure !== undefined) t.fail(failure);
  else t.pass();
  if (RUNS !== undefined) return;
  t.true(restarts > 40);
  t.true(restartsFromCheckpoint > 20);
  t.true(tailsLost > 8);
});
