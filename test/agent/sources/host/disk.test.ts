import test from 'ava';
import { HostFixture, words } from './host-fixture.ts';

/** The straightforward reading of /proc/diskstats, of these devices. */
function expected(diskstats: string, devices: string[]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of diskstats.split('\n').filter(Boolean)) {
    const [, , name, ...fields] = words(line);
    const f = fields.map(Number);
    if (!devices.includes(name!)) continue;
    for (const [direction, at] of [
      ['read', 0],
      ['write', 4],
    ] as const) {
      values[`system.disk.operations ${direction},${name}`] = f[at]!;
      values[`system.disk.merged ${direction},${name}`] = f[at + 1]!;
      values[`system.disk.io ${direction},${name}`] = f[at + 2]! * 512;
      values[`system.disk.operation_time ${direction},${name}`] = f[at + 3]! / 1000;
    }
    values[`system.disk.io_time ${name}`] = f[9]! / 1000;
  }
  return values;
}

const vda =
  ' 254       0 vda 41489 9268 3295266 17986 7537 42208 2013544 5866 0 8088 24960 15347 41 261384 1099 238 8';
const vda1 = ' 254       1 vda1 40000 9268 3295000 17986 7537 42208 2013544 5866 0 8088 24960';
const loop0 = '   7       0 loop0 5 0 5 0 5 0 0 0 0 0 0';
const cciss = ' 104       0 cciss/c0d0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15';

function host(lines: string[], disks: Record<string, number>): HostFixture {
  const fixture = new HostFixture();
  fixture.write('/proc/diskstats', `${lines.join('\n')}\n`);
  for (const [name, sequence] of Object.entries(disks)) addDisk(fixture, name, sequence);
  return fixture;
}

function addDisk(fixture: HostFixture, name: string, sequence: number): void {
  fixture.write(`/sys/block/${name}/diskseq`, `${sequence}\n`);
  fixture.write(`/sys/block/${name}/removable`, '0\n');
  fixture.write(`/sys/block/${name}/events`, '\n');
}

test('whole disks, with lines of 11, 15 and 17 fields; partitions and loop devices are left out', (t) => {
  const lines = [loop0, vda, vda1, cciss];
  const fixture = host(lines, { loop0: 1, vda: 9, 'cciss!c0d0': 3 });
  const source = fixture.source('disk');
  source.collect();
  t.deepEqual(fixture.values(), expected(lines.join('\n'), ['vda', 'cciss/c0d0']));
  const io = fixture.series('system.disk.io write,vda')!;
  t.like(io, { step: 512, metric: { unit: 'By', isMonotonic: true, valueType: 'int' } });
  t.is(io.epoch!.beganMs, 5_000_000 - 1_000_250 - 10);
  t.like(fixture.series('system.disk.io_time vda')!.metric, { unit: 's', valueType: 'double' });
  lines[1] = vda.replace('2013544', '2013545').replace('8088', '9123');
  fixture.write('/proc/diskstats', lines.join('\n'));
  source.collect();
  t.deepEqual(fixture.values(), expected(lines.join('\n'), ['vda', 'cciss/c0d0']));
  fixture.dispose();
});

test('the filter chooses devices by name', (t) => {
  const fixture = host([loop0, vda, cciss], { loop0: 1, vda: 9, 'cciss!c0d0': 3 });
  const disk = { enabled: true, intervalMs: 1000, devices: { include: ['v?a', 'loop*'], exclude: ['*0'] } };
  fixture.source('disk', { disk }).collect();
  t.deepEqual(fixture.values(), expected(vda, ['vda']));
  fixture.dispose();
});

test('a disk that appears began after the collection before; one that goes is gone', (t) => {
  const fixture = host([vda], { vda: 9 });
  const source = fixture.source('disk');
  source.collect();
  const before = { ms: fixture.nowMs, us: fixture.timeUs };
  fixture.pass(1000);
  const vdb = vda.replace('vda', 'vdb');
  fixture.write('/proc/diskstats', `${vdb}\n${vda}\n`);
  addDisk(fixture, 'vdb', 10);
  source.collect();
  t.deepEqual(fixture.values(), expected(`${vda}\n${vdb}`, ['vda', 'vdb']));
  const series = fixture.series('system.disk.io read,vdb')!;
  t.is(series.epoch!.beganMs, before.ms);
  t.is(series.startTimeUs, before.us);
  fixture.pass(1000);
  fixture.write('/proc/diskstats', `${vda}\n`);
  fixture.remove('/sys/block/vdb');
  source.collect();
  t.deepEqual(fixture.values(), expected(vda, ['vda']));
  t.is(fixture.retired.length, 9);
  t.true(fixture.retired.every(([key, reason]) => key.endsWith('vdb') && reason === 'gone'));
  fixture.dispose();
});

