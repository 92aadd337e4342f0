import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { PointIntake } from '../../../otel/state/intake/point-intake.ts';
import { readCollection } from '../../model/read-collection.ts';
import { Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

const load = metric({ name: 'load', kind: 'gauge', valueType: 'int' });
const queue = metric({ name: 'queue', kind: 'sum', valueType: 'int' });
const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const second = 1_000_000;

test('a silent member leaves an output when its view says, and another one when the collector says', (t) => {
  const core = new Core({
    views: [
      view({ name: 'soon', resourceKeys: [], members: 'sum', stalenessMs: 10_000 }),
      view({ name: 'as.configured', resourceKeys: [], members: 'sum' }),
      view({ name: 'late', resourceKeys: [], members: 'sum', stalenessMs: 900_000 }),
      view({ name: 'passing.soon', stalenessMs: 10_000 }),
      view({ name: 'jobs.soon', resourceKeys: [], stalenessMs: 10_000 }, 'jobs'),
    ],
  });
  const [a, b] = ['a', 'b'].map((id) => member(core, id));
  const ofA = [define(a, load), define(a, queue), define(a, jobs)];
  const ofB = [define(b, load), define(b, queue), define(b, jobs)];
  const tell = () => {
    const said = ['soon', 'as.configured', 'late', 'passing.soon'].map((name) => core.values(name));
    // One value for the gauge and one for the up-down sum.
    return said.map((values) => values.map(Number).sort((x, y) => x - y));
  };
  core.nowUs += second;
  report(core, a, { [ofA[0]]: 1, [ofA[1]]: 10, [ofA[2]]: 100 });
  report(core, b, { [ofB[0]]: 2, [ofB[1]]: 20, [ofB[2]]: 200 });
  const both = [3, 30];
  t.deepEqual(
    tell().slice(0, 3),
    [both, both, both].map((list) => [...list, 300]),
  );
  t.deepEqual(core.values('jobs.soon'), [300]);
  const onlyA = [1, 10];
  const keepA = (seconds: number) => {
    core.wait(seconds);
    report(core, a, { [ofA[0]]: 1, [ofA[1]]: 10, [ofA[2]]: 100 });
  };
  const gauges = () => tell().map((values) => values.filter((value) => value < 100));
  keepA(10);
  t.deepEqual(gauges(), [both, both, both, [1, 2, 10, 20]]);
  keepA(1);
  t.deepEqual(gauges(), [onlyA, both, both, onlyA]);
  keepA(300);
  t.deepEqual(gauges(), [onlyA, onlyA, both, onlyA]);
  keepA(600);
  t.deepEqual(gauges(), [onlyA, onlyA, onlyA, onlyA]);
  t.deepEqual(core.values('jobs.soon'), [300], 'what was counted stays');
  report(core, b, { [ofB[0]]: 2, [ofB[1]]: 20, [ofB[2]]: 200 });
  t.deepEqual(gauges(), [both, both, both, [1, 2, 10, 20]]);
});

for (const [overTime, expected] of [
  ['last', [4, 4]],
  ['min', [1, 4]],
  ['max', [7, 4]],
  // 2, 7 and 4 stand for a second each; the first for none, since it is not known since when it was.
  ['mean', [13 / 3, 4]],
] as const)
  test(`${overTime} of a gauge over each reader's own interval, before members are joined`, (t) => {
    const core = new Core({
      views: [view({ resourceKeys: [], members: 'sum', overTime }), view({ name: 'passing', overTime })],
    });
    const [often, seldom] = [core.outputs.addReader('cumulative'), core.outputs.addReader('delta')];
    const shown = (cursor: typeof often) => {
      const found = readCollection(core.outputs.collect(cursor, core.nowUs));
      return ['load ', 'passing '].map((name) => {
        const [, points] = [...found].find(([key]) => key.startsWith(name))!;
        return points[0].value as number;
      });
    };
    const stream = member(core, 'a', attributes({ host: 'a' }));
    const number = define(stream, load);
    const seen: number[][] = [];
    for (const values of [[1, 2, 7, 4], [4]]) {
      for (const value of values) {
        core.nowUs += second;
        report(core, stream, { [number]: value });
      }
      seen.push(shown(often));
    }
    for (const [i, value] of expected.entries())
      for (const found of seen[i]) t.true(Math.abs(found - value) < 1e-9, `${found} is not ${value}`);
    // The other reader's interval is all of it.
    const whole = { last: 4, min: 1, max: 7, mean: 17 / 4 }[overTime];
    for (const found of shown(seldom)) t.true(Math.abs(found - whole) < 1e-9, `${found} is not ${whole}`);
    t.deepEqual(core.values('load'), [4], 'a scrape has no interval');
    const types = core.streams().map(({ metric: { valueType } }) => valueType);
    t.deepEqual(types, overTime === 'mean' ? ['double', 'double'] : ['int', 'int']);
  });

test('a member that connects again and reports nothing stays silent', (t) => {
  const core = new Core({
    views: [
      view({ name: 'soon', resourceKeys: [], members: 'sum', stalenessMs: 10_000 }),
      view({ name: 'as.configured', resourceKeys: [], members: 'sum' }),
    ],
  });
  const before = member(core, 'a');
  report(core, before, { [define(before, load)]: 1 });
  core.wait(11);
  t.deepEqual([core.values('soon'), core.values('as.configured')], [[], [1]]);
  const stream = member(core, 'a');
  t.deepEqual(core.values('soon'), []);
  core.wait(289);
  t.deepEqual(core.values('as.configured'), [1]);
  core.wait(1);
  t.deepEqual(core.values('as.configured'), [], 'silent for as long as its last report is ago');
  stream.report(0, core.nowUs, new Map([[define(stream, load), 2]]), stream.session.lastReport + 1);
  t.deepEqual([core.values('soon'), core.values('as.configured')], [[2], [2]]);
});

/** All values that a reader is given, ascending. */
function given(core: Core, reader: ReturnType<Core['outputs']['addReader']>): number[] {
  const points = [...readCollection(core.outputs.collect(reader, core.nowUs)).values()].flat();
  return points.map(({ value }) => Number(value)).sort((a, b) => a - b);
}

for (const [overTime, withValues, between] of [
  ['min', 5, 6],
  ['max', 7, 8],
  ['mean', 6, 7],
] as const)
  test(`${overTime} over time: reports without a value, and those of another interval, have no say`, (t) => {
    const core = new Core({ views: [view({ resourceKeys: [], members: 'sum', overTime })] });
    const reader = core.outputs.addReader('cumulative');
    const stream = member(core, 'a');
    const number = define(stream, load);
    const other = define(stream, jobs);
    const tell = (value: number | undefined) => {
      core.nowUs += second;
      stream.report(
        0,
        core.nowUs,
        new Map([
          [number, value],
          [other, 1],
        ]),
        stream.columns.lastReport + 1,
      );
    };
    tell(1);
    tell(1);
    given(core, reader);
    // The value before the interval is held while there is none, and was not reported in it.
    for (const value of [undefined, 5, 7, undefined]) tell(value);
    t.deepEqual(given(core, reader), [1], 'none at present: the counter alone');
    for (const value of [undefined, 5, 7]) tell(value);
    t.deepEqual(given(core, reader), [1, withValues]);
    // It has none when it is collected, and what it had then is of that interval.
    for (const value of [-9, undefined]) tell(value);
    t.deepEqual(given(core, reader), [1]);
    for (const value of [6, 8]) tell(value);
    t.deepEqual(given(core, reader), [1, between]);
  });

test('over time: gauges that come as points', (t) => {
  const core = new Core({ views: [view({ overTime: 'mean' }), view({ name: 'least', overTime: 'min' })] });
  const reader = core.outputs.addReader('cumulative');
  const intake = new PointIntake(core.store);
  const { outputs } = core;
  const source = outputs.store.join('p', { attributes: attributes({}), schemaUrl: '' }, core.nowUs);
  const input = { scope: emptyScope, metric: load, attributes: attributes({}), resource: undefined };
  const handle = intake.define(source, input, core.nowUs) as number;
  const tell = (value: number) => {
    core.nowUs += second;
    t.is(intake.gauge(handle, core.nowUs, value, core.nowUs), 'merged');
  };
  for (const value of [9, 2, 4]) tell(value);
  t.deepEqual(given(core, reader), [2, 3], 'the first stands for no time');
  for (const value of [5, 5]) tell(value);
  core.nowUs += second;
  t.is(intake.withoutValue(handle, core.nowUs, core.nowUs), 'without_value');
  tell(1);
  t.deepEqual(given(core, reader), [1, 11 / 3]);
});
