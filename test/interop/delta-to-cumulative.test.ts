import test, { type ExecutionContext } from 'ava';
import { otlpGrpcSender } from '../../otel/export/otlp-grpc.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../otel/model/metric.ts';
import { emptyScope } from '../../otel/model/scope.ts';
import { encodeRequests } from '../../otel/otlp/encode-requests.ts';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';
import { PointEntry } from './point-entry.ts';
import { identity, type Row, receivedRows } from './rows.ts';
import { collectionOf, type PlainPoint, type PlainStream } from './synthetic-collection.ts';

const second = 1_000_000;
const beganUs = 1_790_000_000_000_000;

const requests = metric({ name: 'requests', kind: 'sum', isMonotonic: true, valueType: 'int', unit: '1' });
const busy = metric({ name: 'busy', kind: 'sum', isMonotonic: true, unit: 's' });
const open = metric({ name: 'open', kind: 'sum', valueType: 'int' });
const took = metric({
  name: 'took',
  kind: 'histogram',
  unit: 's',
  explicitBounds: [0.5, 1, 10],
  hasSum: true,
  hasMin: true,
  hasMax: true,
});
const resource = { attributes: attributes({ 'service.name': 'measured' }), schemaUrl: '' };

/** An interval in seconds since the beginning, and what was measured in it: for each metric something of this size. */
type Interval = readonly [start: number, end: number, size: number];

function streamsOf([start, end, size]: Interval, temporality: 'delta' | 'cumulative'): PlainStream[] {
  const stream = (description: MetricDescription, values: readonly Partial<PlainPoint>[]): PlainStream => ({
    resource,
    scope: emptyScope,
    metric: description,
    temporality,
    points: values.map((value, i) => ({
      attributes: attributes({ series: BigInt(i) }),
      startTimeUs: beganUs + start * second,
      timeUs: beganUs + end * second,
      flags: 0,
      ...value,
    })),
  });
  const counts = [size, 0, size % 3, 1];
  return [
    stream(requests, [{ value: size }, { value: 3 * size }, { value: 0 }]),
    stream(busy, [{ value: size / 8 }, { value: size + 0.25 }]),
    stream(open, [{ value: size - 4 }]),
    stream(took, [{ histogram: { counts, sum: size * 1.5, min: size / 4, max: 12 + size } }]),
  ];
}

/** What a deltatocumulative processor and the point intake make of the same intervals, each sent on its own. */
async function bothOf(t: ExecutionContext) {
  const { otelcol, sink } = await otelcolWithSink(t, { deltatocumulative: {} });
  const sender = otlpGrpcSender({ endpoint: `http://127.0.0.1:${otelcol.grpcPort}`, compression: 'none' });
  t.teardown(() => sender.close());
  const ours = new PointEntry(() => beganUs);
  return async (interval: Interval, temporality: 'delta' | 'cumulative' = 'delta') => {
    const streams = streamsOf(interval, temporality);
    const before = sink.requests.length;
    for (const { bytes } of encodeRequests(collectionOf(streams, 0)))
      t.like(await sender.send(bytes, AbortSignal.timeout(20_000)), { kind: 'success' });
    const outcomes = new Set(ours.take(streams));
    // The Collector answers after the sink has, so what it made of them is there.
    return { theirs: receivedRows(sink.requests.slice(before)), ours: ours.rows(), outcomes: [...outcomes] };
  };
}

/** A row's value as numbers: a histogram's are its buckets and then its sum. */
function numbersOf({ value }: Row): number[] {
  if (typeof value !== 'object') return [Number(value)];
  const { bucketCounts, sum } = value as { bucketCounts: number[]; sum: number };
  return [...bucketCounts, sum];
}

/** By series, how much more ours counts than theirs. */
function excess(ours: readonly Row[], theirs: readonly Row[]): Map<string, number[]> {
  const counted = new Map(theirs.map((row) => [identity(row), numbersOf(row)]));
  return new Map(
    ours.map((row) => [identity(row), numbersOf(row).map((n, i) => n - counted.get(identity(row))![i]!)]),
  );
}

