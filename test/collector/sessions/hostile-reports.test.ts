import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { auditLedger } from '../../../otel/state/audit-ledger.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import { Core } from '../core.ts';
import { define, member, view } from '../outputs/members.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const took = metric({ name: 'took', kind: 'histogram', explicitBounds: [1, 2], hasSum: true });

function defined(stream: FakeStream, m: MetricDescription, began: number | undefined): number {
  return stream.define(
    { metric: m, attributes: attributes({}), group: 0, isForeign: false },
    m.name,
    began,
    0,
  );
}

/** Both series in one report, each part of them `value`; `without`: the places without a recorded value. */
function send(core: Core, stream: FakeStream, value: number, without: number[] = []): void {
  core.nowUs += 1e6;
  const group = {
    group: 0,
    timeUs: core.nowUs,
    sums: Float64Array.of(value),
    histogramBucketCounts: Float64Array.of(value, value, value),
    histogramSums: Float64Array.of(value),
    noRecordedValue: without,
  };
  stream.send([group], stream.columns.lastReport + 1);
}

for (const began of [1, undefined])
  test(`what comes with a series that has no recorded value yet is in no total, whether it ${began === 1 ? 'counts whole' : 'is a baseline'}`, (t) => {
    const core = new Core({ views: [view({ resourceKeys: [] })] });
    const stream = member(core, 'm');
    defined(stream, jobs, began);
    defined(stream, took, began);
    send(core, stream, 100, [0, 1]);
    t.deepEqual([core.values('jobs'), core.values('took')], [[0], [[0, 0, 0, 0]]]);
    // Unchanged, and now it is a value.
    send(core, stream, 100);
    const whole = began === 1 ? 100 : 0;
    t.deepEqual([core.values('jobs'), core.values('took')], [[whole], [[whole, whole, whole, whole]]]);
    send(core, stream, 150);
    const more = whole + 50;
    t.deepEqual([core.values('jobs'), core.values('took')], [[more], [[more, more, more, more]]]);
    t.true(auditLedger(core.store).every(({ isBalanced }) => isBalanced));
  });

test('a series that was turned away is looked at again when its value changes, and is taken once it is one', (t) => {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  const stream = member(core, 'm');
  defined(stream, jobs, undefined);
  defined(stream, took, undefined);
  for (const value of [-1, NaN, NaN, Infinity]) send(core, stream, value);
  t.deepEqual(core.counters.refusedPoints, { epoch_fell: 0, not_finite: 4, negative: 2, out_of_range: 0 });
  send(core, stream, 40);
  send(core, stream, 45);
  t.deepEqual([core.values('jobs'), core.values('took')], [[5], [[5, 5, 5, 5]]]);
  t.is(core.counters.baselines, 2);
});

/** A stream with so many counters. */
function wide(series: number): {
  core: Core;
  stream: FakeStream;
  report: (value: number, without?: number[]) => number;
} {
  const core = new Core({ limits: { maxSeries: series } });
  const stream = member(core, 'm');
  for (let i = 0; i < series; i++) define(stream, jobs, attributes({ i: BigInt(i) }));
  const report = (value: number, without?: number[]) => {
    core.nowUs += 1e6;
    const sums = new Float64Array(series).fill(value);
    const group = { group: 0, timeUs: core.nowUs, sums, noRecordedValue: without };
    stream.send([group], stream.columns.lastReport + 1);
    return core.counters.mergeMs;
  };
  return { core, stream, report };
}

test('a report of nothing new costs nothing, however many series were turned away before', (t) => {
  const { core, report } = wide(20_000);
  const [first] = [report(NaN)];
  t.is(core.counters.refusedPoints.not_finite, 20_000);
  let last = first;
  for (let i = 0; i < 20; i++) last = report(NaN);
  t.is(core.counters.refusedPoints.not_finite, 20_000, 'none of them was looked at again');
  t.true(last - first < first, `20 empty reports took ${last - first} ms, the first one ${first} ms`);
});

test('to retire all series at once takes one pass, also when none has a recorded value', (t) => {
  const { stream, report, core } = wide(20_000);
  report(1);
  report(
    1,
    Array.from({ length: 20_000 }, (_, i) => i),
  );
  const series = Array.from({ length: 20_000 }, (_, i) => i + 1);
  const startedMs = performance.now();
  stream.session.receive(encodeAgentMessage({ type: 'retire', series, reason: 'idle' }));
  const tookMs = performance.now() - startedMs;
  t.is(core.counters.seriesRetired, 20_000);
  t.true(tookMs < 500, `it took ${tookMs} ms`);
});
