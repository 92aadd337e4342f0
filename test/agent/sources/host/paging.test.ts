import test from 'ava';
import { HostFixture } from './host-fixture.ts';

const vmstat = (faults: number, major: number): string =>
  `nr_free_pages 5\npswpin 17\npswpout 4\npgfault ${faults}\npgmajfault ${major}\npgfault_extra 9\n`;
const heading = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';

test('faults, swapped pages and the usage of swap devices', (t) => {
  const fixture = new HostFixture();
  fixture.write('/proc/vmstat', vmstat(1000, 30));
  fixture.write(
    '/proc/swaps',
    `${heading}/dev/dm-1                               partition\t8388604\t\t1024\t\t-2\n/swap\\040file\\134 file\t100 25 -3\n`,
  );
  const source = fixture.source('paging');
  source.collect();
  t.deepEqual(fixture.values(), {
    'system.paging.faults minor': 970,
    'system.paging.faults major': 30,
    'system.paging.operations in,major': 17,
    'system.paging.operations out,major': 4,
    'system.paging.usage /dev/dm-1,used': 1024 * 1024,
    'system.paging.usage /dev/dm-1,free': (8388604 - 1024) * 1024,
    'system.paging.usage /swap file\\,used': 25 * 1024,
    'system.paging.usage /swap file\\,free': 75 * 1024,
  });
  fixture.write('/proc/swaps', `${heading}/swap\\040file\\134 file\t100 30 -3\n`);
  source.collect();
  t.deepEqual(fixture.retired, [
    ['system.paging.usage /dev/dm-1,used', 'gone'],
    ['system.paging.usage /dev/dm-1,free', 'gone'],
  ]);
  t.is(fixture.values()['system.paging.usage /swap file\\,used'], 30 * 1024);
  fixture.dispose();
});

test('a major fault that was first counted as minor is no fall', (t) => {
  const fixture = new HostFixture();
  fixture.write('/proc/vmstat', vmstat(1000, 30));
  const source = fixture.source('paging');
  source.collect();
  const { epoch } = fixture.series('system.paging.faults minor')!;
  fixture.write('/proc/vmstat', vmstat(1000, 31));
  source.collect();
  t.is(fixture.values()['system.paging.faults minor'], 970);
  t.is(fixture.series('system.paging.faults minor')!.epoch, epoch);
  fixture.dispose();
});

test('a host without swap needs no warning', (t) => {
  const fixture = new HostFixture();
  fixture.write('/proc/vmstat', vmstat(1000, 30));
  fixture.source('paging').collect();
  t.is(fixture.seen().size, 4);
  t.deepEqual(fixture.warnings, []);
  fixture.dispose();
});
