import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { PointBatch, placesPerRead } from '../../../otel/state/point-batch.ts';
import { Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

/** A core with one member, whose counter has ended: a sweep would free it. */
function withEndedSeries(): Core {
  const core = new Core();
  const stream = core.stream();
  stream.hello('m', 1, attributes({ host: 'm' }));
  const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
  const number = stream.define(
    { metric: jobs, attributes: attributes({}), group: 0, isForeign: false },
    'e',
    1,
    0,
  );
  stream.report(0, core.nowUs, new Map([[number, 5]]), 1);
  stream.retire(number, 'gone');
  core.nowUs += 2e6;
  return core;
}

test('places stay while a collection is held, and the sweep that waited is made when the last one is let go', (t) => {
  const core = withEndedSeries();
  const { outputs } = core;
  const holds = [1, 2].map(() => outputs.collect(outputs.passerBy(), core.nowUs).hold!());
  core.wait(3);
  t.is(core.store.seriesCount, 1);
  holds[0]!();
  t.is(core.store.seriesCount, 1);
  holds[1]!();
  t.is(core.store.seriesCount, 0, 'without waiting for a tick');
});

test('a collection that is held once more has a place of its own to add up in', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })], limits: { maxSeries: 4000 } });
  const stream = member(core, 'm');
  const values: Record<number, number> = {};
  // More points of each than are read at a time.
  for (const [name, value] of Object.entries({ sevens: 7, nines: 9 }))
    for (let i = 0; i < placesPerRead + 1; i++) {
      const m = metric({ name, kind: 'sum', isMonotonic: true });
      values[define(stream, m, attributes({ i: BigInt(i) }))] = value;
    }
  report(core, stream, values);
  const { outputs } = core;
  const collect = () => outputs.collect(outputs.passerBy(), core.nowUs);
  const first = collect();
  for (let i = 0; i < 2; i++) first.hold!()();
  // Two collections that are read in turns, of another stream each.
  const collections = [first, collect()];
  const releases = collections.map(({ hold }) => hold!());
  const streams = collections.map(({ resources }, i) => [...resources][0].scopes[0].streams[i]);
  const batches = streams.map(() => new PointBatch());
  const places = streams.map((one, i) => one.read(batches[i], 0));
  const lasts = places.map((place, i) => {
    streams[i].read(batches[i], place);
    return [streams[i].metric.name, batches[i].values[0]];
  });
  t.deepEqual(lasts, [
    ['sevens', 7],
    ['nines', 9],
  ]);
  for (const release of releases) release();
});

test('who holds for long is told that it is waited for, and nobody is who holds nothing up', (t) => {
  const core = withEndedSeries();
  const { outputs } = core;
  const told: string[] = [];
  const hold = (name: string) =>
    outputs.collect(outputs.passerBy(), core.nowUs).hold!(() => {
      told.push(name);
      if (name === 'ends soon') release();
    });
  const release = hold('ends soon');
  const other = hold('cannot');
  for (let second = 0; second < 10; second++) core.wait(1);
  t.deepEqual(told, []);
  core.wait(1);
  t.deepEqual(told, ['ends soon', 'cannot']);
  t.is(core.store.seriesCount, 1);
  other();
  t.is(core.store.seriesCount, 0);
  const later = hold('later');
  // Points without series are looked for once a minute.
  for (let second = 0; second < 45; second++) core.wait(1);
  later();
  t.deepEqual(told, ['ends soon', 'cannot'], 'there was nothing to sweep');
});
