import test from 'ava';
import fc from 'fast-check';
import { onePerFilesystem, parseMountInfo } from '../../../../agent/sources/host/mount-table.ts';

const octalEscaped = (path: string): string =>
  path.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

test('paths with anything in them come back as they were', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
      const line = `36 35 98:0 ${octalEscaped(`/${a}`)} ${octalEscaped(`/${b}`)} rw,noatime master:1 shared:2 - ext3 ${octalEscaped(a)} rw,errors=continue\n`;
      const [mount, ...rest] = parseMountInfo(Buffer.from(line));
      t.is(rest.length, 0);
      t.like(mount, {
        deviceNumber: '98:0',
        subtree: `/${a}`,
        mountPoint: `/${b}`,
        mode: 'rw',
        type: 'ext3',
        device: a,
      });
      t.deepEqual(Buffer.from(mount!.mountPointBytes), Buffer.from(`/${b}`));
    }),
    { numRuns: 200 },
  );
});

test('any bytes give mounts or nothing', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      t.true(Array.isArray(parseMountInfo(bytes)));
    }),
    { numRuns: 100 },
  );
});

test('the last of several mounts on one mount point hides the others', (t) => {
  const mounts = parseMountInfo(
    Buffer.from(
      '1 0 8:1 / /a rw - ext4 /dev/a rw\n2 0 8:2 / /b ro - ext4 /dev/b rw\n3 0 8:3 / /a rw - xfs /dev/c rw\n',
    ),
  );
  t.deepEqual(
    mounts.map(({ mountPoint, device, mode }) => [mountPoint, device, mode]),
    [
      ['/b', '/dev/b', 'ro'],
      ['/a', '/dev/c', 'rw'],
    ],
  );
});

test('of several mounts of one file system the first of its whole is taken', (t) => {
  const mounts = parseMountInfo(
    Buffer.from(
      '1 0 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/a rw\n2 0 8:1 / /mnt rw - ext4 /dev/a rw\n3 0 8:1 / /other rw - ext4 /dev/a rw\n4 0 8:2 /x /x rw - ext4 /dev/b rw\n',
    ),
  );
  t.deepEqual(
    onePerFilesystem(mounts).map(({ mountPoint }) => mountPoint),
    ['/mnt', '/x'],
  );
});
