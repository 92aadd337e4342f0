import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Child } from '../process/child.ts';

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
  async exec(t, signal: NodeJS.Signals, code: number) {
    const child = new Child(process.execPath, [fixture, '60000']);
    await child.waitForOutput(/^started$/m);
    process.kill(child.pid, 'SIGTERM');
    await child.waitForOutput(/^source drains/m);
    process.kill(child.pid, signal);
    t.deepEqual(await child.wait(), { code, signal: null });
  },
  title: (_, signal, code) => `a second signal, ${signal}, ends at once with ${code}`,
});

test(secondSignalEnds, 'SIGTERM', 143);
test(secondSignalEnds, 'SIGINT', 130);

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
