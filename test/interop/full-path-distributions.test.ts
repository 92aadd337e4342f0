import test, { type ExecutionContext } from 'ava';
import { silentLog } from '../../agent/log.ts';
import { Collector } from '../../collector/collector.ts';
import { collectorDefaults } from '../../collector/config/collector-config.ts';
import { metric, type Temporality } from '../../otel/model/metric.ts';
import type { GroupState } from '../../proto/report/write-report.ts';
import { SyntheticAgent } from '../agents/synthetic-agent.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import type {
  ReceivedBuckets,
  ReceivedExponentialHistogram,
  ReceivedPoint,
  ReceivedSummary,
} from '../sinks/received-points.ts';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';

const sizes = metric({
  name: 'sizes',
  unit: 'By',
  description: 'Sizes of answers',
  kind: 'exponential_histogram',
  hasSum: true,
  hasMin: true,
  hasMax: true,
});
const waits = metric({ name: 'waits', unit: 's', kind: 'summary', quantiles: [0.5, 0.99] });

/** What one series of each has counted at a time. */
interface State {
  readonly timeUs: number;
  readonly exponential: Omit<ReceivedExponentialHistogram, 'zeroThreshold' | 'sum' | 'min' | 'max'> & {
    readonly sum: number;
    readonly min: number;
    readonly max: number;
  };
  readonly summary: ReceivedSummary;
}

function reportOf({ timeUs, exponential, summary }: State): GroupState {
  const { positive, negative } = exponential;
  const one = (value: number) => Float64Array.of(value);
  return {
    group: 0,
    timeUs,
    exponentialScales: one(exponential.scale),
    exponentialZeroThresholds: one(0),
    exponentialZeroCounts: one(exponential.zeroCount),
    exponentialPositiveLayout: Float64Array.of(positive.offset, positive.counts.length),
    exponentialPositiveCounts: Float64Array.from(positive.counts),
    exponentialNegativeLayout: Float64Array.of(negative.offset, negative.counts.length),
    exponentialNegativeCounts: Float64Array.from(negative.counts),
    exponentialSums: one(exponential.sum),
    exponentialMins: one(exponential.min),
    exponentialMaxes: one(exponential.max),
    summaryCounts: one(summary.count),
    summarySums: one(summary.sum),
    summaryQuantileValues: Float64Array.from(summary.quantiles.map(({ value }) => value)),
  };
}

/** A synthetic agent's stream -> collector -> reader -> real OpenTelemetry Collector -> sink. */
async function startPath(
  t: ExecutionContext,
  temporality: Temporality,
): Promise<{ agent: SyntheticAgent; sink: OtlpSink; startTimeUs: number }> {
  const { otelcol, sink } = await otelcolWithSink(t);
  const anyPort = { port: 0 };
  const collector = new Collector(
    {
      ...collectorDefaults,
      grpc: { ...collectorDefaults.grpc, ...anyPort },
      http: { ...collectorDefaults.http, ...anyPort },
      admin: { ...collectorDefaults.admin, ...anyPort },
      readers: [
        {
          kind: 'periodic',
          name: 'otlp',
          intervalMs: 200,
          timeoutMs: 2000,
          maxRequestBytes: 4 * 1024 * 1024,
          exporter: {
            kind: 'otlp_grpc',
            endpoint: `http://127.0.0.1:${otelcol.grpcPort}`,
            headers: {},
            compression: 'gzip',
            timeoutMs: 2000,
            temporality,
            tls: {},
          },
        },
      ],
    },
    { log: silentLog },
  );
  await collector.start();
  t.teardown(() => collector.stop());
  const agent = new SyntheticAgent({ memberId: 'distributions', resource: { 'service.name': 'shop' } });
  t.teardown(() => agent.cut());
  await agent.connect(collector.addresses.grpc);
  const startTimeUs = Date.now() * 1000;
  const attributes = { route: '/a' };
  agent.define([
    // The epoch began after the stream did: all of it is counted.
    { metric: sizes, attributes, epoch: 'e', beganUs: 1, startTimeUs },
    { metric: waits, attributes, epoch: 'e', beganUs: 1, startTimeUs },
  ]);
  return { agent, sink, startTimeUs };
}

const quantile = (q: number, value: number) => ({ quantile: q, value });

