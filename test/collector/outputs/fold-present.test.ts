import test from 'ava';
import fc from 'fast-check';
import type { MemberReduction } from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

type Present = Exclude<MemberReduction, 'distribution'>;

const load = metric({ name: 'load', kind: 'gauge', unit: '1' });
const queue = metric({ name: 'queue', kind: 'sum', unit: '{job}', valueType: 'int' });
const jobs = metric({ name: 'jobs', kind: 'sum', unit: '{job}', isMonotonic: true, valueType: 'int' });

/** What three members' values become; they report a second after each other. */
function joined(m: MetricDescription, members: Present | undefined, values: readonly number[]) {
  const core = new Core({ views: [view({ resourceKeys: [], members })] });
  for (const [i, value] of values.entries()) {
    core.nowUs += 1_000_000;
    const stream = member(core, `m${i}`);
    report(core, stream, { [define(stream, m)]: value });
  }
  return { core, shown: core.values(m.name), streams: core.streams() };
}

const becomes = test.macro<[MetricDescription, Present | undefined, number, string]>({
  exec(t, m: MetricDescription, members: Present | undefined, value: number, shape: string) {
    const { shown, streams } = joined(m, members, [5, 1, 3]);
    t.deepEqual(shown, [value]);
    t.deepEqual(
      streams.map(({ metric: { kind, isMonotonic, unit, valueType } }) =>
        [isMonotonic ? 'monotonic' : '', kind, unit, valueType].join(' ').trim(),
      ),
      [shape],
    );
  },
  title: (_, m, members) => `${members ?? 'default'} of ${m.isMonotonic ? 'monotonic ' : ''}${m.kind}s`,
});

test(becomes, load, undefined, 3, 'gauge 1 double');
test(becomes, load, 'last', 3, 'gauge 1 double');
test(becomes, load, 'min', 1, 'gauge 1 double');
test(becomes, load, 'max', 5, 'gauge 1 double');
test(becomes, load, 'mean', 3, 'gauge 1 double');
test(becomes, load, 'sum', 9, 'sum 1 double');
test(becomes, load, 'count', 3, 'sum {series} int');
test(becomes, queue, undefined, 9, 'sum {job} int');
test(becomes, queue, 'last', 3, 'gauge {job} int');
test(becomes, queue, 'min', 1, 'gauge {job} int');
test(becomes, queue, 'max', 5, 'gauge {job} int');
test(becomes, queue, 'mean', 3, 'gauge {job} double');
test(becomes, queue, 'sum', 9, 'sum {job} int');
test(becomes, queue, 'count', 3, 'sum {series} int');
test(becomes, jobs, undefined, 9, 'monotonic sum {job} int');
test(becomes, jobs, 'sum', 9, 'monotonic sum {job} int');
test(becomes, jobs, 'count', 3, 'sum {series} int');

for (const members of ['last', 'min', 'max', 'mean'] as const)
  test(`${members} of monotonic sums says nothing: no output, told once`, (t) => {
    const { core, streams } = joined(jobs, members, [5, 1, 3]);
    t.deepEqual(streams, []);
    t.is(core.problems.inapplicable, 1);
    t.like(core.told, [{ cause: 'aggregation', metric: 'jobs', added: 'monotonic sum, {job}', view: 1 }]);
    t.is(core.told.length, 1);
  });

/** The rules, on a list of values in the order of their times. */
const rules: Record<Present, (values: number[]) => number> = {
  last: (values) => values.at(-1)!,
  min: (values) => Math.min(...numbers(values)),
  max: (values) => Math.max(...numbers(values)),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  sum: (values) => values.reduce((a, b) => a + b, 0),
  count: (values) => values.length,
};

/** All but NaN, or NaN when nothing else is there. */
function numbers(values: number[]): number[] {
  const some = values.filter((value) => !Number.isNaN(value));
  return some.length === 0 ? [NaN] : some;
}

test('NaN and infinities: as the rules say, in whatever order they come', (t) => {
  const value = fc.oneof(
    fc.constantFrom(NaN, Infinity, -Infinity, 0, 1e308),
    fc.integer({ min: -1000, max: 1000 }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(rules) as Present[])),
        fc.array(value, { minLength: 1, maxLength: 6 }),
        (members, values) => {
          const { core, shown } = joined(load, members, values);
          core.sessions.stop();
          const expected = rules[members](values);
          if (shown.length !== 1 || !same(shown[0] as number, expected))
            throw new Error(`${members} of ${values}: ${shown}, not ${expected}`);
        },
      ),
      { numRuns: 150 },
    ),
  );
});

/** Equal as numbers; the sign of a zero is no matter. */
function same(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

test('who leaves takes no part, and a point that all have left is not shown', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [], members: 'min' })] });
  const streams = ['a', 'b'].map((id) => member(core, id));
  const series = streams.map((stream) => define(stream, load));
  for (const [i, stream] of streams.entries()) report(core, stream, { [series[i]]: i });
  t.deepEqual(core.values('load'), [0]);
  streams[0].retire(series[0], 'idle');
  t.deepEqual(core.values('load'), [1]);
  streams[1].retire(series[1], 'gone');
  t.deepEqual(core.values('load'), []);
});

test('what is reduced within a member keeps its resource', (t) => {
  const core = new Core({ views: [view({ attributeKeys: { excluded: ['cpu'] }, members: 'max' })] });
  for (const [id, values] of [
    ['a', [3, 7]],
    ['b', [5, 4]],
  ] as const) {
    const stream = member(core, id);
    const series = values.map((_, cpu) => define(stream, load, attributes({ cpu: BigInt(cpu) })));
    report(core, stream, Object.fromEntries(series.map((number, i) => [number, values[i]])));
  }
  t.deepEqual(core.values('load'), [5, 7]);
  t.deepEqual(
    core.streams().map(({ resource }) => resource),
    [attributes({ host: 'a' }), attributes({ host: 'b' })],
  );
});
