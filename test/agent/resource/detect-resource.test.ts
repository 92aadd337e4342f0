import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { containerId } from '../../../agent/resource/container-id.ts';
import { detectResource } from '../../../agent/resource/detect-resource.ts';
import { machineId } from '../../../agent/resource/machine-id.ts';
import { osRelease } from '../../../agent/resource/os-release.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { bootId } from '../../../otel/stream/boot-id.ts';

const roots: string[] = [];
test.after.always(() => {
  for (const root of roots) fs.rmSync(root, { recursive: true, force: true });
});

function rootOf(files: Record<string, string>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'streamgauge-resource-'));
  for (const [file, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(root + file), { recursive: true });
    fs.writeFileSync(root + file, content);
  }
  roots.push(root);
  return root;
}

const machine = '3d1219c7c4c5404aaa1f6d2a48adfda4';
const container = '0123456789abcdef'.repeat(4);

test('what is known of a mounted host, and configured attributes over it', (t) => {
  const root = rootOf({
    '/etc/machine-id': `${machine}\n`,
    '/etc/hostname': 'db-7\n',
    '/etc/os-release':
      'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  });
  const resource = detectResource({
    root,
    attributes: attributes({ 'host.name': 'configured', 'deployment.environment.name': 'test' }),
  });
  t.deepEqual(Object.fromEntries(resource.attributes), {
    'deployment.environment.name': 'test',
    'host.arch': { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
    'host.id': machine,
    'host.name': 'configured',
    'os.build_id': os.release(),
    'os.description': `Debian GNU/Linux 12 (bookworm), ${os.type()} ${os.release()}`,
    'os.name': 'Debian GNU/Linux',
    'os.type': process.platform,
    'os.version': '12',
  });
  t.deepEqual(
    detectResource({ root }).attributes.find(([key]) => key === 'host.name'),
    ['host.name', 'db-7'],
  );
  t.regex(resource.schemaUrl, /^https:\/\/opentelemetry\.io\/schemas\/1\./);
});

test('where nothing can be known there is still a host', (t) => {
  const { attributes: found } = detectResource({ root: rootOf({}) });
  t.deepEqual(
    found.map(([key]) => key),
    ['host.arch', 'host.name', 'os.build_id', 'os.description', 'os.name', 'os.type', 'os.version'],
  );
  t.true(found.every(([, value]) => typeof value === 'string' && value !== ''));
});

test('this machine', (t) => {
  const found = new Map(detectResource().attributes);
  t.is(found.get('host.name'), os.hostname());
});

test('machine ids: the first that is one', (t) => {
  t.is(
    machineId(rootOf({ '/etc/machine-id': 'uninitialized\n', '/var/lib/dbus/machine-id': `${machine}\n` })),
    machine,
  );
  t.is(machineId(rootOf({ '/etc/machine-id': '' })), undefined);
  t.is(machineId(rootOf({ '/etc/machine-id': `${'0'.repeat(32)}\n` })), undefined);
  t.is(machineId(rootOf({ '/etc/machine-id': machine.toUpperCase() })), machine);
});

const inCgroup = test.macro({
  exec: (t, line: string, expected: string | undefined) => {
    t.is(containerId(rootOf({ '/proc/self/cgroup': `9:name=systemd:/\n${line}\n` })), expected);
  },
  title: (name) => `container id: ${name}`,
});

test('docker, v1', inCgroup, `13:cpu:/docker/${container}`, container);
test('docker by systemd', inCgroup, `0::/system.slice/docker-${container}.scope`, container);
test(
  'kubernetes',
  inCgroup,
  `1:name=systemd:/kubepods/besteffort/pod5c8e/cri-containerd-${container}.scope`,
  container,
);
test(
  'containerd',
  inCgroup,
  `4:memory:/system.slice/containerd.service:cri-containerd:${container}`,
  container,
);
test('fargate', inCgroup, `4:cpu:/ecs/${machine}/${machine}-2531612879`, `${machine}-2531612879`);
test('none on a plain host', inCgroup, '0::/user.slice/user-1000.slice/session-3.scope', undefined);
test('none of a shorter hash', inCgroup, `4:memory:/process_api/${machine}`, undefined);

test('container id from the mounted files of control groups v2', (t) => {
  const of = (mountinfo: string): string | undefined =>
    containerId(rootOf({ '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': mountinfo }));
  const line = (subtree: string, mountPoint: string): string =>
    `700 600 8:1 ${subtree} ${mountPoint} rw,relatime - ext4 /dev/sda1 rw\n`;
  t.is(of(line(`/var/lib/docker/containers/${container}/hostname`, '/etc/hostname')), container);
  t.is(
    of(line(`/containers/storage/overlay-containers/${container}/userdata/hosts`, '/etc/hosts')),
    container,
  );
  t.is(
    of(
      line(`/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${container}/hostname`, '/etc/hostname'),
    ),
    undefined,
  );
  t.is(of(line('/', `/var/lib/docker/containers/${container}/mounts/shm`)), undefined);
});

test('boot ids are UUIDs or an error that says what was found', (t) => {
  const id = '8a5f2b1c-0d3e-4f60-9a7b-1c2d3e4f5a6b';
  const file = '/proc/sys/kernel/random/boot_id';
  t.is(bootId(rootOf({ [file]: `${id.toUpperCase()}\n` })), id);
  t.throws(() => bootId(rootOf({ [file]: 'nonsense' })), { message: /boot_id.*"nonsense"/ });
  t.throws(() => bootId(rootOf({})), { code: 'ENOENT' });
});

test('os-release: quotes, escapes, comments and the second path', (t) => {
  const root = rootOf({
    '/usr/lib/os-release': `# c\nNAME='A \\$B'\nPRETTY_NAME="say \\"hi\\" \\$x"\nID=plain\nBROKEN\n`,
  });
  t.deepEqual(
    [...osRelease(root)],
    [
      ['NAME', 'A \\$B'],
      ['PRETTY_NAME', 'say "hi" $x'],
      ['ID', 'plain'],
    ],
  );
});
