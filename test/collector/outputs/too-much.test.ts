import test, { type ExecutionContext } from 'ava';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { toOtlpJson } from '../../../otel/otlp/json.ts';
import { modelHistogram } from '../../otel/state/exponential-model.ts';
import { decodeExportRequest, type OtlpMetric } from '../../sinks/export-request.ts';
import { Core } from '../core.ts';
import { counters } from '../traces/counters.ts';
import { Trace } from '../traces/trace.ts';
import { DirectMember } from './direct-member.ts';
import { define, member, report, view } from './members.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const took = metric({ name: 'took', kind: 'histogram', explicitBounds: [1, 2], hasSum: true });
const size = metric({ name: 'size', kind: 'exponential_histogram', hasSum: true });
const most = 2 ** 53;

/** What a backend gets, by metric: the points as proto-loader decodes them. */
function received(core: Core, cursor: ReaderCursor): Map<string, OtlpMetric> {
  core.nowUs += 1e6;
  const collection = core.outputs.collect(cursor, core.nowUs);
  const found = new Map<string, OtlpMetric>();
  for (const { bytes } of encodeRequests(collection))
    for (const { scopeMetrics } of decodeExportRequest(bytes).resourceMetrics)
      for (const { metrics } of scopeMetrics) for (const one of metrics) found.set(one.name, one);
  return found;
}

test('counters that are more than a double together stay at the largest one, and no interval is NaN', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  const cursors = (['cumulative', 'delta'] as const).map((temporality) =>
    core.outputs.addReader(temporality),
  );
  const shown = () => {
    const [total, delta] = cursors.map((cursor) => received(core, cursor));
    const sums = [total, delta].map((of) => of.get('jobs')!.sum!.dataPoints[0].asDouble!);
    const histograms = [total, delta].map((of) => of.get('took')!.histogram!.dataPoints[0]);
    return [...sums, ...histograms.map(({ sum }) => sum!)];
  };
  const streams = ['a', 'b'].map((id) => member(core, id));
  const numbers = streams.map((stream) => [define(stream, jobs), define(stream, took)]);
  const tell = (i: number, value: number) =>
    report(core, streams[i], { [numbers[i][0]]: value, [numbers[i][1]]: [1, 0, 0, value] });
  tell(0, 1.7e308);
  t.deepEqual(shown(), [1.7e308, 1.7e308, 1.7e308, 1.7e308]);
  tell(1, 1.7e308);
  const largest = Number.MAX_VALUE;
  t.deepEqual(shown(), [largest, largest - 1.7e308, largest, largest - 1.7e308]);
  t.deepEqual(shown(), [largest, 0, largest, 0]);
  // They go, and what they counted stays.
  for (const [i, stream] of streams.entries()) for (const number of numbers[i]) stream.retire(number, 'gone');
  for (let i = 0; i < 3; i++) {
    for (const cursor of cursors) core.outputs.delivered(cursor);
    core.wait(2);
    t.deepEqual(shown(), [largest, 0, largest, 0]);
  }
  t.is(core.store.seriesCount, 0);
});

test('one counter whose lives are more than a double together', (t) => {
  const core = new Core();
  const cursor = core.outputs.addReader('delta');
  const stream = member(core, 'm');
  const deltas: number[] = [];
  for (let life = 0; life < 3; life++) {
    const number = define(stream, jobs);
    report(core, stream, { [number]: 1.7e308 });
    deltas.push(received(core, cursor).get('jobs')!.sum!.dataPoints[0].asDouble!);
    stream.retire(number, 'idle');
  }
  t.deepEqual(deltas, [1.7e308, Number.MAX_VALUE - 1.7e308, 0]);
});

