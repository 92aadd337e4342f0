import test from 'ava';
import { HostFixture } from './host-fixture.ts';

test('load averages are gauges of threads', (t) => {
  const fixture = new HostFixture();
  fixture.write('/proc/loadavg', '0.07 12.40 123.99 2/93 7571\n');
  fixture.source('load').collect();
  t.deepEqual(fixture.values(), {
    'system.cpu.load_average.1m': 0.07,
    'system.cpu.load_average.5m': 12.4,
    'system.cpu.load_average.15m': 123.99,
  });
  t.like(fixture.series('system.cpu.load_average.1m')!, {
    step: 0.01,
    metric: { kind: 'gauge', unit: '{thread}' },
  });
  fixture.dispose();
});

test('uptime is a gauge of seconds', (t) => {
  const fixture = new HostFixture();
  const source = fixture.source('uptime');
  source.collect();
  t.deepEqual(fixture.values(), { 'system.uptime': 1000.25 });
  fixture.write('/proc/uptime', '1001.30 1.0\n');
  source.collect();
  t.deepEqual(fixture.values(), { 'system.uptime': 1001.3 });
  t.like(fixture.series('system.uptime')!.metric, { kind: 'gauge', unit: 's', valueType: 'double' });
  fixture.dispose();
});
