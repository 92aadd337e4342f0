import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run } from '../process/child.ts';

const setting = new URL('../../cli/external-memory.ts', import.meta.url).href;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Prints how often the whole heap is collected while 2 GiB come in over a heap that is large and does not grow. */
const program = (first: string): string => `
  ${first}
  const { PerformanceObserver, constants } = await import('node:perf_hooks');
  let collections = 0;
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++;
  }).observe({ entryTypes: ['gc'] });
  const held = Array.from({ length: 500_000 }, (_, i) => ({ i, list: [i], name: 'n' + i }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  collections = 0;
  for (let i = 0; i < 2048; i++) {
    new ArrayBuffer(1024 * 1024);
    if (i % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(held.length > 0 ? collections : -1);`;

async function wholeCollections(first: string): Promise<number> {
  const args = ['--input-type=module', '--eval', program(first)];
  return Number(await run(process.execPath, args, { cwd: root, timeoutMs: 50_000 }));
}

test('what comes in does not make the whole heap be collected so often', async (t) => {
  const few = await wholeCollections(`await import(${JSON.stringify(setting)});`);
  const usual = await wholeCollections('');
  t.log(`${few} collections, and ${usual} without the setting`);
  t.true(few >= 0 && few * 2 < usual, `${few} collections, and ${usual} without the setting`);
});
