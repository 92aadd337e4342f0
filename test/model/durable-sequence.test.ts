import test from 'ava';
import { checkDurableSequences } from './check-durable-sequences.ts';

/*
 * The same sequences each time; RUNS and SEED as for collector-sequence.test.ts. Many at a time, on all cores:
 * `node test/model/run-sequences.ts durable [RUNS] [SEED]`.
 */
const { RUNS, SEED } = process.env;
const runs = Number(RUNS ?? 20);
const seed = Number(SEED ?? (RUNS === undefined ? 1 : Date.now() % 2 ** 31));

test('a collector that is killed and comes back goes on as the model says, which never was', async (t) => {
  const { failure } = await checkDurableSequences(seed, runs);
  if (failure === undefined) t.pass();
  else t.fail(failure);
});