/** Three states of which each holds what the one before it held; the scale becomes coarser on the way. */
function statesFrom(timeUs: number): State[] {
  return [
    {
      timeUs,
      exponential: {
        count: 7,
        sum: 12.5,
        min: 1.25,
        max: 3,
        scale: 2,
        zeroCount: 1,
        positive: { offset: 1, counts: [1, 0, 2, 3] },
        negative: { offset: 0, counts: [] },
      },
      summary: { count: 4, sum: 2, quantiles: [quantile(0.5, 0.25), quantile(0.99, 1)] },
    },
    {
      timeUs: timeUs + 1_000_000,
      exponential: {
        count: 9,
        sum: 16.5,
        min: 1.25,
        max: 3,
        scale: 2,
        zeroCount: 1,
        positive: { offset: 1, counts: [2, 0, 3, 3] },
        negative: { offset: 0, counts: [] },
      },
      summary: { count: 6, sum: 5, quantiles: [quantile(0.5, 0.5), quantile(0.99, 3)] },
    },
    {
      timeUs: timeUs + 2_000_000,
      exponential: {
        count: 14,
        sum: 1040,
        min: 1.25,
        max: 1000,
        scale: 0,
        zeroCount: 3,
        // At scale 0 the buckets 1 to 4 of scale 2 are 0 and 1.
        positive: { offset: 0, counts: [5, 4, 0, 0, 0, 0, 0, 0, 0, 1] },
        negative: { offset: -1, counts: [1] },
      },
      summary: { count: 6, sum: 5, quantiles: [quantile(0.5, 0.5), quantile(0.99, 3)] },
    },
  ];
}

/** Rows of one of the metrics, as they came. */
function rowsOf(sink: OtlpSink, name: string): ReceivedPoint[] {
  return sink.points.filter((row) => row.name === name);
}

test('cumulative: a real Collector gets the exponential histogram and the summary that a stream reported', async (t) => {
  const { agent, sink, startTimeUs } = await startPath(t, 'cumulative');
  for (const state of statesFrom(Date.now() * 1000)) {
    agent.report([reportOf(state)]);
    await agent.settled();
    const time = BigInt(state.timeUs) * 1000n;
    const isThere = (name: string) => rowsOf(sink, name).some((row) => row.time === time);
    await sink.waitFor(() => isThere('sizes') && isThere('waits'), 'the newest state');
    const same = {
      resource: { 'service.name': 'shop' },
      scope: '',
      attributes: { route: '/a' },
      flags: 0,
      time,
    };
    const start = BigInt(startTimeUs) * 1000n;
    const { exponential, summary } = state;
    t.like(
      rowsOf(sink, 'sizes').findLast((row) => row.time === time),
      {
        ...same,
        start,
        unit: 'By',
        description: 'Sizes of answers',
        kind: 'exponential_histogram',
        temporality: 'cumulative',
        value: { ...exponential, zeroThreshold: 0 },
      },
    );
    t.like(
      rowsOf(sink, 'waits').findLast((row) => row.time === time),
      {
        ...same,
        start,
        unit: 's',
        kind: 'summary',
        temporality: undefined,
        value: summary,
      },
    );
  }
});

test('delta: the intervals of an exponential histogram add up to what was counted, over a change of scale', async (t) => {
  const { agent, sink } = await startPath(t, 'delta');
  const states = statesFrom(Date.now() * 1000);
  const histograms = () => rowsOf(sink, 'sizes').map(({ value }) => value as ReceivedExponentialHistogram);
  for (const state of states) {
    agent.report([reportOf(state)]);
    await agent.settled();
    await sink.waitFor(
      () => histograms().reduce((sum, { count }) => sum + count, 0) === state.exponential.count,
      `${state.exponential.count} values in all intervals`,
    );
  }
  const last = states.at(-1)!.exponential;
  t.is(
    histograms().reduce((sum, { zeroCount }) => sum + zeroCount, 0),
    last.zeroCount,
  );
  t.is(
    histograms().reduce((all, { sum }) => all + sum!, 0),
    last.sum,
  );
  for (const side of ['positive', 'negative'] as const) {
    const total = new Map<number, number>();
    for (const histogram of histograms()) addAtScale0(total, histogram.scale, histogram[side]);
    const expected = new Map<number, number>();
    addAtScale0(expected, last.scale, last[side]);
    t.deepEqual(new Map([...total].sort(([a], [b]) => a - b)), expected, side);
  }
  for (const [i, row] of rowsOf(sink, 'sizes').entries()) {
    t.deepEqual([row.temporality, (row.value as ReceivedExponentialHistogram).min], ['delta', undefined]);
    if (i > 0) t.is(row.start, rowsOf(sink, 'sizes')[i - 1].time);
  }
});

function addAtScale0(to: Map<number, number>, scale: number, { offset, counts }: ReceivedBuckets): void {
  for (const [b, count] of counts.entries()) {
    const index = Math.floor((offset + b) / 2 ** scale);
    if (count > 0) to.set(index, (to.get(index) ?? 0) + count);
  }
}
