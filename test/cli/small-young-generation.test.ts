import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run } from '../process/child.ts';

const setting = new URL('../../cli/small-young-generation.ts', import.meta.url).href;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Prints the greatest size of the young generation while objects are made that live for a while, which lets it grow. */
const program = (first: string): string => `
  ${first}
  const { getHeapSpaceStatistics } = await import('node:v8');
  const alive = [];
  let largest = 0;
  for (let i = 0; i < 1_000_000; i++) {
    alive[i % 100_000] = { i, list: [i] };
    if (i % 10_000 !== 0) continue;
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    largest = Math.max(largest, young.space_size);
  }
  console.log(largest);`;

async function largestYoungGeneration(first: string): Promise<number> {
  const args = ['--input-type=module', '--eval', program(first)];
  return Number(await run(process.execPath, args, { cwd: root, timeoutMs: 50_000 }));
}

test('the young generation grows less', async (t) => {
  const small = await largestYoungGeneration(`await import(${JSON.stringify(setting)});`);
  const usual = await largestYoungGeneration('');
  t.true(small > 0 && small * 3 < usual, `${small} bytes, and ${usual} without the setting`);
});
