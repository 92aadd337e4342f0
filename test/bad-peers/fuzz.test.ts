import test from 'ava';
import { FuzzedCollector, fuzzSessions } from './fuzz/rounds.ts';

// `node test/bad-peers/fuzz.ts --minutes N` goes on with other seeds.
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

test('valid sessions with one mutation harm nobody but themselves', (t) => {
  t.log(`FUZZ_SEED=${seed}`);
  t.notThrows(() => fuzzSessions(seed, 400));
});

test('the same over the network: nothing fails unseen, and an agent beside them loses nothing', async (t) => {
  t.log(`FUZZ_SEED=${seed}`);
  const collector = await FuzzedCollector.start();
  t.teardown(() => collector.kill());
  await t.notThrowsAsync(collector.fuzz(seed, 50));
  await t.notThrowsAsync(collector.stop());
});