/** What an interval measured, by series, times a factor. No zero is negative. */
function sizes(interval: Interval, factor: number): Map<string, number[]> {
  const alone = new PointEntry(() => beganUs);
  alone.take(streamsOf(interval, 'delta'));
  return new Map(alone.rows().map((row) => [identity(row), numbersOf(row).map((n) => n * factor + 0)]));
}

test('deltas in order, with gaps and duplicates: each cumulative point is the one that deltatocumulative makes', async (t) => {
  const take = await bothOf(t);
  for (const interval of [
    [0, 10, 5],
    [10, 20, 3],
    [20, 30, 0],
    [45, 50, 8],
    [50, 50.000_001, 2],
    [51, 60, 1_000_000_007],
  ] as const) {
    const { theirs, ours, outcomes } = await take(interval);
    t.deepEqual(outcomes, ['merged']);
    t.is(theirs.length, 7);
    t.deepEqual(ours, theirs);
    const again = await take(interval);
    t.deepEqual(again.outcomes, ['duplicate']);
    t.deepEqual(again.theirs, [], 'what is not newer is dropped there');
    t.deepEqual(again.ours, ours);
  }
});

test('late deltas are added here and dropped by deltatocumulative; all else agrees before and after', async (t) => {
  const take = await bothOf(t);
  await take([0, 10, 5]);
  const before = await take([20, 30, 6]);
  t.deepEqual(before.ours, before.theirs);
  const gap: Interval = [10, 20, 7];
  const late = await take(gap);
  t.deepEqual(late.outcomes, ['merged_late']);
  t.deepEqual(late.theirs, []);
  for (const interval of [
    [30, 40, 1],
    [40, 50, 2],
  ] as const) {
    const { ours, theirs } = await take(interval);
    t.deepEqual(excess(ours, theirs), sizes(gap, 1));
    t.deepEqual(ours.map(timesOf), theirs.map(timesOf));
  }
});

test('an interval that overlaps one before is refused here and added by deltatocumulative; all else agrees before and after', async (t) => {
  const take = await bothOf(t);
  const before = await take([0, 10, 5]);
  t.deepEqual(before.ours, before.theirs);
  const twice: Interval = [5, 15, 7];
  const overlap = await take(twice);
  t.deepEqual(overlap.outcomes, ['overlap']);
  t.deepEqual(excess(overlap.ours, overlap.theirs), sizes(twice, -1));
  const after = await take([15, 20, 3]);
  t.deepEqual(excess(after.ours, after.theirs), sizes(twice, -1));
  t.deepEqual(after.ours.map(timesOf), after.theirs.map(timesOf));
});

test('a delta from before the first start is added here and dropped by deltatocumulative', async (t) => {
  const take = await bothOf(t);
  await take([10, 20, 5]);
  const early: Interval = [0, 10, 4];
  const { theirs, outcomes } = await take(early);
  t.deepEqual(outcomes, ['merged_late']);
  t.deepEqual(theirs, []);
  const after = await take([20, 30, 3]);
  t.deepEqual(excess(after.ours, after.theirs), sizes(early, 1));
  t.deepEqual(after.ours.map(timesOf), after.theirs.map(timesOf), 'the start stays the one that was shown');
});

test('cumulative points pass deltatocumulative and the intake as they are, over restarts too', async (t) => {
  const take = await bothOf(t);
  for (const interval of [
    [0, 10, 5],
    [0, 20, 8],
    [22, 30, 4],
    [22, 40, 10],
  ] as const) {
    const { theirs, ours } = await take(interval, 'cumulative');
    t.is(theirs.length, 7);
    t.deepEqual(ours.map(withoutRange), theirs.map(withoutRange));
  }
});

function timesOf({ start, time }: Row): object {
  return { start, time };
}

/** Min and max are of what was reported since the epoch began here. */
function withoutRange(row: Row): Row {
  if (typeof row.value !== 'object') return row;
  return { ...row, value: { ...row.value, min: undefined, max: undefined } };
}
