import test from 'ava';
import { HostFixture } from './host-fixture.ts';

const meminfo = `MemTotal:       24684092 kB
MemFree:        23932116 kB
MemAvailable:   24123748 kB
Buffers:            6388 kB
Cached:           295760 kB
SwapCached:            0 kB
Shmem:              8856 kB
Slab:             222100 kB
SReclaimable:     192572 kB
SUnreclaim:        29528 kB
HugePages_Total:       0
`;

/** The straightforward reading. */
function expected(text: string): Record<string, number> {
  const of = new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [key, value] = line.split(':');
        return [key!, Number.parseInt(value!, 10) * 1024];
      }),
  );
  const at = (key: string): number => of.get(key)!;
  const available = of.get('MemAvailable');
  return {
    'system.memory.usage used': at('MemTotal') - (available ?? at('MemFree') + at('Buffers') + at('Cached')),
    'system.memory.usage free': at('MemFree'),
    'system.memory.usage cached': at('Cached'),
    'system.memory.usage buffers': at('Buffers'),
    'system.memory.limit': at('MemTotal'),
    ...(available === undefined ? {} : { 'system.memory.linux.available': available }),
    'system.memory.linux.shared': at('Shmem'),
    'system.memory.linux.slab.usage reclaimable': at('SReclaimable'),
    'system.memory.linux.slab.usage unreclaimable': at('SUnreclaim'),
  };
}

test('bytes by state, from kibibytes', (t) => {
  const fixture = new HostFixture();
  fixture.write('/proc/meminfo', meminfo);
  const source = fixture.source('memory');
  source.collect();
  t.deepEqual(fixture.values(), expected(meminfo));
  t.like(fixture.series('system.memory.usage used')!, {
    step: 4096,
    metric: { unit: 'By', kind: 'sum', isMonotonic: false, valueType: 'int' },
  });
  const later = meminfo.replace('24123748', '20000000').replace('23932116', '99');
  fixture.write('/proc/meminfo', later);
  source.collect();
  t.deepEqual(fixture.values(), expected(later));
  fixture.dispose();
});

test('a kernel without MemAvailable, and lines in another order', (t) => {
  const fixture = new HostFixture();
  const source = fixture.source('memory');
  fixture.write('/proc/meminfo', meminfo);
  source.collect();
  const old = `${meminfo
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('MemAvailable'))
    .reverse()
    .join('\n')}\n`;
  fixture.write('/proc/meminfo', old);
  source.collect();
  t.deepEqual(fixture.values(), expected(old));
  t.deepEqual(fixture.retired, [['system.memory.linux.available', 'idle']]);
  fixture.dispose();
});
