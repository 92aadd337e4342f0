import fs from 'node:fs';
import test from 'ava';
import { HostFixture, words } from './host-fixture.ts';

const heading = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;
const lo =
  '    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0\n';
const eth0 = '  eth0:241432787 7237 1 2 0 0 0 0   749342    5333    3    4    0     0       0          0\n';

/** The straightforward reading of /proc/net/dev. */
function expected(dev: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of dev.split('\n').slice(2).filter(Boolean)) {
    const [name, rest] = line.trim().split(':');
    const f = words(rest!).map(Number);
    for (const [direction, at] of [
      ['receive', 0],
      ['transmit', 8],
    ] as const) {
      values[`system.network.io ${name},${direction}`] = f[at]!;
      values[`system.network.packet.count ${name},${direction},${name}`] = f[at + 1]!;
      values[`system.network.errors ${name},${direction}`] = f[at + 2]!;
      values[`system.network.packet.dropped ${name},${direction}`] = f[at + 3]!;
    }
  }
  return values;
}

function host(dev: string, indexes: Record<string, number>): HostFixture {
  const fixture = new HostFixture();
  fixture.write('/proc/self/net/dev', heading + dev);
  fs.mkdirSync(`${fixture.root}/proc/self/ns`, { recursive: true });
  fs.symlinkSync('net:[4026531833]', `${fixture.root}/proc/self/ns/net`);
  for (const [name, index] of Object.entries(indexes)) addInterface(fixture, name, index);
  return fixture;
}

function addInterface(fixture: HostFixture, name: string, index: number): void {
  fixture.write(`/sys/class/net/${name}/ifindex`, `${index}\n`);
}

test('bytes, packets, errors and drops by interface and direction', (t) => {
  const fixture = host(lo + eth0, { lo: 1, eth0: 4 });
  const source = fixture.source('network');
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + lo + eth0));
  const series = fixture.series('system.network.packet.count eth0,receive,eth0')!;
  t.deepEqual(series.attributes, [
    ['network.interface.name', 'eth0'],
    ['network.io.direction', 'receive'],
    ['system.device', 'eth0'],
  ]);
  t.like(series.metric, { unit: '{packet}', isMonotonic: true, valueType: 'int' });
  const later = eth0.replace('241432787', '341432787').replace('5333', '5400');
  fixture.write('/proc/self/net/dev', heading + lo + later);
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + lo + later));
  t.deepEqual(fixture.warnings, []);
  fixture.dispose();
});

test('an interface with a new ifindex under the same name is a new epoch, of unknown begin', (t) => {
  const fixture = host(lo + eth0, { lo: 1, eth0: 4 });
  const source = fixture.source('network');
  source.collect();
  const { token } = fixture.series('system.network.io eth0,receive')!.epoch!;
  fixture.pass(1000);
  fixture.remove('/sys/class/net/eth0');
  addInterface(fixture, 'eth0', 5);
  source.collect();
  t.is(fixture.retired.length, 8);
  t.true(fixture.retired.every(([key, reason]) => key.includes('eth0') && reason === 'gone'));
  const before = fixture.timeUs;
  fixture.pass(1000);
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + lo + eth0));
  const series = fixture.series('system.network.io eth0,receive')!;
  t.not(series.epoch!.token, token);
  t.is(series.epoch!.beganMs, undefined);
  t.true(series.startTimeUs! > 0 && series.startTimeUs! < before);
  fixture.dispose();
});

test('the epoch is made of the namespace and the ifindex', (t) => {
  const token = (namespace: string, index: number): string => {
    const fixture = host(eth0, { eth0: index });
    fs.unlinkSync(`${fixture.root}/proc/self/ns/net`);
    fs.symlinkSync(namespace, `${fixture.root}/proc/self/ns/net`);
    fixture.source('network').collect();
    const found = fixture.series('system.network.io eth0,receive')!.epoch!.token;
    fixture.dispose();
    return found;
  };
  const all = [token('net:[1]', 4), token('net:[1]', 5), token('net:[2]', 4)];
  t.is(new Set(all).size, 3);
  t.is(token('net:[1]', 4), all[0]);
});

test('interfaces come and go, in any order', (t) => {
  const fixture = host(lo, { lo: 1 });
  const source = fixture.source('network');
  source.collect();
  addInterface(fixture, 'eth0', 2);
  fixture.write('/proc/self/net/dev', heading + eth0 + lo);
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + eth0 + lo));
  fixture.write('/proc/self/net/dev', heading + lo + eth0);
  source.collect();
  t.deepEqual(fixture.retired, []);
  t.deepEqual(fixture.values(), expected(heading + eth0 + lo));
  fixture.remove('/sys/class/net/lo');
  fixture.write('/proc/self/net/dev', heading + eth0);
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + eth0));
  t.true(
    fixture.retired.length === 8 &&
      fixture.retired.every(([key, reason]) => / lo,/.test(key) && reason === 'gone'),
  );
  fixture.dispose();
});

test('counters that fall open a new epoch, and all others stay', (t) => {
  const fixture = host(eth0, { eth0: 4 });
  const source = fixture.source('network');
  source.collect();
  const before = fixture.seen();
  const later = eth0.replace('241432787', '5');
  fixture.write('/proc/self/net/dev', heading + later);
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + later));
  for (const [key, { series }] of fixture.seen())
    t.is(series.epoch === before.get(key)!.series.epoch, key !== 'system.network.io eth0,receive', key);
  fixture.dispose();
});

test('names that are not UTF-8 stay apart', (t) => {
  const fixture = host('', {});
  const dev = Buffer.concat(
    [0xff, 0xfe].map((byte) =>
      Buffer.concat([Buffer.from([32, byte]), Buffer.from(`: ${'7 '.repeat(16)}\n`)]),
    ),
  );
  fixture.write('/proc/self/net/dev', Buffer.concat([Buffer.from(heading), dev]));
  fixture.source('network').collect();
  t.is(fixture.values()['system.network.io \\xff,receive'], 7);
  t.is(fixture.values()['system.network.io \\xfe,receive'], 7);
  fixture.dispose();
});

test('an unreadable list makes all idle, and its return goes on in the same epochs', (t) => {
  const fixture = host(lo + eth0, { lo: 1, eth0: 4 });
  const source = fixture.source('network');
  source.collect();
  const { token } = fixture.series('system.network.io eth0,receive')!.epoch!;
  fixture.remove('/proc/self/net/dev');
  source.collect();
  t.true(fixture.retired.length === 16 && fixture.retired.every(([, reason]) => reason === 'idle'));
  fixture.write('/proc/self/net/dev', heading + lo + eth0);
  fixture.pass(60_000);
  source.collect();
  t.deepEqual(fixture.values(), expected(heading + lo + eth0));
  t.is(fixture.series('system.network.io eth0,receive')!.epoch!.token, token);
  t.is(fixture.warnings.length, 1);
  fixture.dispose();
});

test("with the host's root mounted, the host's first process is asked", (t) => {
  const fixture = host(lo, { lo: 1, eth0: 4 });
  fixture.write('/proc/1/net/dev', heading + eth0);
  fixture.source('network').collect();
  t.deepEqual(fixture.values(), expected(heading + eth0));
  fixture.dispose();
});
