import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { run } from '../process/child.ts';

const entry = fileURLToPath(new URL('../../cli/streamgauge.mjs', import.meta.url));
/** Coverage, and whoever runs the tests, may have settings of their own. */
const env = {
  NODE_V8_COVERAGE: undefined,
  NODE_COMPILE_CACHE: undefined,
  NODE_DISABLE_COMPILE_CACHE: undefined,
};

/** A folder like a clone's, or like the package's with `main.js`, whose program prints its arguments. */
function installation(t: ExecutionContext, main: 'main.ts' | 'main.js') {
  const root = mkdtempSync(path.join(tmpdir(), 'streamgauge-entry-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(path.join(root, 'cli'));
  mkdirSync(path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'package.json'), '{"type": "module"}');
  copyFileSync(entry, path.join(root, 'cli', 'streamgauge.mjs'));
  const argument = main === 'main.ts' ? 'argv: string[]' : 'argv';
  const text = `export async function main(${argument}) { console.log(argv.slice(2).join(' ')); }\n`;
  writeFileSync(path.join(root, 'cli', main), text);
  return {
    cache: path.join(root, 'node_modules', '.cache'),
    start: (more: Record<string, string> = {}) =>
      run(process.execPath, [path.join(root, 'cli', 'streamgauge.mjs'), 'one', 'two'], {
        cwd: root,
        env: { ...env, ...more },
        timeoutMs: 50_000,
      }),
  };
}

test('a clone keeps what was compiled', async (t) => {
  const { cache, start } = installation(t, 'main.ts');
  t.is(await start(), 'one two\n');
  t.true(readdirSync(path.join(cache, 'streamgauge'), { recursive: true }).length > 1);
  t.is(await start(), 'one two\n');
});

test('where nothing can be kept the program runs as well', async (t) => {
  const { cache, start } = installation(t, 'main.ts');
  // No folder can be made below a file, whoever tries.
  writeFileSync(cache, '');
  t.is(await start(), 'one two\n');
});

test('coverage and the published package keep nothing', async (t) => {
  const clone = installation(t, 'main.ts');
  t.is(await clone.start({ NODE_V8_COVERAGE: path.join(clone.cache, '..', 'coverage') }), 'one two\n');
  t.false(existsSync(clone.cache));
  const published = installation(t, 'main.js');
  t.is(await published.start(), 'one two\n');
  t.false(existsSync(published.cache));
});
