import test from 'ava';
import { compileViews } from '../../../collector/views/compile-views.ts';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { exponentialValue } from '../../otel/state/exponential-value.ts';
import { view } from './members.ts';
import { Bench } from './snapshot/bench.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const tasks = metric({ name: 'tasks', kind: 'sum', isMonotonic: true });

function change(bench: Bench, views: readonly ViewConfig[]): boolean {
  return bench.side.outputs.changeViews(compileViews(views, 300_000));
}

interface Shown {
  readonly startUs: number;
  readonly value: string;
}

/** The points of the outputs with this name: the first number of each, or all for other kinds than sums. */
function shown(lines: readonly string[], name: string): Shown[] {
  const found: Shown[] = [];
  let isIn = false;
  for (const line of lines) {
    if (!line.startsWith('  ')) isIn = line.includes(` ${name.length}:${name}`);
    else if (isIn) {
      // Attributes without spaces, start time, time, flags.
      const [, startUs, , , ...values] = line.slice(2).split(' ');
      found.push({ startUs: Number(startUs), value: values.join(' ') });
    }
  }
  return found;
}

test('what did not change goes on, whatever comes before it: values, start times and bases', (t) => {
  const all = view({ name: 'all', resourceKeys: [] }, 'jobs');
  const host = view({ name: 'host', attributeKeys: { included: [] } }, 'jobs');
  const run = (isChanged: boolean) => {
    const bench = new Bench([view({}, 'jobs'), all, host]);
    const slots = ['a', 'b'].map((id) => bench.define(id, jobs, {}));
    for (const slot of slots) bench.counts(slot, 10);
    bench.end(bench.define('c', jobs, {}));
    bench.collect(1);
    for (const slot of slots) bench.counts(slot, 15);
    bench.wait(5);
    if (isChanged)
      t.true(
        change(bench, [view({}, 'tasks'), { ...host }, view({ name: 'new' }, 'jobs'), all, view({}, 'jobs')]),
      );
    for (const slot of slots) bench.counts(slot, 17);
    bench.wait(5);
    bench.counts(bench.define('d', jobs, {}), 1);
    return [0, 1, 2]
      .map((reader) => bench.collect(reader))
      .map((lines) => [shown(lines, 'all'), shown(lines, 'host'), shown(lines, 'jobs')]);
  };
  const expected = run(false);
  t.is(expected[1][0][0].value, '15');
  t.is(expected[1][1].length, 4);
  // The output of a member that came after the change does not begin before it.
  const [cumulative] = expected;
  cumulative[1][3] = { ...cumulative[1][3], startUs: cumulative[1][3].startUs + 5e6 };
  t.deepEqual(run(true), expected);
});

const kinds: [
  MetricDescription,
  (bench: Bench, slot: number, value: number) => void,
  (value: number) => string,
][] = [
  [jobs, (bench, slot, value) => bench.counts(slot, value), (value) => `${value}`],
  [
    metric({ name: 'latency', kind: 'histogram', explicitBounds: [1, 2], hasSum: true }),
    ({ side: { outputs } }, slot, value) => {
      outputs.store.histograms.settle(slot, Float64Array.of(value, 2 * value, 1), 0, value / 2);
      outputs.store.appear(outputs.store.histograms, slot);
    },
    (value) => `${value / 2} ${value} ${2 * value} 0 NaN NaN`,
  ],
  [
    metric({ name: 'size', kind: 'exponential_histogram', hasSum: true }),
    ({ side: { outputs } }, slot, value) => {
      const state = outputs.store.exponentialHistograms;
      const sum = value / 2;
      state.settle(slot, exponentialValue({ scale: 3, zeroCount: value, positive: [-5, [value, 1]], sum }));
      outputs.store.appear(state, slot);
    },
    (value) => `${value / 2} NaN NaN 3 0 ${value} -5 ${value} | 0`,
  ],
];

for (const [m, report, text] of kinds)
  test(`${m.kind}: a merged output that changed begins at zero and anew, with what is held as baseline`, (t) => {
    const bench = new Bench([view({ name: 'all', resourceKeys: [] })]);
    const slots = ['a', 'b'].map((id) => bench.define(id, m, { n: id }));
    for (const slot of slots) report(bench, slot, 10);
    for (const reader of [0, 1, 2]) bench.collect(reader);
    bench.wait(5);
    const changedUs = bench.nowUs;
    t.true(change(bench, [view({ name: 'all', resourceKeys: [], attributeKeys: { included: [] } })]));
    bench.wait(5);
    report(bench, slots[0], 14);
    report(bench, slots[1], 20);
    for (const reader of [0, 1])
      t.deepEqual(
        shown(bench.collect(reader), 'all').map(({ value }) => value),
        [text(14)],
        `${reader}`,
      );
    t.is(shown(bench.collect(), 'all')[0].startUs, changedUs);
    // A series that is freed, and one that comes.
    bench.side.outputs.store.end(bench.side.outputs.store.stateOf(m.kind), slots[0], bench.nowUs);
    for (const seconds of [5, 5]) {
      bench.wait(seconds);
      for (const reader of [0, 1, 2]) bench.collect(reader);
    }
    bench.wait(100);
    t.is(bench.side.outputs.store.seriesCount, 1);
    t.deepEqual(shown(bench.collect(), 'all'), [{ startUs: changedUs, value: text(14) }]);
    bench.restart([view({ name: 'all', resourceKeys: [], attributeKeys: { included: [] } })]);
    t.deepEqual(shown(bench.collect(), 'all'), [{ startUs: changedUs, value: text(14) }]);
  });

