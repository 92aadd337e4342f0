import test from 'ava';
import fc from 'fast-check';
import { HostFixture } from './host-fixture.ts';

/** include/net/tcp_states.h, and its names in the semantic conventions. */
const names: Record<number, string> = {
  1: 'established',
  2: 'syn_sent',
  3: 'syn_received',
  4: 'fin_wait_1',
  5: 'fin_wait_2',
  6: 'time_wait',
  7: 'closed',
  8: 'close_wait',
  9: 'last_ack',
  10: 'listen',
  11: 'closing',
  12: 'syn_received',
};

function table(states: number[]): string {
  const heading =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'.padEnd(
      149,
    );
  const lines = states.map((state, i) =>
    `${String(i).padStart(4)}: 0100007F:1538 00000000:0000 ${state.toString(16).toUpperCase().padStart(2, '0')} 00000000:00000000 00:00000000 00000000     0        0 ${i} 1`.padEnd(
      149,
    ),
  );
  return `${[heading, ...lines].join('\n')}\n`;
}

function expected(states: number[], udp: number): Record<string, number> {
  const values: Record<string, number> = {};
  for (const name of Object.values(names)) values[`system.network.connection.count ${name},tcp`] = 0;
  for (const state of states) values[`system.network.connection.count ${names[state]},tcp`]! += 1;
  values['system.network.connection.count udp'] = udp;
  return values;
}

test('TCP connections of both families by state, UDP sockets without', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 200 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 200 }),
      (v4, v6) => {
        const fixture = new HostFixture();
        fixture.write('/proc/self/net/tcp', table(v4));
        fixture.write('/proc/self/net/tcp6', table(v6));
        fixture.write(
          '/proc/self/net/sockstat',
          'sockets: used 16\nTCP: inuse 1 orphan 0\nUDP: inuse 3 mem 0\nUDPLITE: inuse 9\n',
        );
        fixture.write('/proc/self/net/sockstat6', 'TCP6: inuse 0\nUDP6: inuse 4\n');
        fixture.source('connections').collect();
        t.deepEqual(fixture.values(), expected([...v4, ...v6], 7));
        t.deepEqual(fixture.warnings, []);
        fixture.dispose();
      },
    ),
    { numRuns: 20 },
  );
});

test('a host without IPv6 needs no warning; one without TCP tables has one', (t) => {
  const fixture = new HostFixture();
  fixture.write('/proc/self/net/tcp', table([1, 10]));
  fixture.write('/proc/self/net/sockstat', 'UDP: inuse 3 mem 0\n');
  const source = fixture.source('connections');
  source.collect();
  t.deepEqual(fixture.values(), expected([1, 10], 3));
  t.deepEqual(fixture.warnings, []);
  fixture.remove('/proc/self/net/tcp');
  fixture.pass(10_000);
  source.collect();
  t.deepEqual(fixture.values(), { 'system.network.connection.count udp': 3 });
  t.is(fixture.warnings.length, 1);
  t.regex(fixture.warnings[0]!, /\/net\/tcp /);
  fixture.dispose();
});