test('histograms of more than 2^53 together stay there, whatever becomes of their scale, and backends can read them', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [], attributeKeys: { included: [] } })] });
  const cursors = (['cumulative', 'delta'] as const).map((temporality) =>
    core.outputs.addReader(temporality),
  );
  const add = (scale: number, buckets: readonly [number, number][], id: string) => {
    const one = new DirectMember(core, id);
    one.exponential(one.define(size), modelHistogram({ scale, positive: new Map(buckets) }));
    one.explicit(one.define(took), [most, 0, most], 1);
  };
  const shown = () =>
    cursors.map((cursor) => {
      const of = received(core, cursor);
      const { bucketCounts } = of.get('took')!.histogram!.dataPoints[0];
      const { scale, positive } = of.get('size')!.exponentialHistogram!.dataPoints[0];
      return [bucketCounts, scale, positive?.bucketCounts ?? []];
    });
  for (let i = 0; i < 300; i++)
    add(
      3,
      [
        [0, most / 2],
        [1, most / 2],
      ],
      `m${i}`,
    );
  const [text, none] = [String(most), '0'];
  const full = [[text, none, text], 3, [text, text]];
  t.deepEqual(shown(), [full, full]);
  t.deepEqual(shown(), [full, [[none, none, none], 3, []]]);
  // One whose scale is coarser: two full buckets become one.
  add(0, [[0, 7]], 'coarse');
  t.deepEqual(shown(), [
    [[text, none, text], 0, [text]],
    [[none, none, none], 0, []],
  ]);
});

test('one histogram whose lives are more than 2^53 together passes in intervals that backends can read', (t) => {
  const core = new Core();
  const cursor = core.outputs.addReader('delta');
  const one = new DirectMember(core, 'm');
  const counts: unknown[] = [];
  for (let life = 0; life < 3; life++) {
    one.exponential(one.define(size), modelHistogram({ scale: 3, positive: new Map([[4, most]]) }));
    counts.push(
      received(core, cursor).get('size')!.exponentialHistogram!.dataPoints[0].positive?.bucketCounts ?? [],
    );
  }
  t.deepEqual(counts, [[String(most)], [], []]);
});

const refused = test.macro({
  exec(t: ExecutionContext, kind: number, n: number) {
    const trace = new Trace(t, counters[kind]);
    const good = trace.run('good');
    good.report({ [good.define({ epoch: 'good', began: 0.5 })]: 5 });
    const bad = trace.run('bad');
    const number = bad.define({ epoch: 'bad', began: 0.5 });
    bad.report({ [number]: 1 });
    bad.report({ [number]: n });
    t.like(bad.refused[0], { kind: 'invalid', series: [number] });
    t.regex(bad.refused[0].reason, /is no whole number up to 2\^53/);
    t.deepEqual(trace.core.counters.refusedPoints, {
      epoch_fell: 0,
      not_finite: 0,
      negative: 0,
      out_of_range: 1,
    });
    t.is(trace.total(), 6);
    t.deepEqual([...received(trace.core, trace.core.outputs.passerBy()).keys()], ['own', 'total']);
    t.notThrows(() =>
      toOtlpJson(trace.core.outputs.collect(trace.core.outputs.passerBy(), trace.core.nowUs)),
    );
    // It goes on with what can be counted.
    bad.report({ [number]: 3 });
    t.is(trace.total(), 8);
    trace.core.sessions.stop();
  },
  title: (_, kind, n) => `${counters[kind].name}: a count of ${n} is refused, and nobody else is harmed`,
});

for (const kind of [1, 2]) for (const n of [1.5, 2 ** 60, 1e300]) test(refused, kind, n);

test('attributes of a series that no one else has do not keep a limited histogram from being read', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  const one = new DirectMember(core, 'm');
  one.exponential(one.define(size, attributes({ a: 'x' })), modelHistogram({ zeroCount: most }));
  const other = new DirectMember(core, 'n');
  other.exponential(other.define(size, attributes({ a: 'x' })), modelHistogram({ zeroCount: most }));
  const [point] = received(core, core.outputs.passerBy()).get('size')!.exponentialHistogram!.dataPoints;
  t.deepEqual([point.zeroCount, point.count], [String(most), String(most)]);
});
