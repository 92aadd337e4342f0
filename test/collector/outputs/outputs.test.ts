import test from 'ava';
import fc from 'fast-check';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { PointBatch } from '../../../otel/state/point-batch.ts';
import { readCollection } from '../../model/read-collection.ts';
import { birthUs, Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const second = 1_000_000;

test('what a merging view makes is of one writer, with the kept attributes of the resource, whatever the schema', (t) => {
  const core = new Core({ views: [view({ resourceKeys: ['region'] })] });
  for (const [id, schemaUrl] of [
    ['a', 'http://schema/1'],
    ['b', 'http://schema/2'],
  ]) {
    const { store } = core;
    const of = store.join(id, { attributes: attributes({ region: 'r', host: id }), schemaUrl }, birthUs);
    const scope = { name: '', version: '', attributes: attributes({}), schemaUrl: '' };
    const input = {
      scope,
      metric: jobs,
      attributes: attributes({}),
      resource: undefined,
      epoch: '',
      startTimeUs: 0,
    };
    store.define(of, { ...input, beganAtUs: undefined, clock: store.clocks.of(of, 0), holder: 1 }, birthUs);
  }
  const resources = [...core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources];
  t.deepEqual(
    resources.map(({ resource }) => resource),
    [{ attributes: attributes({ region: 'r', 'service.instance.id': 'writer' }), schemaUrl: '' }],
  );
  t.is(core.outputs.points, 1);
});

test('a metric without an output leaves no empty resource and scope', (t) => {
  const core = new Core({
    views: [view({ aggregation: 'sum' }, 'latency'), view({ aggregation: 'drop' }, 'jobs')],
  });
  const stream = member(core, 'm');
  define(stream, metric({ name: 'latency', kind: 'histogram', explicitBounds: [1] }));
  define(stream, jobs);
  t.deepEqual([...core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources], []);
});

test('histograms fold where their bounds are equal; others are a stream of their own', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [], name: 'all' })] });
  const of = (...explicitBounds: number[]) =>
    metric({ name: 'latency', kind: 'histogram', explicitBounds, hasSum: true, hasMin: true });
  const [a, b, c] = ['a', 'b', 'c'].map((id) => member(core, id));
  report(core, a, { [define(a, { ...of(1, 2), hasMin: false })]: [1, 2, 3, 0.5] });
  report(core, b, { [define(b, { ...of(1, 2), hasMin: false })]: [1, 1, 1, 0.25] });
  report(core, c, { [define(c, { ...of(1), hasMin: false })]: [7, 8] });
  t.deepEqual(
    core
      .scrape()
      .get('all')
      ?.map(({ value }) => value),
    [
      [2, 3, 4, 0.75],
      [7, 8, 0],
    ],
  );
  const { resources } = core.outputs.collect(core.outputs.passerBy(), core.nowUs);
  const folded = [...resources][0].scopes[0].streams[0].metric;
  t.deepEqual([folded.hasSum, folded.hasMin, folded.hasMax], [true, false, false]);
});

test('gauges as a sum, and sums as a last value', (t) => {
  const gauge = metric({ name: 'load', kind: 'gauge' });
  const core = new Core({
    views: [
      view({ aggregation: 'sum', resourceKeys: [] }, 'load'),
      view({ aggregation: 'last_value', resourceKeys: [] }, 'jobs'),
    ],
  });
  const streams = ['a', 'b'].map((id) => member(core, id));
  for (const [i, stream] of streams.entries()) {
    core.nowUs += second;
    report(core, stream, { [define(stream, gauge)]: 10 + i, [define(stream, jobs)]: 20 + i });
  }
  t.deepEqual([core.values('load'), core.values('jobs')], [[21], [21]]);
  const kinds = [...core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources].flatMap(
    ({ scopes }) =>
      scopes.flatMap(({ streams: list }) =>
        list.map(({ metric: m, temporality }) => `${m.name} ${m.kind} ${m.isMonotonic} ${temporality}`),
      ),
  );
  t.deepEqual(kinds.sort(), ['jobs gauge false undefined', 'load sum false cumulative']);
});

test('what a delta reader is given adds up to what was counted, while series come and go', (t) => {
  const core = new Core();
  const cursor = core.outputs.addReader('delta');
  const given = new Map<string, number>();
  let lastEndUs = birthUs;
  const collect = () => {
    for (const [key, points] of readCollection(core.outputs.collect(cursor, core.nowUs)))
      for (const { value, startUs, timeUs } of points) {
        t.is(startUs, lastEndUs);
        t.is(timeUs, core.nowUs);
        t.true((value as number) >= 0);
        given.set(key, (given.get(key) ?? 0) + (value as number));
      }
    lastEndUs = core.nowUs;
    core.outputs.delivered(cursor);
  };
  const stream = member(core, 'm');
  const numbers: number[] = [];
  const values: number[] = [];
  for (let round = 0; round < 12; round++) {
    core.nowUs += second;
    // More series in each round than the column of the round before has room for.
    for (let i = 0; i <= round; i++) {
      values.push(0);
      numbers.push(define(stream, jobs, attributes({ series: BigInt(values.length) })));
    }
    values.forEach((_, i) => {
      if (numbers[i] !== 0) values[i] += i + 1;
    });
    report(core, stream, Object.fromEntries(numbers.flatMap((n, i) => (n === 0 ? [] : [[n, values[i]]]))));
    if (round % 3 === 1) {
      stream.retire(numbers[round], 'gone');
      numbers[round] = 0;
    }
    if (round % 2 === 0) collect();
    core.wait(2);
  }
  collect();
  const sums = [...given.values()].sort((a, b) => a - b);
  t.deepEqual(
    sums,
    values.sort((a, b) => a - b),
  );
});

