import { BlockList } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { AddressBook } from '../../../collector/security/address-book.ts';
import { clientAddress } from '../../../collector/security/client-address.ts';
import { Exceeded, limitCounters } from '../../../collector/security/exceeded.ts';
import { seldomWarnings } from '../../../collector/security/seldom-warnings.ts';
import { TokenBucket } from '../../../collector/security/token-bucket.ts';

test('addresses: IPv4 as it is, IPv6 by its first 64 bits', (t) => {
  const same = (a: string, b: string) => t.is(clientAddress(a), clientAddress(b), `${a} ${b}`);
  const other = (a: string, b: string) => t.not(clientAddress(a), clientAddress(b), `${a} ${b}`);
  t.is(clientAddress('10.0.0.1'), '10.0.0.1');
  t.is(clientAddress('::ffff:10.0.0.1'), '10.0.0.1');
  t.is(clientAddress('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  same('2001:db8:1:2::1', '2001:0db8:0001:0002:ffff::');
  same('fe80::1%eth0', 'fe80::2');
  same('::1', '::2');
  same('64:ff9b::1.2.3.4', '64:ff9b::');
  other('2001:db8::', '2001:db8:0:1::');
  other('1:2:3::', '1:2:3:4::');
  other('::1', '1::');
  t.is(clientAddress(undefined), 'unknown');
});

test('two IPv6 addresses are one client exactly when they share a subnet of 64 bits', (t) => {
  const group = fc.constantFrom(0, 1, 0x20, 0xffff);
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.array(group, { minLength: 8, maxLength: 8 }),
        (a, b) => {
          // The oracle reads addresses itself; these are not IPv4 ones.
          a[0] ||= 1;
          b[0] ||= 1;
          const text = (groups: number[]) => groups.map((each) => each.toString(16)).join(':');
          // WHATWG's serializer shortens the longest run of zeros.
          const short = new URL(`http://[${text(b)}]`).hostname.slice(1, -1);
          const subnet = new BlockList();
          subnet.addSubnet(text(a), 64, 'ipv6');
          return (clientAddress(text(a)) === clientAddress(short)) === subnet.check(short, 'ipv6');
        },
      ),
      { numRuns: 300 },
    ),
  );
});

test('a bucket never gives more than its burst and what came back since', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.nat(500), { maxLength: 200 }),
      (perSecond, burst, waits) => {
        const bucket = new TokenBucket(perSecond, burst, 0);
        let nowMs = 0;
        let given = 0;
        for (const wait of waits) {
          nowMs += wait;
          const waitMs = bucket.waitMs(nowMs);
          const isGiven = bucket.take(nowMs);
          if (isGiven) given++;
          if (isGiven !== (waitMs === 0)) return false;
          if (given > burst + (nowMs * perSecond) / 1000 + 1e-6) return false;
        }
        return true;
      },
    ),
    { numRuns: 200 },
  );
  const bucket = new TokenBucket(10, 1, 0);
  t.true(bucket.take(0));
  t.false(bucket.take(0));
  t.is(bucket.waitMs(0), 100);
  t.false(bucket.isFull(50));
  t.true(bucket.take(100));
});

test('addresses that take nothing are forgotten once their rates have recovered', (t) => {
  const book = new AddressBook({ connections: 1, streams: 1, windowSeconds: 10 });
  for (let i = 0; i < 1000; i++) book.use(`10.0.${i >> 8}.${i & 255}`, 2000).newConnections.take(2000);
  const held = book.use('10.1.0.0', 2000);
  held.connections++;
  t.is(book.size, 1001);
  book.use('10.2.0.0', 2500);
  t.is(book.size, 1002);
  book.use('10.3.0.0', 20_000);
  t.is(book.size, 2);
  t.is(book.known('10.1.0.0'), held);
});

test('what goes over a limit is counted by cause, and told once for each cause and address and then once a minute', (t) => {
  let nowMs = 0;
  const lines: object[] = [];
  const counters = limitCounters();
  const { exceeded } = new Exceeded(
    counters,
    (fields) => void lines.push(fields),
    () => nowMs,
  ).of('grpc');
  for (let port = 0; port < 50; port++) exceeded('pings', `10.0.0.1:${port}`, 'why');
  exceeded('idle_timeout', '10.0.0.1:1', 'a matter of course');
  t.deepEqual(lines, [{ port: 'grpc', peer: '10.0.0.1:0', cause: 'pings', reason: 'why' }]);
  nowMs = 60_000;
  exceeded('pings', '10.0.0.1:99', 'why');
  t.like(lines[1], { peer: '10.0.0.1:99', times: 50 });
  t.like(counters, { pings: 51, idle_timeout: 1, settings: 0 });
});

test('warnings of what a peer does come once a minute for each cause and address; all else as it comes', (t) => {
  let nowMs = 0;
  const lines: string[] = [];
  const log = seldomWarnings(
    (level, fields, message) => void lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
    () => nowMs,
  );
  for (let i = 0; i < 100; i++) log('warn', { peer: `10.0.0.1:${i}`, cause: 'invalid' }, 'ended');
  log('warn', { peer: '10.0.0.1:1', cause: 'limit' }, 'ended');
  log('warn', { peer: '10.0.0.2:1', cause: 'invalid' }, 'ended');
  for (let i = 0; i < 2; i++) log('info', { peer: '10.0.0.1:1' }, 'connected');
  for (let i = 0; i < 2; i++) log('warn', { member: 'm' }, 'of nobody');
  nowMs = 60_000;
  log('warn', { peer: '10.0.0.1:7', cause: 'invalid' }, 'ended');
  t.deepEqual(lines, [
    'warn ended {"peer":"10.0.0.1:0","cause":"invalid"}',
    'warn ended {"peer":"10.0.0.1:1","cause":"limit"}',
    'warn ended {"peer":"10.0.0.2:1","cause":"invalid"}',
    'info connected {"peer":"10.0.0.1:1"}',
    'info connected {"peer":"10.0.0.1:1"}',
    'warn of nobody {"member":"m"}',
    'warn of nobody {"member":"m"}',
    'warn ended {"peer":"10.0.0.1:7","cause":"invalid","times":100}',
  ]);
});
