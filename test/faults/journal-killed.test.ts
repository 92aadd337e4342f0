import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { Child } from '../process/child.ts';

const writer = path.resolve(import.meta.dirname, '../collector/journal/fixtures/writer.ts');
const rounds = 20;

test('a process that writes the journal is killed at random moments: the next one reads all that was committed, in order', async (t) => {
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const directory = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-'));
  t.teardown(() => rm(directory, { recursive: true }));
  let committed = 0;
  for (let round = 0; round < rounds; round++) {
    const child = new Child(process.execPath, [writer, directory]);
    t.teardown(() => child.kill());
    const [, read] = await child.waitForOutput(/^read (\d+)$/m);
    t.true(Number(read) >= committed, `${read} were read, ${committed} committed`);
    await child.waitForOutput(/^committed \d+$/m);
    await delay(random.int(0, 150));
    await child.kill();
    t.notRegex(child.output, /wrong|rror/);
    committed = Number(/.*^committed (\d+)$/ms.exec(child.output)![1]);
  }
  t.true(committed > rounds);
});
