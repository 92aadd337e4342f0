import test from 'ava';
import { HostFixture, words } from './host-fixture.ts';

const modes: Record<string, (fields: number[]) => number> = {
  user: (f) => f[0]!,
  nice: (f) => f[1]!,
  system: (f) => f[2]!,
  idle: (f) => f[3]!,
  iowait: (f) => f[4]!,
  interrupt: (f) => f[5]! + f[6]!,
  steal: (f) => f[7]!,
};

/** The straightforward reading of /proc/stat. */
function expected(stat: string): Record<string, number> {
  const values: Record<string, number> = {};
  const cpus = stat.split('\n').filter((line) => /^cpu\d/.test(line));
  for (const line of cpus) {
    const [name, ...fields] = words(line);
    for (const [mode, of] of Object.entries(modes))
      values[`system.cpu.time ${name!.slice(3)},${mode}`] = of(fields.map(Number)) / 100;
  }
  values['system.cpu.logical.count'] = cpus.length;
  return values;
}

const stat = (lines: string[]): string =>
  `cpu  9 9 9 9 9 9 9 9 0 0\n${lines.join('\n')}\nintr 5 0 0\nctxt 77\nbtime 1699999000\nprocesses 321\n`;
const cpu0 = 'cpu0 12436 4446 7471 277255 146 3 31 24 0 0';
const cpu1 = 'cpu1 16014 4397 10087 270329 901 100 50 27 5 0';
const cpu10 = 'cpu10 1 2 3 4 5 6 7 8 9 10';

function host(lines: string[]): HostFixture {
  const fixture = new HostFixture();
  fixture.write('/proc/stat', stat(lines));
  fixture.write('/sys/devices/system/cpu/cpu0/topology/thread_siblings_list', '0-1\n');
  fixture.write('/sys/devices/system/cpu/cpu1/topology/thread_siblings_list', '0-1\n');
  fixture.write('/sys/devices/system/cpu/cpu10/topology/thread_siblings_list', '10\n');
  return fixture;
}

test('times by CPU and mode in seconds, and the numbers of CPUs', (t) => {
  const fixture = host([cpu0, cpu1, cpu10]);
  const source = fixture.source('cpu');
  source.collect();
  t.deepEqual(fixture.values(), {
    ...expected(stat([cpu0, cpu1, cpu10])),
    'system.cpu.physical.count': 2,
  });
  const { metric, epoch, startTimeUs, step, fallTolerance, attributes } =
    fixture.series('system.cpu.time 1,user')!;
  t.like(metric, { unit: 's', kind: 'sum', isMonotonic: true, valueType: 'double' });
  t.deepEqual(attributes, [
    ['cpu.logical_number', 1n],
    ['cpu.mode', 'user'],
  ]);
  t.is(step, 0.01);
  t.is(fallTolerance, 3);
  t.is(startTimeUs, 1_699_999_000_000_000);
  // The boot began 1000.25 s ago, to less than 10 ms, and not later than said.
  t.is(epoch!.beganMs, 5_000_000 - 1_000_250 - 10);
  t.true(Buffer.byteLength(epoch!.token) <= 22);
  t.deepEqual(fixture.warnings, []);
  fixture.dispose();
});

test('a small fall is held, a greater one opens a new epoch', (t) => {
  const fixture = host([cpu0]);
  const source = fixture.source('cpu');
  source.collect();
  const before = fixture.series('system.cpu.time 0,idle')!.epoch!.token;
  fixture.write('/proc/stat', stat([cpu0.replace('277255', '276955')]));
  source.collect();
  t.is(fixture.values()['system.cpu.time 0,idle'], 2772.55);
  fixture.write('/proc/stat', stat([cpu0.replace('277255', '276954')]));
  source.collect();
  t.is(fixture.values()['system.cpu.time 0,idle'], 2769.54);
  const { epoch } = fixture.series('system.cpu.time 0,idle')!;
  t.not(epoch!.token, before);
  t.is(epoch!.beganMs, undefined);
  fixture.dispose();
});

test('a CPU that is switched off is idle and returns in its epoch', (t) => {
  const fixture = host([cpu0, cpu1]);
  const source = fixture.source('cpu');
  source.collect();
  const { token } = fixture.series('system.cpu.time 1,user')!.epoch!;
  fixture.write('/proc/stat', stat([cpu0]));
  source.collect();
  t.deepEqual(fixture.values(), { ...expected(stat([cpu0])), 'system.cpu.physical.count': 1 });
  t.is(
    fixture.retired.filter(([key, reason]) => /^system.cpu.time 1,/.test(key) && reason === 'idle').length,
    7,
  );
  fixture.write('/proc/stat', stat([cpu0, cpu1]));
  source.collect();
  t.deepEqual(fixture.values(), { ...expected(stat([cpu0, cpu1])), 'system.cpu.physical.count': 1 });
  t.is(fixture.series('system.cpu.time 1,user')!.epoch!.token, token);
  fixture.dispose();
});

test('on the wire one mode of all CPUs stands together', (t) => {
  const fixture = host([cpu0, cpu1]);
  fixture.source('cpu').collect();
  t.deepEqual([...fixture.seen().keys()].slice(0, 4), [
    'system.cpu.time 0,user',
    'system.cpu.time 1,user',
    'system.cpu.time 0,system',
    'system.cpu.time 1,system',
  ]);
  fixture.dispose();
});

test('a file that vanishes makes the series idle with one warning, is tried each 60 s, and resumes', (t) => {
  const fixture = host([cpu0]);
  const source = fixture.source('cpu');
  source.collect();
  fixture.remove('/proc/stat');
  source.collect();
  t.is(fixture.seen().size, 0);
  t.true(fixture.retired.every(([, reason]) => reason === 'idle'));
  t.is(fixture.warnings.length, 1);
  t.regex(
    fixture.warnings[0]!,
    /cannot read .*\/proc\/stat \(ENOENT: no such file or directory\).*system\.cpu\.time/,
  );
  fixture.write('/proc/stat', stat([cpu0]));
  fixture.pass(59_999);
  source.collect();
  t.is(fixture.seen().size, 0);
  fixture.pass(1);
  source.collect();
  t.deepEqual(fixture.values(), { ...expected(stat([cpu0])), 'system.cpu.physical.count': 1 });
  t.is(fixture.warnings.length, 1);
  fixture.dispose();
});

test('without a boot id epochs are those of the process, and their begin is unknown', (t) => {
  const tokens = [1, 2].map(() => {
    const fixture = host([cpu0]);
    fixture.remove('/proc/sys/kernel/random/boot_id');
    fixture.source('cpu').collect();
    const { epoch } = fixture.series('system.cpu.time 0,user')!;
    t.is(epoch!.beganMs, undefined);
    t.regex(fixture.warnings.join(), /boot id/);
    fixture.dispose();
    return epoch!.token;
  });
  t.not(tokens[0], tokens[1]);
});

test('without topology only the number of cores is missing', (t) => {
  const fixture = host([cpu0]);
  fixture.remove('/sys');
  const source = fixture.source('cpu');
  source.collect();
  source.collect();
  t.deepEqual(fixture.values(), expected(stat([cpu0])));
  t.is(fixture.warnings.length, 1);
  fixture.dispose();
});