test('a wall clock that is set back makes no interval that ends before it begins', (t) => {
  const core = new Core();
  const cursor = core.outputs.addReader('delta');
  const stream = member(core, 'm');
  report(core, stream, { [define(stream, jobs)]: 1 });
  core.outputs.collect(cursor, birthUs + 60 * second);
  const [point] = [...readCollection(core.outputs.collect(cursor, birthUs + second)).values()][0];
  t.is(point.startUs, birthUs + 60 * second);
  t.true(point.timeUs > point.startUs);
});

test('points of gauges that all have left are forgotten', (t) => {
  const gauge = metric({ name: 'load', kind: 'gauge' });
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  const stream = member(core, 'm');
  const stays = define(stream, gauge, attributes({ container: 'stays' }));
  for (let i = 0; i < 200; i++) {
    const number = define(stream, gauge, attributes({ container: `c${i}` }));
    report(core, stream, { [stays]: i, [number]: i });
    stream.retire(number, 'gone');
    core.wait(2);
  }
  t.true(core.outputs.points < 5, `${core.outputs.points} points are kept`);
  t.deepEqual(core.values('load'), [199]);
  const again = define(stream, gauge, attributes({ container: 'c3' }));
  report(core, stream, { [again]: -1 });
  t.deepEqual(core.values('load'), [-1, 199]);
});

test('totals of one member end with it, and begin anew with a later start; those of many stay', (t) => {
  const core = new Core({
    views: [view({ attributeKeys: { included: [] }, name: 'own' }), view({ resourceKeys: [], name: 'all' })],
  });
  const first = member(core, 'm');
  report(core, first, { [define(first, jobs)]: 5 });
  const [before] = core.scrape().get('own')!;
  core.wait(10);
  report(core, first, {});
  first.session.closed();
  core.wait(86_401);
  core.wait(1);
  t.deepEqual([core.values('own'), core.values('all')], [[], [5]]);
  const second = member(core, 'm');
  report(core, second, { [define(second, jobs)]: 2 });
  const [after] = core.scrape().get('own')!;
  t.is(after.value, 2);
  t.true(after.startUs > before.startUs);
  t.deepEqual(core.values('all'), [7]);
});

test('a total of doubles never falls, in whatever order its series end', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 12 }),
        fc.infiniteStream(fc.nat(100)),
        (values, picks) => {
          const core = new Core({ views: [view({ resourceKeys: [] })] });
          const streams = values.map((value, i) => {
            const stream = member(core, `m${i}`);
            const number = define(stream, jobs);
            report(core, stream, { [number]: value });
            return { stream, number };
          });
          let before = core.values('jobs')[0] as number;
          const naive = values.reduce((a, b) => a + b, 0);
          while (streams.length > 0) {
            const [{ stream, number }] = streams.splice(picks.next().value! % streams.length, 1);
            stream.retire(number, 'gone');
            core.wait(2);
            const total = core.values('jobs')[0] as number;
            if (total < before) throw new Error(`fell from ${before} to ${total}`);
            if (Math.abs(total - naive) > 1e-9 * naive) throw new Error(`${total} for ${naive}`);
            before = total;
          }
          core.sessions.stop();
        },
      ),
      { numRuns: 100 },
    ),
  );
});

test('a batch is used again, and holds what the last read left', (t) => {
  const core = new Core();
  const stream = member(core, 'm');
  const numbers = [1, 2, 3].map((i) => define(stream, jobs, attributes({ i: BigInt(i) })));
  report(core, stream, Object.fromEntries(numbers.map((n, i) => [n, i])));
  const batch = new PointBatch();
  for (const size of [3, 2]) {
    const { resources } = core.outputs.collect(core.outputs.passerBy(), core.nowUs);
    [...resources][0].scopes[0].streams[0].read(batch, 0);
    t.is(batch.size, size);
    if (size === 3) {
      stream.retire(numbers[0], 'gone');
      core.wait(2);
    }
  }
});

test('no point ends before it begins, also when the wall clock was set back', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [], name: 'all' })] });
  const stream = member(core, 'm');
  const first = define(stream, jobs, attributes({ i: 1n }));
  report(core, stream, { [first]: 5 });
  stream.retire(first, 'gone');
  core.wait(5);
  core.wait(86_500);
  // The point is forgotten, and one that comes later begins here by the store's clock.
  core.wait(61);
  report(core, stream, { [define(stream, jobs, attributes({ i: 2n }))]: 1 });
  const hourUs = 3600 * second;
  const found = readCollection(core.outputs.collect(core.outputs.passerBy(), core.nowUs - hourUs));
  for (const points of found.values())
    for (const { startUs, timeUs } of points) t.true(timeUs >= startUs, `${startUs} to ${timeUs}`);
  t.is(found.size, 1);
});
