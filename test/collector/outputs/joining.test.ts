import test from 'ava';
import fc from 'fast-check';
import { type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric, type ValueType } from '../../../otel/model/metric.ts';
import { batchesOf, PointBatch } from '../../../otel/state/point-batch.ts';
import { readCollection } from '../../model/read-collection.ts';
import { Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

function counter(name: string, valueType: ValueType = 'int', rest: Partial<MetricDescription> = {}) {
  return metric({ name, kind: 'sum', isMonotonic: true, valueType, ...rest });
}

let members = 0;

/** New members of one core that each report one series. */
function reportEach(
  core: Core,
  series: readonly (readonly [MetricDescription, number | number[], Record<string, AttributeValue>?])[],
): void {
  for (const [m, value, own = {}] of series) {
    const stream = member(core, `m${++members}`);
    report(core, stream, { [define(stream, m, attributes(own))]: value });
  }
}

/** The points that leave, as `name {attributes} value`. */
function shown(core: Core): string[] {
  const { resources } = core.outputs.collect(core.outputs.passerBy(), core.nowUs);
  const batch = new PointBatch();
  const lines: string[] = [];
  for (const { scopes } of resources)
    for (const { streams } of scopes)
      for (const stream of streams)
        for (const { size, seriesAttributes, values } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++) {
            const own = seriesAttributes[i].attributes.map(([key, value]) => `${key}=${value}`);
            lines.push(`${stream.metric.name} {${own.join(' ')}} ${values[i]}`);
          }
  return lines.sort();
}

test('integers and doubles of one metric join, and the output is of doubles from then on', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  reportEach(core, [[counter('jobs'), 3]]);
  t.is(core.streams()[0].metric.valueType, 'int');
  reportEach(core, [[counter('jobs', 'double'), 0.5]]);
  t.deepEqual(core.values('jobs'), [3.5]);
  t.deepEqual(
    core.streams().map(({ metric: { valueType } }) => valueType),
    ['double'],
  );
  reportEach(core, [[counter('jobs'), 1]]);
  t.deepEqual(core.values('jobs'), [4.5]);
  t.deepEqual(core.told, []);
});

test('the longer description holds, unless the view gives one', (t) => {
  const described = (description: string, valueType: ValueType = 'int') =>
    counter('jobs', valueType, { description });
  const core = new Core({
    views: [view({ resourceKeys: [] }), view({ resourceKeys: [], name: 'given', description: 'x' })],
  });
  reportEach(core, [
    [described('of jobs'), 1],
    [described('how many jobs', 'double'), 1],
  ]);
  t.deepEqual(
    core.streams().map(({ metric: { name, description } }) => [name, description]),
    [
      ['jobs', 'how many jobs'],
      ['given', 'x'],
    ],
  );
});

test('a histogram without a sum leaves its output without one', (t) => {
  const of = (hasSum: boolean) => metric({ name: 'latency', kind: 'histogram', explicitBounds: [1], hasSum });
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  reportEach(core, [
    [of(true), [1, 2]],
    [of(false), [3, 4]],
  ]);
  t.deepEqual(
    core.streams().map(({ metric: { hasSum } }) => hasSum),
    [false],
  );
  t.deepEqual((core.values('latency')[0] as number[]).slice(0, 2), [4, 6]);
});

test('one name for several metrics: they join, or stay apart by an attribute with their own name', (t) => {
  const core = new Core({
    views: [
      view({ resourceKeys: [], name: 'all' }, 'jobs.*'),
      view({ resourceKeys: [], name: 'each', metricNameAttribute: 'metric' }, 'jobs.*'),
    ],
  });
  reportEach(core, [
    [counter('jobs.done'), 3, { metric: 'no' }],
    [counter('jobs.failed'), 2, { metric: 'no' }],
    [counter('jobs.failed', 'double'), 0.5, { metric: 'no' }],
  ]);
  t.deepEqual(shown(core), [
    'all {metric=no} 5.5',
    'each {metric=jobs.done} 3',
    'each {metric=jobs.failed} 2.5',
  ]);
  t.deepEqual(core.told, []);
});

test('names are the same in upper and lower case: the first one holds for what joins', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  reportEach(core, [
    [counter('requestCount'), 3],
    [counter('RequestCount'), 2],
  ]);
  t.deepEqual(shown(core), ['requestCount {} 5']);
});

test('metrics are renamed by a pattern; one that does not match keeps its name', (t) => {
  const core = new Core({
    views: [view({ renameMetric: { from: 'http.*.*', to: 'web.*.of_*' } })],
  });
  reportEach(core, [
    [counter('HTTP.server.requests.failed'), 1],
    [counter('rpc.server'), 2],
  ]);
  t.deepEqual(shown(core), ['rpc.server {} 2', 'web.server.of_requests.failed {} 1']);
});

