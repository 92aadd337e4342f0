import test from 'ava';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { receivedPoints } from '../sinks/received-points.ts';
import { CountingSource, counts } from './counting-source.ts';
import { otlpReader, startAgent, startCollector } from './in-process.ts';
import { mergesAnew } from './merged.ts';

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
  for (let i = 0; i < series; i++) source.add(counts, { index: BigInt(i), text: 'x'.repeat(i % 64) });
  const agent = await startAgent(t, collector.addresses.grpc, { id: 'a', sources: [source.definition(100)] });
  // Whenever the collector hears of the counters first, nothing stands on them that could be a baseline.
  await mergesAnew(collector, agent);
  for (const [i, one] of source.series.entries()) one.value = i + 1;
  for (const sink of sinks) {
    const mine = () => sink.points.filter(({ name, value }) => name === counts.name && value !== 0n);
    await sink.waitFor(() => mine().length >= series, 'all values', 30_000);
    t.true(sink.attempts.every(({ bytes }) => bytes.length <= maxRequestBytes));
    // Turns of the collection may have a report between them: then two intervals share the values.
    const rows = mine();
    t.deepEqual(
      rows
        .map(({ attributes, value }) => [attributes.index, value])
        .sort((a, b) => Number(a[1]) - Number(b[1])),
      source.series.map((_, i) => [BigInt(i), BigInt(i + 1)]),
      'each value comes once',
    );
    const times = new Set(rows.map(({ time }) => time));
    t.true(times.size <= 2);
    const parts = sink.attempts.filter(({ request }) =>
      receivedPoints([request]).some(({ name, time }) => name === counts.name && times.has(time)),
    );
    t.true(parts.length >= 3, `${parts.length} requests`);
  }
});
