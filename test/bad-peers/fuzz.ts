// Fuzzes for so many minutes: node test/bad-peers/fuzz.ts --minutes N [--seed SEED]
import { parseArgs } from 'node:util';
import { FuzzedCollector, fuzzSessions } from './fuzz/rounds.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(first)) {
  console.error('usage: node test/bad-peers/fuzz.ts --minutes N [--seed WHOLE_NUMBER]; N is above 0');
  process.exit(2);
}

const sessionsPerRound = 500;
const connectionsPerRound = 50;
const endMs = performance.now() + minutes * 60_000;
const collector = await FuzzedCollector.start();
let rounds = 0;
let seed = first;
try {
  console.log(`seed ${first}, ${minutes} minutes`);
  for (; performance.now() < endMs; rounds++, seed++) {
    fuzzSessions(seed, sessionsPerRound);
    await collector.fuzz(seed, connectionsPerRound);
  }
  const memory = await collector.memory();
  await collector.stop();
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
  console.log(
    `${rounds * sessionsPerRound} sessions and ${rounds * connectionsPerRound} connections harmed nobody; ${mb(collector.memoryBefore)} MB in use before, ${mb(memory)} MB after`,
  );
} catch (error) {
  console.error(`failed in round ${rounds}: node test/bad-peers/fuzz.ts --minutes 0.1 --seed ${seed}`);
  console.error(error);
  process.exitCode = 1;
} finally {
  await collector.kill();
}
