import test, { type ExecutionContext } from 'ava';
import { otlpGrpcSender } from '../../../otel/export/otlp-grpc.ts';
import { otlpHttpSender } from '../../../otel/export/otlp-http.ts';
import { PeriodicReader } from '../../../otel/export/periodic-reader.ts';
import type { Temporality } from '../../../otel/model/metric.ts';
import { type Fault, faults } from '../../sinks/fault-plan.ts';
import { startGrpcSink } from '../../sinks/grpc-sink.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import type { OtlpSink } from '../../sinks/otlp-sink.ts';
import { GrowingSums } from './growing-sums.ts';
import { recordingLog } from './recording-log.ts';

const protocols = {
  grpc: { make: otlpGrpcSender, start: startGrpcSink },
  http: { make: otlpHttpSender, start: startHttpSink },
} as const;
type Protocol = keyof typeof protocols;

/** 100 series in requests of 2 KiB: several requests a collection. */
function readerOf(protocol: Protocol, endpoint: string, temporality: Temporality, timeoutMs = 2000) {
  const sums = new GrowingSums(temporality, 100);
  const reader = new PeriodicReader({
    name: `${protocol} ${temporality}`,
    intervalMs: 100,
    timeoutMs,
    maxRequestBytes: 2048,
    temporality,
    collect: (timeUs) => {
      sums.add();
      return sums.collect(timeUs);
    },
    sender: protocols[protocol].make({ endpoint, timeoutMs, compression: 'gzip' }),
    log: recordingLog().log,
    retry: { initialMs: 20, maxMs: 100 },
  });
  return { reader, sums };
}

/** Cumulative: the highest value of each series. Delta: the sum, a repeated interval counted once. */
function totals(sink: OtlpSink, temporality: Temporality): number[] {
  const seen = new Set<string>();
  const result: number[] = [];
  for (const { attributes, start, time, value } of sink.points) {
    const i = Number(attributes.series);
    const interval = `${i} ${start} ${time}`;
    if (temporality === 'cumulative') {
      result[i] = Math.max(result[i] ?? 0, Number(value));
    } else if (!seen.has(interval)) {
      seen.add(interval);
      result[i] = (result[i] ?? 0) + Number(value);
    }
  }
  return result;
}

const plan: Fault[] = [
  'ok',
  'unavailable',
  'ok',
  'hang',
  'ok',
  'close',
  { throttleMs: 150 },
  'unavailable',
  'garbage',
  { rejected: 1, message: 'on schedule' },
];

const survives = test.macro({
  title: (_, protocol: Protocol, temporality: Temporality) =>
    `${protocol}, ${temporality}: exact across failures and a restart`,
  async exec(t: ExecutionContext, protocol: Protocol, temporality: Temporality) {
    t.timeout(60_000);
    await using sink = await protocols[protocol].start({ plan: faults(...plan) });
    const { reader, sums } = readerOf(protocol, sink.url, temporality);
    reader.start();
    await sink.waitFor(({ attempts }) => attempts.length >= 20, '20 requests');
    await sink.stop();
    const before = sink.attempts.length;
    await sink.start();
    await sink.waitFor(({ attempts }) => attempts.length >= before + 10, '10 requests after the restart');
    const result = await reader.drain(30_000);
    t.like(result, { delivered: true, error: undefined });
    t.deepEqual(totals(sink, temporality), sums.totals);
    const { counts } = reader.status;
    const { pointsExported, pointsRejected, pointsSuperseded } = counts;
    t.is(pointsExported + pointsRejected + pointsSuperseded, counts.collections * 100);
    t.is(
      pointsRejected,
      sink.attempts.some(({ fault }) => typeof fault === 'object' && 'rejected' in fault) ? 1 : 0,
    );
    t.is(counts.pointsFailed, 0);
    if (temporality === 'delta') t.is(pointsSuperseded, 0);
  },
});
test(survives, 'grpc', 'cumulative');
test(survives, 'grpc', 'delta');
test(survives, 'http', 'cumulative');
test(survives, 'http', 'delta');

test('a dead and a hanging backend do not delay the others', async (t) => {
  t.timeout(60_000);
  await using well = await startGrpcSink();
  await using hanging = await startHttpSink({ plan: () => 'hang' });
  const gone = await startGrpcSink();
  await gone.stop();
  const good = readerOf('grpc', well.url, 'cumulative', 30_000);
  const others = [readerOf('http', hanging.url, 'delta'), readerOf('grpc', gone.url, 'cumulative')];
  for (const { reader } of [good, ...others]) reader.start();
  await well.waitFor(() => good.reader.status.counts.collections >= 10, '10 collections');
  t.is(good.reader.status.counts.requestsFailed, 0);
  t.is(good.reader.status.counts.pointsSuperseded, 0);
  const { counts, queue } = others[0]!.reader.status;
  t.true(counts.collections > 1, 'delta goes on collecting');
  t.is(queue.collections, counts.collections, 'and its intervals wait');
  t.true(others[1]!.reader.status.lastError?.message.includes('UNAVAILABLE'));
  t.true((await good.reader.drain(30_000)).delivered);
  t.deepEqual(totals(well, 'cumulative'), good.sums.totals);
  for (const { reader } of others) {
    const from = performance.now();
    t.false((await reader.drain(200)).delivered);
    t.true(performance.now() - from < 9000, 'the deadline is kept');
  }
});
