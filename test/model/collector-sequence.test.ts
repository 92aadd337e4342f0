import test from 'ava';
import { checkSequences } from './check-sequences.ts';

/*
 * The same sequences each time; RUNS asks for so many new ones, and SEED for those that a failure named:
 *
 *   SEED=1234 RUNS=500 npx ava test/model/collector-sequence.test.ts
 *
 * Many at a time, on all cores, 200,000 by default: `node test/model/run-sequences.ts [RUNS] [SEED]`.
 */
const { RUNS, SEED } = process.env;
const runs = Number(RUNS ?? 200);
const seed = Number(SEED ?? (RUNS === undefined ? 1 : Date.now() % 2 ** 31));

test('any sequence of joins, reports, losses and returns comes to what the model says', (t) => {
  const { failure } = checkSequences(seed, runs);
  if (failure === undefined) t.pass();
  else t.fail(failure);
});
