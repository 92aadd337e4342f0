import test from 'ava';
import { compileViews } from '../../../collector/views/compile-views.ts';
import { isMerging, passingPlan } from '../../../collector/views/stream-plan.ts';
import type {
  InstrumentType,
  ViewConfig,
  ViewSelector,
  ViewStream,
} from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { emptyScope, type InstrumentationScope } from '../../../otel/model/scope.ts';

function view(selector: ViewSelector, stream: Partial<ViewStream> = {}): ViewConfig {
  return { selector, stream: { aggregation: 'default', ...stream } };
}

function plans(views: readonly ViewConfig[], m: MetricDescription, scope: InstrumentationScope = emptyScope) {
  return compileViews(views)({ metric: m, scope, key: '' });
}

const counter = metric({ name: 'requests', unit: '1', kind: 'sum', isMonotonic: true });
const upDown = metric({ name: 'requests', kind: 'sum' });
const gauge = metric({ name: 'requests', kind: 'gauge' });
const histogram = metric({ name: 'requests', kind: 'histogram' });
const exponential = metric({ name: 'requests', kind: 'exponential_histogram' });

test('a metric that no view selects passes as it came', (t) => {
  t.deepEqual(plans([], counter), [passingPlan]);
  t.deepEqual(plans([view({ instrumentName: 'other' })], counter), [passingPlan]);
  t.false(isMerging(passingPlan));
});

test('each view that matches makes an output, in the order of the configuration, under a number of its own', (t) => {
  const list = [
    view({ instrumentName: 'req*' }, { name: 'one' }),
    view({ instrumentName: 'no' }),
    view({ unit: '1' }, { name: 'two', description: 'of two' }),
  ];
  t.deepEqual(
    plans(list, counter).map(({ nameOf, number, description }) => ({
      name: nameOf!('requests'),
      number,
      description,
    })),
    [
      { name: 'one', number: 1, description: undefined },
      { name: 'two', number: 3, description: 'of two' },
    ],
  );
});

test('drop alone leaves nothing; beside another view it takes nothing away', (t) => {
  t.deepEqual(plans([view({}, { aggregation: 'drop' })], counter), []);
  t.is(plans([view({}, { aggregation: 'drop' }), view({}, { name: 'kept' })], counter).length, 1);
});

const selects = test.macro({
  exec(t, type: InstrumentType, expected: readonly MetricDescription[]) {
    const views = [view({ instrumentType: type }, { aggregation: 'drop' })];
    const all = [counter, upDown, gauge, histogram, exponential];
    t.deepEqual(
      all.filter((m) => plans(views, m).length === 0),
      [...expected],
    );
  },
  title: (_, type) => `instrument type ${type}`,
});

test(selects, 'counter', [counter]);
test(selects, 'observable_counter', [counter]);
test(selects, 'up_down_counter', [upDown]);
test(selects, 'observable_up_down_counter', [upDown]);
test(selects, 'gauge', [gauge]);
test(selects, 'observable_gauge', [gauge]);
test(selects, 'histogram', [histogram, exponential]);

test('what is selected must hold in all that is given', (t) => {
  const scope: InstrumentationScope = { ...emptyScope, name: 'meter', version: '1', schemaUrl: 'http://x/1' };
  const whole: ViewSelector = {
    instrumentName: 'requests',
    instrumentType: 'counter',
    unit: '1',
    meterName: 'meter',
    meterVersion: '1',
    meterSchemaUrl: 'http://x/1',
  };
  const drop = { aggregation: 'drop' } as const;
  t.is(plans([view(whole, drop)], counter, scope).length, 0);
  for (const key of Object.keys(whole) as (keyof ViewSelector)[]) {
    const other = key === 'instrumentType' ? { [key]: 'gauge' as const } : { [key]: 'other' };
    t.is(plans([view({ ...whole, ...other }, drop)], counter, scope).length, 1, key);
  }
});

test('attributes: included, then excluded, as patterns; case counts', (t) => {
  const outputOf = (included?: string[], excluded?: string[]) =>
    plans([view({}, { attributeKeys: { included, excluded } })], counter)[0].outputAttributes;
  const keeps = (included?: string[], excluded?: string[]) => (key: string) =>
    outputOf(included, excluded)!(attributes({ [key]: 1 }), 'requests').length === 1;
  t.is(outputOf(), undefined);
  const http = keeps(['http.*', 'host'], ['http.user?']);
  t.deepEqual(
    ['http.route', 'http.user1', 'host', 'Host', 'hosts'].map((key) => http(key)),
    [true, false, true, false, false],
  );
  t.deepEqual(['a', 'b'].map(keeps(undefined, ['a'])), [false, true]);
  t.deepEqual(['a', 'b'].map(keeps([])), [false, false]);
});

test('a view is merging when it drops attributes or keeps some of the resource, or changes the aggregation', (t) => {
  const merging = (stream: Partial<ViewStream>) => isMerging(plans([view({}, stream)], counter)[0]);
  t.false(merging({ name: 'other', description: 'd' }));
  t.true(merging({ resourceKeys: [] }));
  t.true(merging({ attributeKeys: { excluded: ['a'] } }));
  t.true(merging({ aggregation: 'sum' }));
});
