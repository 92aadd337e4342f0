import test from 'ava';
import { outputShape } from '../../../collector/outputs/output-shape.ts';
import { compileViews } from '../../../collector/views/compile-views.ts';
import type { ViewStream } from '../../../otel/config/metric-views.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { view } from './members.ts';

const kinds = {
  counter: metric({ name: 'm', kind: 'sum', isMonotonic: true }),
  'up-down sum': metric({ name: 'm', kind: 'sum' }),
  gauge: metric({ name: 'm', kind: 'gauge' }),
  explicit: metric({ name: 'm', kind: 'histogram', explicitBounds: [1, 2, 3], hasSum: true, hasMin: true }),
  exponential: metric({ name: 'm', kind: 'exponential_histogram', hasSum: true }),
  summary: metric({ name: 'm', kind: 'summary', quantiles: [0.5] }),
};

function shape(m: MetricDescription, stream: Partial<ViewStream>) {
  const [plan] = compileViews([view(stream)])({ metric: m, scope: emptyScope, key: '' });
  return outputShape(m, plan!);
}

/** `way: monotonic kind unit`, or `-`. */
function text(m: MetricDescription, stream: Partial<ViewStream>): string {
  const made = shape(m, stream);
  if (made === undefined) return '-';
  const { kind, isMonotonic, explicitBounds } = made.metric;
  const bounds = kind === 'histogram' ? ` ${explicitBounds.join(' ')}` : '';
  return `${made.way}: ${isMonotonic ? 'monotonic ' : ''}${kind}${bounds}`;
}

const explicit = (boundaries?: number[]) => ({ kind: 'explicit_bucket_histogram', boundaries }) as const;
const base2 = {
  kind: 'base2_exponential_bucket_histogram',
  maxScale: 20,
  maxSize: 160,
  recordMinMax: true,
} as const;

const becomes = test.macro({
  exec(t, stream: Partial<ViewStream>, expected: Readonly<Record<keyof typeof kinds, string>>) {
    const made = Object.entries(kinds).map(([kind, m]) => [kind, text(m, stream)]);
    t.deepEqual(Object.fromEntries(made), expected);
  },
  title: (name) => name!,
});

const joins = { resourceKeys: [] };
const none = { counter: '-', 'up-down sum': '-', gauge: '-', explicit: '-', exponential: '-', summary: '-' };

test(
  'nothing is asked for: all pass',
  becomes,
  {},
  {
    counter: 'pass: monotonic sum',
    'up-down sum': 'pass: sum',
    gauge: 'pass: gauge',
    explicit: 'pass: histogram 1 2 3',
    exponential: 'pass: exponential_histogram',
    summary: 'pass: summary',
  },
);
test('default', becomes, joins, {
  counter: 'counter: monotonic sum',
  'up-down sum': 'sum: sum',
  gauge: 'last: gauge',
  explicit: 'histogram: histogram 1 2 3',
  exponential: 'exponential: exponential_histogram',
  summary: '-',
});
test(
  'a limit alone: summaries pass all the same',
  becomes,
  { cardinalityLimit: 5 },
  {
    counter: 'counter: monotonic sum',
    'up-down sum': 'sum: sum',
    gauge: 'last: gauge',
    explicit: 'histogram: histogram 1 2 3',
    exponential: 'exponential: exponential_histogram',
    summary: 'pass: summary',
  },
);
test(
  'sum',
  becomes,
  { aggregation: 'sum' },
  {
    ...none,
    counter: 'counter: monotonic sum',
    'up-down sum': 'sum: sum',
    gauge: 'sum: sum',
  },
);
test(
  'last_value',
  becomes,
  { aggregation: 'last_value' },
  {
    ...none,
    counter: 'last: gauge',
    'up-down sum': 'last: gauge',
    gauge: 'last: gauge',
  },
);
test(
  'explicit_bucket_histogram, with the bounds that came',
  becomes,
  { aggregation: explicit() },
  {
    ...none,
    explicit: 'histogram: histogram 1 2 3',
  },
);
test(
  'explicit_bucket_histogram, with some of them',
  becomes,
  { aggregation: explicit([1, 3]) },
  {
    ...none,
    explicit: 'histogram: histogram 1 3',
  },
);
test(
  'explicit_bucket_histogram, with others: a stream with its own',
  becomes,
  { aggregation: explicit([1, 4]) },
  {
    ...none,
    explicit: 'histogram: histogram 1 2 3',
  },
);
test(
  'base2_exponential_bucket_histogram',
  becomes,
  { aggregation: base2 },
  {
    ...none,
    'up-down sum': 'exponential: exponential_histogram',
    gauge: 'exponential: exponential_histogram',
    explicit: 'exponential: exponential_histogram',
    exponential: 'exponential: exponential_histogram',
  },
);
test(
  'members: distribution',
  becomes,
  { ...joins, members: 'distribution' },
  {
    ...none,
    'up-down sum': 'exponential: exponential_histogram',
    gauge: 'exponential: exponential_histogram',
  },
);
test(
  'members: sum',
  becomes,
  { ...joins, members: 'sum' },
  {
    ...none,
    counter: 'counter: monotonic sum',
    'up-down sum': 'sum: sum',
    gauge: 'sum: sum',
    explicit: 'histogram: histogram 1 2 3',
    exponential: 'exponential: exponential_histogram',
  },
);
test(
  'members: count',
  becomes,
  { ...joins, members: 'count' },
  {
    ...none,
    counter: 'count: sum',
    'up-down sum': 'count: sum',
    gauge: 'count: sum',
  },
);
for (const members of ['last', 'min', 'max', 'mean'] as const)
  test(
    `members: ${members}`,
    becomes,
    { ...joins, members },
    {
      ...none,
      'up-down sum': `${members}: gauge`,
      gauge: `${members}: gauge`,
    },
  );

test('distributions hold minimum and maximum unless the view does without', (t) => {
  const minMax = (recordMinMax: boolean) => {
    const made = shape(kinds.gauge, { aggregation: { ...base2, recordMinMax } })!.metric;
    return [made.hasSum, made.hasMin, made.hasMax];
  };
  t.deepEqual(minMax(true), [true, true, true]);
  t.deepEqual(minMax(false), [true, false, false]);
  t.true(shape(kinds.gauge, { ...joins, members: 'distribution' })!.metric.hasMin);
});

test('all members share the description of what passes', (t) => {
  t.is(shape(kinds.gauge, {})!.metric, kinds.gauge);
});
