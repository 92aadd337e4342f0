import test from 'ava';
import type { ViewConfig } from '../../../otel/config/metric-views.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { batchesOf, PointBatch } from '../../../otel/state/point-batch.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import { birthUs, Core } from '../core.ts';

const latency = metric({ name: 'latency', unit: 's', kind: 'summary', quantiles: [0.5, 0.99] });
const second = 1_000_000;

interface Shown {
  readonly state: readonly number[];
  readonly startUs: number;
  readonly timeUs: number;
  readonly flags: number;
  readonly attributes: unknown;
}

/** What a reader of a temporality is given of every summary. */
function shown(core: Core, cursor = core.outputs.passerBy()): Shown[] {
  const found: Shown[] = [];
  const batch = new PointBatch();
  for (const { scopes } of core.outputs.collect(cursor, core.nowUs).resources)
    for (const { streams } of scopes)
      for (const stream of streams) {
        if (stream.metric.kind !== 'summary') continue;
        if (stream.temporality !== undefined) throw new Error('summaries have no temporality');
        for (const { size } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++) {
            const { counts, sums, quantileCount, quantileValues } = batch;
            const values = quantileValues.slice(i * quantileCount, (i + 1) * quantileCount);
            found.push({
              state: [counts[i], sums[i], ...values],
              startUs: batch.startTimeUs[i],
              timeUs: batch.timeUs[i],
              flags: batch.flags[i],
              attributes: batch.seriesAttributes[i].attributes,
            });
          }
      }
  return found;
}

const states = (core: Core) => shown(core).map(({ state }) => state);

function joined(core: Core, incarnation = 1): FakeStream {
  const stream = core.stream();
  stream.hello('m', incarnation, attributes({ host: 'h' }));
  return stream;
}

function define(stream: FakeStream, epoch: string, own: Record<string, string> = {}, startUs = 0): number {
  return stream.define(
    { metric: latency, attributes: attributes(own), group: 1, isForeign: false },
    epoch,
    -60 * second,
    startUs,
  );
}

/** Each state is count, sum and the two quantiles' values; `places` are without a value. */
function report(core: Core, stream: FakeStream, list: readonly number[][], places: number[] = []): void {
  const of = (get: (state: number[]) => number[]) => Float64Array.from(list.flatMap(get));
  const group = {
    group: 1,
    timeUs: core.nowUs,
    summaryCounts: of(([count]) => [count]),
    summarySums: of(([, sum]) => [sum]),
    summaryQuantileValues: of(([, , ...values]) => values),
    noRecordedValue: places,
  };
  stream.send([group], Math.max(stream.session.lastReport, stream.columns.lastReport) + 1);
}

test('a summary is handed on as it came, with its start time, to delta readers as well', (t) => {
  const core = new Core();
  const stream = joined(core);
  const delta = core.outputs.addReader('delta');
  define(stream, 'e', { route: '/' }, 77);
  report(core, stream, [[4, 10, 0.5, Number.NaN]]);
  const expected: Shown = {
    state: [4, 10, 0.5, Number.NaN],
    startUs: 77,
    timeUs: birthUs,
    flags: 0,
    attributes: attributes({ route: '/' }),
  };
  t.deepEqual(shown(core), [expected]);
  t.deepEqual(shown(core, delta), [expected]);
  core.wait(1);
  report(core, stream, [[5, 11, 0.75, 3]]);
  t.deepEqual(shown(core, delta), [{ ...expected, state: [5, 11, 0.75, 3], timeUs: birthUs + second }]);
  t.is(core.outputs.points, 1);
  t.is(core.counters.baselines, 0);
});

test('what falls or is not finite is refused whole, once, and what comes after it is taken', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e', { route: '/' });
  define(stream, 'e', { route: '/b' });
  report(core, stream, [
    [4, 10, 1, 2],
    [1, 1, 1, 1],
  ]);
  for (const bad of [
    [3, 11, 5, 5],
    [5, Number.POSITIVE_INFINITY, 5, 5],
    [Number.NaN, 11, 5, 5],
  ]) {
    report(core, stream, [bad, [1, 1, 1, 1]]);
    t.deepEqual(states(core), [
      [4, 10, 1, 2],
      [1, 1, 1, 1],
    ]);
  }
  t.deepEqual(core.counters.refusedPoints, { epoch_fell: 1, not_finite: 2, negative: 0, out_of_range: 0 });
  const refusals = stream.received.filter(({ type }) => type === 'refuse');
  t.is(refusals.length, 1);
  t.like(refusals[0], { kind: 'epoch_fell', report: 2, series: [1] });
  report(core, stream, [
    [4, 9, 1, 3],
    [2, 1, 1, 1],
  ]);
  t.deepEqual(states(core), [
    [4, 9, 1, 3],
    [2, 1, 1, 1],
  ]);
});

