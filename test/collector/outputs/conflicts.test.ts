import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

const seconds = metric({ name: 'work', kind: 'sum', isMonotonic: true, unit: 's' });

/** A core to which members reported these metrics, one after the other. */
function reported(
  metrics: readonly MetricDescription[],
  views: ReturnType<typeof view>[] = [],
  members = 1,
): Core {
  const core = new Core({ views });
  for (let i = 0; i < members; i++) {
    const stream = member(core, `m${i}`);
    for (const m of metrics)
      report(core, stream, { [define(stream, m)]: m.kind === 'histogram' ? [1, 1] : 1 });
  }
  return core;
}

const conflict = test.macro({
  exec(t, other: MetricDescription, cause: string, held: string, added: string) {
    for (const views of [[], [view({ resourceKeys: [] })]]) {
      const core = reported([seconds, other], views, 3);
      const streams = views.length === 0 ? 6 : 2;
      t.is(core.streams().length, streams, 'separate streams');
      t.deepEqual(
        core.told.map((problem) => [problem.cause, problem.metric, problem.held, problem.added]),
        [[cause, 'work', held, added]],
      );
      t.is(core.problems.conflicts[cause as 'unit'], streams / 2, 'counted in each resource');
      t.deepEqual(core.problems.list.length, 1);
    }
  },
  title: (_, __, cause) => `the same name with another ${cause}: streams of their own, one warning`,
});

test(conflict, { ...seconds, unit: 'ms' }, 'unit', 'monotonic sum, s', 'monotonic sum, ms');
test(conflict, { ...seconds, isMonotonic: false }, 'monotonicity', 'monotonic sum, s', 'sum, s');
test(conflict, metric({ name: 'work', kind: 'gauge', unit: 's' }), 'kind', 'monotonic sum, s', 'gauge, s');

test('a name in other case is the same name', (t) => {
  const core = reported([seconds, { ...seconds, name: 'Work', unit: 'ms' }]);
  t.like(core.told, [{ cause: 'unit', metric: 'Work' }]);
  t.like(reported([seconds, { ...seconds, name: 'Work' }]).told, [{ cause: 'name', metric: 'Work' }]);
});

test('value types, bounds and what a histogram holds are no conflict where metrics pass', (t) => {
  const latency = metric({ name: 'latency', kind: 'histogram', explicitBounds: [1] });
  const core = reported([
    seconds,
    { ...seconds, valueType: 'int' },
    latency,
    { ...latency, explicitBounds: [2] },
    { ...latency, hasSum: true },
  ]);
  t.deepEqual(core.told, []);
});

test('a view that renames one of them resolves it', (t) => {
  const other = { ...seconds, unit: 'ms' };
  const views = [{ selector: { unit: 'ms' }, stream: { aggregation: 'default', name: 'work.ms' } as const }];
  const core = reported([seconds, other], views, 2);
  t.deepEqual(core.told, []);
  t.deepEqual([...core.scrape().keys()].sort(), ['work', 'work.ms']);
});

test('two views of one metric under one name', (t) => {
  const views = [view({ attributeKeys: { excluded: ['a'] } }), view({ attributeKeys: { excluded: ['b'] } })];
  const core = reported([seconds], views);
  t.like(core.told, [{ cause: 'view', metric: 'work' }]);
  t.is(core.streams().length, 2);
  t.deepEqual(reported([seconds], [views[0], view({ resourceKeys: [] })]).told, [], 'other resources');
});

test('metrics that pass under the name of another one', (t) => {
  const core = reported(
    [seconds, { ...seconds, name: 'old.work' }],
    [view({ renameMetric: { from: 'old.*', to: '*' } })],
  );
  t.like(core.told, [{ cause: 'name', metric: 'work' }]);
  t.deepEqual(core.values('work'), [1, 1]);
});

test('sums and gauges that both become a sum are two streams', (t) => {
  const both = [metric({ name: 'queue', kind: 'sum' }), metric({ name: 'queue', kind: 'gauge' })];
  const core = reported(both, [view({ aggregation: 'sum', resourceKeys: [] })], 2);
  t.like(core.told, [{ cause: 'input_kind', metric: 'queue' }]);
  t.deepEqual(core.values('queue'), [2, 2]);
});

test('histograms with other bounds are a stream of their own, counted; there are not more than 64', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  const of = (bound: number) => metric({ name: 'latency', kind: 'histogram', explicitBounds: [bound] });
  for (let i = 0; i < 70; i++) {
    const stream = member(core, `m${i}`);
    report(core, stream, { [define(stream, of(i))]: [1, 2] });
  }
  t.is(core.streams().length, 64);
  t.is(core.problems.conflicts.bounds, 69);
  t.is(core.told.length, 1);
});

test('what a conflict was about may come again when it is gone, and is told of once', (t) => {
  const core = new Core();
  const stream = member(core, 'm');
  for (let round = 1; round <= 3; round++) {
    const numbers = [seconds, { ...seconds, unit: 'ms' }].map((m) => define(stream, m));
    report(core, stream, Object.fromEntries(numbers.map((number) => [number, 1])));
    t.is(core.problems.conflicts.unit, round);
    for (const number of numbers) stream.retire(number, 'gone');
    core.wait(2);
    t.is(core.streams().length, 0);
  }
  t.is(core.told.length, 1);
});

test('warnings and what the status holds are bounded; counts go on', (t) => {
  const core = new Core();
  const stream = member(core, 'm', attributes({}));
  for (let i = 0; i < 450; i++)
    for (const unit of ['s', 'ms']) define(stream, metric({ name: `work${i}`, kind: 'gauge', unit }));
  t.is(core.problems.conflicts.unit, 450);
  t.is(core.told.length, 450);
  t.is(core.problems.list.length, 100);
});

test('a histogram goes to the stream that takes it, though one that stood before it is no more', (t) => {
  const core = new Core({ views: [view({ attributeKeys: { excluded: ['*'] } })] });
  const coarse = metric({ name: 'took', kind: 'histogram', explicitBounds: [5] });
  const other = metric({ ...coarse, explicitBounds: [7] });
  const stream = member(core, 'a');
  const [first, second] = [define(stream, coarse), define(stream, other)];
  report(core, stream, { [first]: [1, 1], [second]: [2, 2] });
  t.is(core.streams().length, 2);
  // Its stream goes with it, once the horizon is beyond where it began to count.
  stream.retire(first, 'gone');
  core.nowUs += 1e6;
  const gone = member(core, 'b');
  report(core, gone, { [define(gone, seconds)]: 1 });
  gone.session.closed();
  for (let hour = 0; hour < 25; hour++) {
    report(core, stream, { [second]: [2, 2] });
    core.wait(3601);
  }
  t.is(core.streams().filter(({ metric: { name } }) => name === 'took').length, 1);
  const again = define(stream, other, attributes({ of: 'its own' }));
  // The first value is a baseline.
  report(core, stream, { [again]: [3, 3] });
  report(core, stream, { [again]: [4, 5] });
  t.deepEqual(core.values('took'), [[3, 4, 0]]);
});