test('attributes are renamed all at once; the renamed value holds; what becomes equal is joined', (t) => {
  const core = new Core({
    views: [view({ resourceKeys: [], renameAttributes: { 'http.method': 'method', a: 'b', b: 'a' } })],
  });
  reportEach(core, [
    [counter('jobs'), 1, { 'http.method': 'GET' }],
    [counter('jobs'), 2, { method: 'GET' }],
    [counter('jobs'), 4, { 'http.method': 'GET', method: 'PUT' }],
    [counter('jobs'), 8, { a: 'x', b: 'y' }],
  ]);
  t.deepEqual(shown(core), ['jobs {a=y b=x} 8', 'jobs {method=GET} 7']);
});

test('attributes are kept by their own keys, and then renamed', (t) => {
  const core = new Core({
    views: [view({ attributeKeys: { included: ['a*'] }, renameAttributes: { a1: 'x', b: 'y' } })],
  });
  reportEach(core, [[counter('jobs'), 1, { a1: '1', a2: '2', b: '3', x: '4' }]]);
  t.deepEqual(shown(core), ['jobs {a2=2 x=1} 1']);
});

test('a limit makes a passing view join what is beyond it, within the member', (t) => {
  const core = new Core({ views: [view({ cardinalityLimit: 3 })] });
  for (const id of ['a', 'b']) {
    const stream = member(core, id);
    const values: Record<number, number> = {};
    for (let i = 0; i < 5; i++)
      values[define(stream, counter('jobs'), attributes({ i: BigInt(i) }))] = 10 ** i;
    report(core, stream, values);
  }
  t.deepEqual(
    shown(core).filter((line) => line.includes('overflow')),
    Array(2).fill('jobs {otel.metric.overflow=true} 11100'),
  );
  t.is(core.streams().length, 2);
});

test('whatever joins, and whoever leaves, totals are what was counted: cumulative and delta', (t) => {
  // Quarters are exact in doubles, so the order of adding does not matter.
  const series = fc.record({
    name: fc.constantFrom('a.x', 'a.y', 'A.x', 'b.x'),
    valueType: fc.constantFrom<ValueType>('int', 'double'),
    zone: fc.constantFrom('1', '2'),
    old: fc.boolean(),
    steps: fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }),
    leavesAfter: fc.constantFrom(1, 2, 9),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(series, { minLength: 1, maxLength: 8 }), fc.boolean(), (list, isDelta) => {
        const core = new Core({
          views: [
            view({ resourceKeys: [], name: 'all', renameAttributes: { old: 'zone' } }, 'a.*'),
            view({ resourceKeys: [], name: 'sum', attributeKeys: { included: [] } }),
          ],
        });
        const cursor = core.outputs.addReader(isDelta ? 'delta' : 'cumulative');
        const given = new Map<string, number>();
        const members = list.map((one, i) => {
          const stream = member(core, `m${i}`);
          const key = one.old ? 'old' : 'zone';
          const number = define(stream, counter(one.name, one.valueType), attributes({ [key]: one.zone }));
          return { ...one, stream, number, counted: 0 };
        });
        for (let step = 0; step < 3; step++) {
          core.wait(2);
          for (const one of members) {
            if (step > one.leavesAfter) continue;
            one.counted += one.valueType === 'int' ? one.steps[step] : one.steps[step] / 4;
            report(core, one.stream, { [one.number]: one.counted });
            if (step === one.leavesAfter) one.stream.retire(one.number, 'gone');
          }
          for (const [key, points] of readCollection(core.outputs.collect(cursor, core.nowUs))) {
            const total = points.reduce((sum, { value }) => sum + (value as number), 0);
            given.set(key, isDelta ? (given.get(key) ?? 0) + total : total);
          }
          core.outputs.delivered(cursor);
        }
        core.sessions.stop();
        const expected = new Map<string, number>();
        const add = (key: string, value: number) => expected.set(key, (expected.get(key) ?? 0) + value);
        for (const { name, zone, counted } of members) {
          if (name.toLowerCase().startsWith('a.')) add(`all ${zone}`, counted);
          add('sum', counted);
        }
        const found = new Map<string, number>();
        for (const [key, value] of given) {
          const name = key.slice(0, key.indexOf(' '));
          const zone = /4:zones1:(\d)/.exec(key)?.[1];
          found.set(zone === undefined ? name : `${name} ${zone}`, value);
        }
        const text = (map: Map<string, number>) => JSON.stringify([...map].sort());
        if (text(found) !== text(expected)) throw new Error(`${text(found)}, not ${text(expected)}`);
        if (core.streams().length > 2) throw new Error('more streams than outputs');
      }),
      { numRuns: 150 },
    ),
  );
});