test('a first state that cannot be taken waits for one that can', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e');
  report(core, stream, [[-1, 0, 0, 0]]);
  t.deepEqual(states(core), []);
  t.is(core.counters.refusedPoints.negative, 1);
  report(core, stream, [[0, 0, 0, 0]]);
  t.deepEqual(states(core), [[0, 0, 0, 0]]);
});

test('a new epoch may begin lower, with a start time of its own', (t) => {
  const core = new Core();
  const stream = joined(core);
  const first = define(stream, 'e', {}, 50);
  report(core, stream, [[4, 10, 1, 2]]);
  stream.retire(first, 'gone');
  define(stream, 'e2', {}, 60);
  t.deepEqual(states(core), []);
  report(core, stream, [[1, 2, 3, 4]]);
  t.like(shown(core)[0], { state: [1, 2, 3, 4], startUs: 60 });
  t.is(core.store.seriesCount, 1);
  const again = joined(core, 1);
  define(again, 'e');
  t.like(
    again.received.find(({ type }) => type === 'refuse'),
    { kind: 'epoch_old' },
  );
});

test('no recorded value is a flag on that report, and nothing where none has come yet', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e', { route: '/' });
  define(stream, 'e', { route: '/b' });
  const first = [4, 10, 1, 2];
  report(core, stream, [first, [0, 0, 0, 0]], [1]);
  t.deepEqual(states(core), [first]);
  report(core, stream, [first, [1, 1, 1, 1]], [0]);
  t.deepEqual(
    shown(core).map(({ flags }) => flags),
    [1, 0],
  );
  report(core, stream, [first, [1, 1, 1, 1]]);
  t.deepEqual(
    shown(core).map(({ flags }) => flags),
    [0, 0],
  );
});

test('a member that leaves is gone for a scrape, its last state goes to readers that stay, and it may return', (t) => {
  const core = new Core();
  const stream = joined(core);
  const reader = core.outputs.addReader('cumulative');
  define(stream, 'e');
  report(core, stream, [[4, 10, 1, 2]]);
  stream.goodbye(1);
  t.deepEqual(states(core), []);
  t.is(shown(core, reader).length, 1);
  core.outputs.delivered(reader);
  core.wait(1);
  t.is(shown(core, reader).length, 1, 'it left in the second of the collection');
  core.outputs.delivered(reader);
  t.is(shown(core, reader).length, 0);
  const again = joined(core, 2);
  define(again, 'e');
  report(core, again, [[4, 10, 1, 2]]);
  t.deepEqual(states(core), [[4, 10, 1, 2]]);
});

test('a member whose stream was silent for long is shown again with its next report', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e');
  report(core, stream, [[4, 10, 1, 2]]);
  core.wait(301);
  t.deepEqual(states(core), []);
  report(core, stream, [[4, 10, 1, 2]]);
  t.deepEqual(states(core), [[4, 10, 1, 2]]);
});

test('a member whose resource changes keeps its summaries, and what ended is freed', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e');
  report(core, stream, [[4, 10, 1, 2]]);
  const again = core.stream();
  again.hello('m', 1, attributes({ host: 'other' }));
  define(again, 'e');
  report(core, again, [[3, 10, 1, 2]]);
  t.deepEqual(states(core), [], 'it is below what was counted under this epoch');
  report(core, again, [[5, 12, 1, 2]]);
  t.deepEqual(states(core), [[5, 12, 1, 2]]);
  again.retire(1, 'gone');
  core.wait(3601);
  t.is(core.store.seriesCount, 0);
  t.is(core.outputs.points, 0);
});

const view = (stream: Partial<ViewConfig['stream']>): ViewConfig => ({
  selector: { instrumentName: 'latency' },
  stream: { aggregation: 'default', ...stream },
});

for (const [title, config, points] of [
  ['renamed', view({ name: 'renamed' }), 1],
  ['with another aggregation', view({ aggregation: 'last_value' }), 0],
  ['with resource keys', view({ resourceKeys: ['host'] }), 0],
  ['with fewer attributes', view({ attributeKeys: { included: ['route'] } }), 0],
] as const)
  test(`a view ${title} makes ${points} output`, (t) => {
    const core = new Core({ views: [config] });
    const stream = joined(core);
    define(stream, 'e', { route: '/', pod: 'p' });
    report(core, stream, [[4, 10, 1, 2]]);
    t.is(core.outputs.points, points);
    t.is(shown(core).length, points);
    t.is(stream.count('refuse'), 0);
  });
