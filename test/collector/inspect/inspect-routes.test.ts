import test from 'ava';
import type { CardinalityAnswer } from '../../../collector/inspect/cardinality-answer.ts';
import type { InputAnswer } from '../../../collector/inspect/input-answer.ts';
import { inspectRoutes } from '../../../collector/inspect/inspect-routes.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { Core } from '../core.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const bytes = metric({ name: 'bytes', kind: 'sum', isMonotonic: true });

async function ask<T>(core: Core, path: string, query = ''): Promise<T> {
  const route = inspectRoutes(core.store, () => []).find((one) => one.path === path)!;
  const answer = await route.handle({
    headers: {},
    query: new URLSearchParams(query),
    body: Buffer.alloc(0),
    grant: undefined,
    connection: {},
    address: '127.0.0.1:1',
    onDenied: () => {},
  });
  return JSON.parse(String(answer.body)) as T;
}

/** Two members: each has counted 5 jobs before the collector was born, 2 since, and one has a value refused. */
function fleet(): Core {
  const core = new Core();
  for (const [i, id] of ['a', 'b'].entries()) {
    const stream = core.stream();
    stream.hello(id, 1, attributes({ host: id }));
    const define = (m: typeof jobs, n: number) =>
      stream.define(
        { metric: m, attributes: attributes({ n: `${n}` }), group: 0, isForeign: false },
        `e${i}${n}`,
        undefined,
        0,
      );
    const numbers = [define(jobs, 0), define(jobs, 1), define(bytes, 2)];
    for (const [r, value] of [5, 7].entries()) {
      core.nowUs += 1_000_000;
      stream.report(0, core.nowUs, new Map(numbers.map((number) => [number, value])), r + 1);
    }
    if (i === 0)
      stream.report(0, core.nowUs, new Map(numbers.map((number, at) => [number, at === 0 ? 1 : 7])), 3);
  }
  return core;
}

test('the book by metric, and by member: reported, counted, set aside, refused', async (t) => {
  const core = fleet();
  const { input } = await ask<{ input: InputAnswer }>(core, '/ledger');
  t.true(input.isBalanced);
  t.deepEqual(
    input.lines.map(({ metric: name, reported, counted, baseline }) => [name, reported, counted, baseline]),
    [
      ['bytes', 14, 4, { points: 2, amount: 10 }],
      ['jobs', 28, 8, { points: 4, amount: 20 }],
    ],
  );
  const { input: ofA } = await ask<{ input: InputAnswer }>(core, '/ledger', 'by=member&member=a&metric=j*');
  t.deepEqual(ofA.lines, [
    {
      member: 'a',
      metric: 'jobs',
      reported: 14,
      counted: 4,
      baseline: { points: 2, amount: 10 },
      refused: { epoch_fell: { points: 1, amount: 0 } },
      isBalanced: true,
    },
  ]);
  const { input: one } = await ask<{ input: InputAnswer }>(core, '/ledger', 'limit=1');
  t.deepEqual([one.lines.length, one.omitted], [1, 1]);
});

test('a book that does not balance says so', async (t) => {
  const core = fleet();
  const { offsets } = core.store.sums;
  offsets.set(1, offsets.get(1) + 1);
  const { input } = await ask<{ input: InputAnswer }>(core, '/ledger');
  t.false(input.isBalanced);
  t.deepEqual(
    input.lines.map(({ isBalanced }) => isBalanced),
    [true, false],
  );
});

for (const [query, message] of [
  ['by=host', 'by is "host"; allowed are metric and member'],
  ['limit=0', 'limit is "0"; allowed is a whole number from 1 to 100000'],
  ['who=me', 'the parameter "who" is not known; allowed are metric, member, by and limit'],
] as const)
  test(`a wrong query: ${query}`, async (t) => {
    await t.throwsAsync(async () => ask(new Core(), '/ledger', query), { message });
  });

test('who has most series, and which attributes make them', async (t) => {
  const core = fleet();
  const answer = await ask<CardinalityAnswer>(core, '/cardinality');
  t.is(answer.series, 6);
  t.deepEqual(answer.members, [
    { member: 'a', series: 3 },
    { member: 'b', series: 3 },
  ]);
  t.deepEqual(answer.metrics, [
    { metric: 'jobs', scope: '', series: 4, attributeSets: 2, attributes: [{ key: 'n', values: 2 }] },
    { metric: 'bytes', scope: '', series: 2, attributeSets: 1, attributes: [{ key: 'n', values: 1 }] },
  ]);
});