for (const [m, report, text] of kinds)
  test(`${m.kind}: a passing output that is renamed keeps value and start, and its delta intervals join`, (t) => {
    const bench = new Bench([]);
    const slot = bench.define('a', m, {});
    report(bench, slot, 10);
    bench.collect(1);
    report(bench, slot, 16);
    const [before] = shown(bench.collect(0), m.name);
    bench.wait(5);
    t.true(change(bench, [view({ name: 'renamed' })]));
    t.deepEqual(shown(bench.collect(0), 'renamed'), [before]);
    t.deepEqual(
      shown(bench.collect(1), 'renamed').map(({ value }) => value),
      [text(6)],
    );
    // One that never collected still gets all.
    t.is(shown(bench.collect(2), 'renamed')[0].value.split(' ')[0], m === jobs ? '16' : '8');
  });

test('a total stays when series are not selected any more, and does not jump when others are', (t) => {
  const all = (selected: string) =>
    view({ name: 'all', resourceKeys: [], attributeKeys: { included: [] } }, selected);
  const bench = new Bench([all('jobs')]);
  const [job, task] = [bench.define('a', jobs, {}), bench.define('a', tasks, {})];
  bench.counts(job, 10);
  bench.counts(task, 100);
  const [before] = shown(bench.collect(), 'all');
  t.is(before.value, '10');
  bench.wait(5);
  t.true(change(bench, [all('*')]));
  t.deepEqual(shown(bench.collect(), 'all'), [before]);
  bench.counts(task, 105);
  bench.counts(job, 11);
  t.is(shown(bench.collect(), 'all')[0].value, '16');
  t.true(change(bench, [all('tasks')]));
  bench.counts(job, 1000);
  bench.counts(task, 106);
  t.deepEqual(shown(bench.collect(), 'all'), [{ ...before, value: '17' }]);
  t.true(change(bench, [view({}, 'nothing')]));
  t.deepEqual(shown(bench.collect(), 'all'), []);
});

test('what comes after a change does not begin before it, after a restart too', (t) => {
  const all = (attributeKeys: { included: string[] }) => [
    view({ name: 'all', resourceKeys: [], attributeKeys }, 'jobs'),
  ];
  const bench = new Bench(all({ included: ['x'] }));
  const slot = bench.define('a', jobs, {});
  bench.counts(slot, 10);
  bench.end(slot);
  for (const seconds of [5, 5]) {
    bench.wait(seconds);
    for (const reader of [0, 1, 2]) bench.collect(reader);
  }
  bench.wait(70);
  t.is(bench.side.outputs.store.seriesCount, 0);
  const changedUs = bench.nowUs;
  t.true(change(bench, all({ included: ['y'] })));
  t.is(bench.side.outputs.points, 0);
  bench.restart(all({ included: ['y'] }));
  bench.wait(70);
  bench.counts(bench.define('b', jobs, {}), 1);
  t.deepEqual(shown(bench.collect(), 'all'), [{ startUs: changedUs, value: '1' }]);
});

test('views do not change while a collection is read or a snapshot is open', (t) => {
  const bench = new Bench([]);
  const { outputs } = bench.side;
  const snapshot = outputs.snapshot();
  t.false(change(bench, []));
  snapshot.close();
  t.true(change(bench, []));
  const release = outputs.collect(outputs.passerBy(), bench.nowUs).hold!();
  t.false(change(bench, []));
  release();
  outputs.snapshot().close();
  t.true(change(bench, []));
});

test('what a view says of silence holds for the last values of counters, too, from when it is changed', (t) => {
  const last = view({ name: 'last', resourceKeys: [], aggregation: 'last_value' }, 'jobs');
  // Where another view waits for longer, this one is to look itself.
  const longer = view({ name: 'longer', stalenessMs: 600_000 }, 'tasks');
  const bench = new Bench([last]);
  bench.counts(bench.define('a', jobs, {}), 10);
  t.is(shown(bench.collect(0), 'last').length, 1);
  t.true(change(bench, [last, longer]));
  bench.wait(301);
  t.is(shown(bench.collect(0), 'last').length, 0);
});
