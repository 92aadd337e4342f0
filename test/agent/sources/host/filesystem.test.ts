import fs from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { hostDefaults } from '../../../../agent/sources/host/host-options.ts';
import { HostFixture } from './host-fixture.ts';

const rootMount = '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n';
const dataMount = '23 22 8:2 / /data\\040dir rw - xfs /dev/sd\\134b rw\n';

function host(mountinfo: string): HostFixture {
  const fixture = new HostFixture();
  fixture.write('/proc/self/mountinfo', mountinfo);
  fs.mkdirSync(`${fixture.root}/data dir`);
  return fixture;
}

/** The numbers of the file system that the directory truly is on lie between those before and after. */
function checkNumbers(
  t: ExecutionContext,
  fixture: HostFixture,
  labels: string,
  before: fs.StatsFs,
  after: fs.StatsFs,
): void {
  const values = fixture.values();
  const between = (name: string, state: string, of: (s: fs.StatsFs) => number): void => {
    const [device, mode, mountPoint, type] = labels.split(',');
    const value =
      values[`${name} ${[device, mode, mountPoint, ...(state === '' ? [] : [state]), type].join(',')}`]!;
    const [a, b] = [of(before), of(after)];
    // Other processes write to the same disk meanwhile.
    const slack = Math.abs(a - b) + 2 ** 28;
    t.true(
      value >= Math.min(a, b) - slack && value <= Math.max(a, b) + slack,
      `${name} ${state}: ${value}, ${a}, ${b}`,
    );
  };
  between('system.filesystem.usage', 'used', (s) => (s.blocks - s.bfree) * s.bsize);
  between('system.filesystem.usage', 'free', (s) => s.bavail * s.bsize);
  between('system.filesystem.usage', 'reserved', (s) => (s.bfree - s.bavail) * s.bsize);
  between('system.filesystem.limit', '', (s) => s.blocks * s.bsize);
  if (before.files > 0) {
    between('system.filesystem.inodes.usage', 'used', (s) => s.files - s.ffree);
    between('system.filesystem.inodes.usage', 'free', (s) => s.ffree);
  }
}

test('space and inodes of each mounted file system, once', async (t) => {
  const bind = '24 22 8:1 /var/lib /mnt/bind rw - ext4 /dev/sda1 rw\n';
  const virtual =
    '25 22 0:5 / /run rw - tmpfs tmpfs rw\n26 22 0:6 / /nfs rw - nfs4 server:/x rw\n27 22 8:9 / /sys/x rw - ext4 /dev/x rw\n';
  const fixture = host(rootMount + dataMount + bind + virtual);
  const source = fixture.source('filesystem');
  const before = fs.statfsSync(fixture.root);
  source.collect();
  await source.settled!();
  const after = fs.statfsSync(fixture.root);
  checkNumbers(t, fixture, '/dev/sda1,rw,/,ext4', before, after);
  checkNumbers(t, fixture, '/dev/sd\\b,rw,/data dir,xfs', before, after);
  t.is(fixture.seen().size, before.files > 0 ? 12 : 8);
  const limit = fixture.series('system.filesystem.limit /dev/sda1,rw,/,ext4')!;
  t.deepEqual(limit.attributes, [
    ['system.device', '/dev/sda1'],
    ['system.filesystem.mode', 'rw'],
    ['system.filesystem.mountpoint', '/'],
    ['system.filesystem.type', 'ext4'],
  ]);
  t.deepEqual(fixture.warnings, []);
  fixture.dispose();
});

test('used, free and reserved are the limit', async (t) => {
  const fixture = host(rootMount);
  const source = fixture.source('filesystem');
  source.collect();
  await source.settled!();
  const v = fixture.values();
  const at = (state: string): number => v[`system.filesystem.usage /dev/sda1,rw,/,${state},ext4`]!;
  t.is(at('used') + at('free') + at('reserved'), v['system.filesystem.limit /dev/sda1,rw,/,ext4']);
  fixture.dispose();
});

test('what is unmounted is gone; a change of mode makes other series', async (t) => {
  const fixture = host(rootMount + dataMount);
  const source = fixture.source('filesystem');
  source.collect();
  await source.settled!();
  fixture.write('/proc/self/mountinfo', rootMount.replace('rw,relatime', 'ro,relatime'));
  source.collect();
  await source.settled!();
  t.true(fixture.retired.length > 0 && fixture.retired.every(([, reason]) => reason === 'gone'));
  t.true([...fixture.seen().keys()].every((key) => key.includes('/dev/sda1,ro,/')));
  t.true(fixture.seen().size >= 4);
  fixture.dispose();
});

test('a mount point that is not there is left out with one warning, and is tried each 60 s', async (t) => {
  const fixture = host(`${rootMount}28 22 8:3 / /nowhere rw - ext4 /dev/sdc rw\n`);
  const source = fixture.source('filesystem');
  const run = async (): Promise<boolean> => {
    source.collect();
    await source.settled!();
    return fixture.values()['system.filesystem.limit /dev/sdc,rw,/nowhere,ext4'] !== undefined;
  };
  t.false(await run());
  t.false(await run());
  t.is(fixture.warnings.length, 1);
  t.regex(fixture.warnings[0]!, /\/nowhere \(ext4\) cannot be asked \(ENOENT/);
  fs.mkdirSync(`${fixture.root}/nowhere`);
  t.false(await run());
  fixture.pass(60_000);
  t.true(await run());
  fixture.dispose();
});

test('types and mount points are chosen by name', async (t) => {
  const fixture = host(rootMount + dataMount);
  const source = fixture.source('filesystem', {
    filesystem: {
      ...hostDefaults.filesystem,
      fsTypes: { include: ['xf?'], exclude: [] },
      mountPoints: { include: ['/data*'], exclude: [] },
    },
  });
  source.collect();
  await source.settled!();
  t.true(fixture.seen().size >= 4);
  t.true([...fixture.seen().keys()].every((key) => key.includes('/data dir')));
  fixture.dispose();
});

// A call that hangs cannot be had without root, so Node's own is held back here: tests of one file run one after the other.
test.serial(
  'a file system that hangs holds up nothing, is asked once, and is left out until it answers',
  async (t) => {
    const fixture = host(rootMount + dataMount);
    const source = fixture.source('filesystem');
    const held: (() => void)[] = [];
    const original = fs.statfs;
    const asked: string[] = [];
    const hanging = ((path: Buffer, done: (error: Error | null, stats: fs.StatsFs) => void) => {
      asked.push(path.toString());
      const answer = (): void => original(path, done);
      if (path.toString().endsWith('dir')) held.push(answer);
      else answer();
    }) as typeof fs.statfs;
    fs.statfs = hanging;
    t.teardown(() => {
      fs.statfs = original;
    });
    const seen = (label: string): boolean => [...fixture.seen().keys()].some((key) => key.includes(label));
    const until = async (condition: () => boolean): Promise<void> => {
      const end = Date.now() + 30_000;
      while (!condition() && Date.now() < end) await new Promise((resolve) => setImmediate(resolve));
      t.true(condition());
    };
    for (let i = 0; i < 3; i++) {
      source.collect();
      await until(() => seen('/dev/sda1'));
      fixture.pass(5000);
    }
    t.is(asked.filter((path) => path.endsWith('dir')).length, 1);
    t.is(fixture.warnings.length, 1);
    t.regex(fixture.warnings[0]!, /data dir \(xfs\) has not answered/);
    held.shift()!();
    await until(() => seen('/data dir'));
    await source.settled!();
    fixture.dispose();
  },
);
