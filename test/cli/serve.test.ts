import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { Child, run } from '../process/child.ts';

const fixture = fileURLToPath(new URL('fixtures/slow-services.ts', import.meta.url));
const lines = (child: Child): string[] => child.output.trim().split('\n');

test('a signal drains the sources first and ends with 0', async (t) => {
  const child = new Child(process.execPath, [fixture, '1']);
  await child.waitForOutput(/^started$/m);
  t.is(await child.stop(), 0);
  t.deepEqual(lines(child), [
    'sink starts',
    'source starts',
    'started',
    'stopping',
    'source drains, in time',
    'sink drains, in time',
    'source stops',
    'sink stops',
    'ended',
  ]);
});

test('what was not delivered is a warning', async (t) => {
  const child = new Child(process.execPath, [fixture, '1', '', 'source']);
  await child.waitForOutput(/^started$/m);
  t.is(await child.stop(), 0);
  t.deepEqual(
    lines(child).filter((line) => line.startsWith('warning')),
    ['warning: source drained, and not everything was delivered'],
  );
});

const secondSignalEnds = test.macro({
  async exec(t, signal: NodeJS.Signals) {
    const child = new Child(process.execPath, [fixture, '60000']);
    await child.waitForOutput(/^started$/m);
    process.kill(child.pid, 'SIGTERM');
    await child.waitForOutput(/^source drains/m);
    process.kill(child.pid, signal);
    t.deepEqual(await child.wait(), { code: null, signal });
  },
  title: (_, signal) => `a second signal, ${signal}, ends at once, and whoever started it sees that signal`,
});

test(secondSignalEnds, 'SIGTERM');
test(secondSignalEnds, 'SIGINT');

/** A pipe that nobody writes to: a thread that opens it does not come back. */
async function pipe(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'streamgauge-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const name = path.join(folder, 'pipe');
  await run('mkfifo', [name], { timeoutMs: 5000 });
  return name;
}

test('a second signal ends at once while a call to the disk hangs', async (t) => {
  const child = new Child(process.execPath, [fixture, '60000', '', '', await pipe(t)]);
  t.teardown(() => child.kill());
  await child.waitForOutput(/^started$/m);
  process.kill(child.pid, 'SIGTERM');
  await child.waitForOutput(/^source drains/m);
  process.kill(child.pid, 'SIGTERM');
  t.deepEqual(await child.wait(), { code: null, signal: 'SIGTERM' });
});

test('the deadline holds for a drain that does not end, and for a call to the disk that hangs', async (t) => {
  const child = new Child(process.execPath, [fixture, '60000', '', '', await pipe(t)]);
  t.teardown(() => child.kill());
  await child.waitForOutput(/^started$/m);
  const beganMs = performance.now();
  process.kill(child.pid, 'SIGTERM');
  t.deepEqual(await child.wait(), { code: null, signal: 'SIGTERM' });
  t.true(performance.now() - beganMs < 8000);
  t.is(
    lines(child).at(-1),
    'warning: something has not ended in time, most likely a disk or a network that hangs; ending',
  );
});

test('SIGHUP reads the configuration again, once for all that come meanwhile, and ends nothing', async (t) => {
  const child = new Child(process.execPath, [fixture, '1']);
  t.teardown(() => child.kill());
  await child.waitForOutput(/^started$/m);
  process.kill(child.pid, 'SIGHUP');
  await child.waitForOutput(/^reload begins$/m);
  process.kill(child.pid, 'SIGHUP');
  process.kill(child.pid, 'SIGHUP');
  await child.waitForOutput(/reload ends\nreload begins\nreload ends\n/);
  t.is(await child.stop(), 0);
  t.is(lines(child).filter((line) => line === 'reload begins').length, 2);
});

test('when a service cannot start, all that were started are stopped', async (t) => {
  const child = new Child(process.execPath, [fixture, '1', 'source']);
  t.deepEqual(await child.wait(), { code: 0, signal: null });
  t.deepEqual(lines(child), [
    'sink starts',
    'source starts',
    'source stops',
    'sink stops',
    'failed: source cannot start',
  ]);
});
