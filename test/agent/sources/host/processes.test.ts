import test from 'ava';
import { HostFixture } from './host-fixture.ts';

function host(processes: Record<number, string>): HostFixture {
  const fixture = new HostFixture();
  fixture.write('/proc/stat', 'cpu0 1 2 3\nintr 1 2\nctxt 5\nprocesses 21970\nprocs_running 1\n');
  for (const [pid, state] of Object.entries(processes)) addProcess(fixture, pid, state);
  return fixture;
}

/** The name holds all that misleads: parentheses, letters of states, a newline. */
function addProcess(fixture: HostFixture, pid: string, state: string): void {
  fixture.write(`/proc/${pid}/stat`, `${pid} (a) R (b)\n) Z) ${state} 1 1 1 0 -1 4194560 0 0\n`);
}

const counts = (
  running: number,
  sleeping: number,
  stopped: number,
  defunct: number,
): Record<string, number> => ({
  'system.process.count running': running,
  'system.process.count sleeping': sleeping,
  'system.process.count stopped': stopped,
  'system.process.count defunct': defunct,
  'system.process.created': 21970,
});

test('processes by state, and how many were ever made', (t) => {
  const fixture = host({ 1: 'S', 2: 'I', 30: 'D', 41: 'R', 42: 'T', 43: 't', 44: 'Z', 45: 'X' });
  const source = fixture.source('processes');
  source.collect();
  t.deepEqual(fixture.values(), counts(1, 3, 2, 1));
  t.like(fixture.series('system.process.created')!.metric, { isMonotonic: true, unit: '{process}' });
  t.like(fixture.series('system.process.count running')!.metric, { isMonotonic: false, kind: 'sum' });
  fixture.dispose();
});

test('scans after the first run beside other work, and see what came and went', async (t) => {
  const fixture = host({ 1: 'S' });
  const source = fixture.source('processes');
  source.collect();
  for (let pid = 100; pid < 300; pid++) addProcess(fixture, String(pid), 'R');
  fixture.remove('/proc/1');
  fixture.pass(10_000);
  source.collect();
  const end = Date.now() + 10_000;
  while (fixture.values()['system.process.count running'] !== 200 && Date.now() < end)
    await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(fixture.values(), counts(200, 0, 0, 0));
  fixture.dispose();
});

test('a process that cannot be read makes the counts idle, with one warning, and not what else there is', (t) => {
  const fixture = host({ 1: 'S' });
  fixture.write('/proc/2/stat/not-a-file', '');
  const source = fixture.source('processes');
  source.collect();
  t.deepEqual(fixture.values(), { 'system.process.created': 21970 });
  t.is(fixture.warnings.length, 1);
  t.regex(fixture.warnings[0]!, /system\.process\.count/);
  fixture.remove('/proc/2');
  fixture.pass(60_000);
  source.collect();
  t.deepEqual(fixture.values(), counts(0, 1, 0, 0));
  fixture.dispose();
});