test('another disk under the same name is a new epoch', (t) => {
  const fixture = host([vda], { vda: 9 });
  const source = fixture.source('disk');
  source.collect();
  const { token } = fixture.series('system.disk.io read,vda')!.epoch!;
  const before = fixture.nowMs;
  fixture.pass(1000);
  fixture.remove('/sys/block/vda');
  addDisk(fixture, 'vda', 12);
  // More than the old one ever counted: only diskseq can tell.
  const other = vda.replace('3295266', '9995266');
  fixture.write('/proc/diskstats', other);
  source.collect();
  t.true(fixture.retired.length === 9 && fixture.retired.every(([, reason]) => reason === 'gone'));
  fixture.pass(1000);
  source.collect();
  t.deepEqual(fixture.values(), expected(other, ['vda']));
  const { epoch } = fixture.series('system.disk.io read,vda')!;
  t.not(epoch!.token, token);
  t.is(epoch!.beganMs, before);
  fixture.dispose();
});

test('when a medium can be changed, or nothing says that it cannot, the begin is unknown', (t) => {
  for (const change of [
    (f: HostFixture) => f.write('/sys/block/vda/removable', '1\n'),
    (f: HostFixture) => f.write('/sys/block/vda/events', 'media_change\n'),
    (f: HostFixture) => f.remove('/sys/block/vda/events'),
  ]) {
    const fixture = host([vda], { vda: 9 });
    change(fixture);
    fixture.source('disk').collect();
    t.is(fixture.series('system.disk.io read,vda')!.epoch!.beganMs, undefined);
    fixture.dispose();
  }
});

test('epochs are equal over restarts, and differ by disk, with and without diskseq', (t) => {
  const tokens = (withSequence: boolean): string[] => {
    const fixture = host([vda, cciss], { vda: 9, 'cciss!c0d0': 3 });
    if (!withSequence) for (const name of ['vda', 'cciss!c0d0']) fixture.remove(`/sys/block/${name}/diskseq`);
    fixture.source('disk').collect();
    const found = ['vda', 'cciss/c0d0'].map(
      (name) => fixture.series(`system.disk.io read,${name}`)!.epoch!.token,
    );
    fixture.dispose();
    return found;
  };
  const [sequence, none] = [tokens(true), tokens(false)];
  t.deepEqual(tokens(true), sequence);
  t.deepEqual(tokens(false), none);
  t.is(new Set([...sequence, ...none]).size, 4);
});

test('a list that misses a disk once retires nothing while /sys knows it; twice makes it idle', (t) => {
  const fixture = host([vda, cciss], { vda: 9, 'cciss!c0d0': 3 });
  const source = fixture.source('disk');
  source.collect();
  const token = fixture.series('system.disk.io read,vda')!.epoch!.token;
  fixture.write('/proc/diskstats', `${cciss}\n`);
  source.collect();
  t.deepEqual(fixture.retired, []);
  source.collect();
  t.true(fixture.retired.length === 9 && fixture.retired.every(([, reason]) => reason === 'idle'));
  fixture.write('/proc/diskstats', `${vda}\n${cciss}\n`);
  source.collect();
  t.deepEqual(fixture.values(), expected(`${vda}\n${cciss}`, ['vda', 'cciss/c0d0']));
  t.is(fixture.series('system.disk.io read,vda')!.epoch!.token, token);
  fixture.dispose();
});

test('more than 2^53 bytes wrap into a new epoch, exactly', (t) => {
  const near = String(2 ** 44 - 1);
  const fixture = host([vda.replace('3295266', near)], { vda: 9 });
  const source = fixture.source('disk');
  source.collect();
  t.is(fixture.values()['system.disk.io read,vda'], 2 ** 53 - 512);
  const { token } = fixture.series('system.disk.io read,vda')!.epoch!;
  fixture.write('/proc/diskstats', vda.replace('3295266', String(2 ** 44 + 3)));
  source.collect();
  t.is(fixture.values()['system.disk.io read,vda'], 3 * 512);
  t.not(fixture.series('system.disk.io read,vda')!.epoch!.token, token);
  fixture.dispose();
});

test('disks that have counted nothing are taken to change seldom', (t) => {
  const fixture = host([vda.replace('vda', 'vdb').replace(/(?<=vdb .*)\d+/g, '0'), vda], { vda: 9, vdb: 10 });
  fixture.source('disk').collect();
  t.is(fixture.series('system.disk.io write,vda')!.changes, 'sometimes');
  t.is(fixture.series('system.disk.merged write,vda')!.changes, 'seldom');
  for (const [key, { series }] of fixture.seen())
    if (key.endsWith('vdb')) t.is(series.changes, 'seldom', key);
  fixture.dispose();
});

test('lines that are not of the form give no series of a wrong value', (t) => {
  const fixture = host(['garbage', ' 8 1 sda1 1 2 3 4', '', '\xff'], {});
  fixture.source('disk').collect();
  t.false('system.disk.io write,sda1' in fixture.values());
  t.true(Object.values(fixture.values()).every((value) => Number.isFinite(value)));
  fixture.dispose();
});
