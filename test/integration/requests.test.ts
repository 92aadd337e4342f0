import test from 'ava';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { receivedPoints } from '../sinks/received-points.ts';
import { CountingSource, counts } from './counting-source.ts';
import { otlpReader, startAgent, startCollector } from './in-process.ts';

const maxRequestBytes = 64 * 1024;
const series = 3000;

test('a collection that is too large for one request is split, and nothing is missing or doubled', async (t) => {
  const sinks = await Promise.all([startGrpcSink(), startHttpSink()]);
  for (const sink of sinks) t.teardown(() => sink.stop());
  const options = { maxRequestBytes, temporality: 'delta', intervalMs: 300 } as const;
  const collector = await startCollector(t, {
    readers: [
      otlpReader('otlp_grpc', sinks[0], options),
      otlpReader('otlp_http', sinks[1], { ...options, compression: 'gzip' }),
    ],
  });
  const source = new CountingSource();
  for (let i = 0; i < series; i++) source.add(counts, { index: BigInt(i), text: 'x'.repeat(i % 64) }, i + 1);
  await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition(100)] });
  for (const sink of sinks) {
    const mine = () => sink.points.filter(({ name }) => name === counts.name);
    await sink.waitFor(() => mine().length >= 2 * series, 'two whole collections', 15_000);
    t.true(sink.attempts.every(({ bytes }) => bytes.length <= maxRequestBytes));
    const [first, ...later] = [...Map.groupBy(mine(), ({ time }) => time).values()];
    t.is(first!.length, series);
    t.deepEqual(
      first!
        .map(({ attributes, value }) => [attributes.index, value])
        .sort((a, b) => Number(a[1]) - Number(b[1])),
      source.series.map((_, i) => [BigInt(i), BigInt(i + 1)]),
    );
    t.true(later.flat().every(({ value }) => value === 0n));
    const parts = sink.attempts.filter(({ request }) =>
      receivedPoints([request]).some(({ name, time }) => name === counts.name && time === first![0]!.time),
    );
    t.true(parts.length >= 3, `${parts.length} requests`);
  }
});
