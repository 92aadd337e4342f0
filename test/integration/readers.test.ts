import test, { type ExecutionContext } from 'ava';
import { agentDefaults } from '../../agent/config/agent-config.ts';
import { detectResource } from '../../agent/resource/detect-resource.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { RecordedSource } from '../interop/recorded-source.ts';
import { identity, type Row, receivedRows } from '../interop/rows.ts';
import { parseExposition } from '../otel/prometheus/exposition-parser.ts';
import { fixedPort } from '../process/fixed-port.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import { otlpReader, startAgent, startCollector } from './in-process.ts';
import { mergesAnew } from './merged.ts';

const kinds = [
  ['otlp_grpc', startGrpcSink],
  ['otlp_http', startHttpSink],
] as const;
const resource = attributes({ 'service.name': 'shop', 'service.instance.id': 'shop-1', shard: 3n });

interface Backend {
  readonly kind: (typeof kinds)[number][0];
  readonly compression: 'gzip' | 'none';
  readonly temporality: 'cumulative' | 'delta';
  readonly sink: OtlpSink;
}

async function startBackends(t: ExecutionContext): Promise<Backend[]> {
  const backends: Backend[] = [];
  for (const [kind, start] of kinds) {
    for (const compression of ['gzip', 'none'] as const) {
      for (const temporality of ['cumulative', 'delta'] as const) {
        const sink = await start();
        t.teardown(() => sink.stop());
        backends.push({ kind, compression, temporality, sink });
      }
    }
  }
  return backends;
}

const nameOf = ({ kind, compression, temporality }: Backend): string =>
  `${kind} ${compression} ${temporality}`;

test('every kind of reader hands on what the agent read, to the last value', async (t) => {
  const backends = await startBackends(t);
  const prometheusPort = await fixedPort();
  const collector = await startCollector(t, {
    readers: [
      ...backends.map((backend) =>
        otlpReader(backend.kind, backend.sink, {
          ...backend,
          name: nameOf(backend),
          intervalMs: 200,
          headers: { 'x-tenant': nameOf(backend) },
        }),
      ),
      { kind: 'prometheus', name: 'prometheus', host: '127.0.0.1', port: prometheusPort },
    ],
  });
  const source = new RecordedSource();
  // Whenever the collector hears of the counters first, nothing stands on them that could be a baseline.
  source.frozen = true;
  const agent = await startAgent(t, collector.addresses.grpc, {
    id: 'shop-1',
    resource,
    sources: [source.definition(50)],
  });
  const rowsOf = ({ sink }: Backend): Row[] => source.rowsOf(receivedRows(sink.requests));
  /** Waits until each backend has so many exports with points of every series that were collected from now on, and not earlier ones that waited. */
  const exported = async (exports: number): Promise<void> => {
    const fromNs = BigInt(Date.now()) * 1_000_000n;
    await Promise.all(
      backends.map(async (backend) => {
        const since = backend.sink.attempts.length;
        const complete = (): number =>
          backend.sink.attempts.slice(since).filter(({ request }) => {
            const rows = source.rowsOf(receivedRows([request]));
            return rows.length === source.seriesCount && rows.every(({ time }) => time >= fromNs);
          }).length;
        await backend.sink.waitFor(
          () => complete() >= exports,
          `${exports} exports to ${nameOf(backend)}`,
          30_000,
        );
      }),
    );
  };
  await mergesAnew(collector, agent);
  source.frozen = false;
  await exported(5);
  t.true(source.steps >= 5);
  source.frozen = true;
  await mergesAnew(collector, agent);
  await exported(2);

  const expectedResource = detectResource({ root: agentDefaults.host.rootPath, attributes: resource });
  for (const backend of backends) {
    const rows = rowsOf(backend);
    const isDelta = ({ monotonic }: Row): boolean => backend.temporality === 'delta' && monotonic;
    for (const row of rows.filter((row) => !isDelta(row)))
      t.deepEqual(row, source.expected(row, expectedResource), nameOf(backend));
    const series = [...Map.groupBy(rows, identity).values()];
    t.is(series.length, source.seriesCount);
    for (const points of series) {
      if (isDelta(points[0]!)) checkIntervals(t, points, source);
      else t.is(Number(points.at(-1)!.value), source.lastValue(points[0]!), nameOf(backend));
    }
    for (const { headers } of backend.sink.attempts) t.is(headers['x-tenant'], nameOf(backend));
    const sent = backend.sink.attempts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // Requests of such a size are much smaller compressed; without compression they come with their headers.
    if (backend.compression === 'gzip') t.true(backend.sink.bytesIn < sent, nameOf(backend));
    else t.true(backend.sink.bytesIn > sent, nameOf(backend));
  }
  for (const url of [`http://${collector.addresses.http}`, `http://127.0.0.1:${prometheusPort}`])
    await checkExposition(t, `${url}/metrics`, rowsOf(backends[0]!), source);
});

/** Delta intervals abut, hold no fall, and add up to what the source counted. */
function checkIntervals(t: ExecutionContext, rows: readonly Row[], source: RecordedSource): void {
  // An export whose answer came too late is repeated as it was.
  const points = [...new Map(rows.map((row) => [`${row.start} ${row.time} ${row.value}`, row])).values()];
  for (const [i, { start, time, value, temporality }] of points.entries()) {
    t.is(temporality, 'delta');
    t.true(start < time && Number(value) >= 0);
    if (i > 0) t.is(start, points[i - 1]!.time);
  }
  const total = points.reduce((sum, { value }) => sum + Number(value), 0);
  const expected = source.lastValue(points[0]!);
  if (typeof points[0]!.value === 'bigint') t.is(total, expected);
  else t.true(Math.abs(total - expected) <= 1e-9 * expected, `${total} is not ${expected}`);
}

/** What stands in /metrics are the frozen values, under the names of the compatibility specification. */
async function checkExposition(
  t: ExecutionContext,
  url: string,
  rows: readonly Row[],
  source: RecordedSource,
): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  t.is(response.status, 200);
  const families = parseExposition(await response.text(), false);
  const names: Readonly<Record<string, readonly [name: string, type: string]>> = {
    'recorded.io': ['recorded_io_bytes_total', 'counter'],
    'recorded.seconds': ['recorded_seconds_total', 'counter'],
    'recorded.open': ['recorded_open', 'gauge'],
    'recorded.temperature': ['recorded_temperature_celsius', 'gauge'],
    'recorded.size': ['recorded_size', 'gauge'],
  };
  let compared = 0;
  for (const row of new Map(rows.map((row) => [identity(row), row])).values()) {
    const [name, type] = names[row.name]!;
    const family = families.get(name);
    t.is(family?.type, type, name);
    const { index } = row.attributes;
    if (index === undefined) continue;
    const sample = family!.samples.find(({ labels }) => labels.get('index') === String(index));
    t.is(sample?.labels.get('job'), 'shop');
    t.is(sample?.labels.get('instance'), 'shop-1');
    t.is(sample?.value, source.lastValue(row));
    compared++;
  }
  t.is(compared, 15);
  const targets = families.get('target_info')!.samples.filter(({ labels }) => labels.get('job') === 'shop');
  t.is(targets.length, 1);
  t.is(targets[0]!.labels.get('shard'), '3');
  t.true(families.has('streamgauge_collector_report_received_total'), 'its own metrics stand there, too');
}
