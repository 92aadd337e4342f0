import test, { type ExecutionContext } from 'ava';
import { Agent } from '../../agent/agent.ts';
import { agentDefaults } from '../../agent/config/agent-config.ts';
import { silentLog } from '../../agent/log.ts';
import { detectResource } from '../../agent/resource/detect-resource.ts';
import { Collector } from '../../collector/collector.ts';
import { collectorDefaults } from '../../collector/config/collector-config.ts';
import { attributes } from '../../otel/model/attributes.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import type { Otelcol } from './otelcol/otelcol.ts';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';
import { RecordedSource } from './recorded-source.ts';
import { identity, type Row, receivedRows } from './rows.ts';
import { until } from './until.ts';

type Protocol = 'otlp_grpc' | 'otlp_http';

const resource = attributes({ 'service.name': 'interop', 'deployment.environment.name': 'tést', shard: 3n });
const collectMs = 50;
const exportMs = 200;

interface Path {
  readonly source: RecordedSource;
  readonly otelcol: Otelcol;
  readonly sink: OtlpSink;
  /** The source's rows that are in the sink. */
  rows(): Row[];
  /** Waits until the sink has a row of each series that was made after this call. */
  newRows(): Promise<void>;
}

/** agent -> stream -> collector -> reader -> real OpenTelemetry Collector -> sink. */
async function startPath(
  t: ExecutionContext,
  protocol: Protocol,
  compression: 'gzip' | 'none',
  temporality: Temporality,
): Promise<Path> {
  const { otelcol, sink } = await otelcolWithSink(t);
  const exporter = {
    headers: {},
    compression,
    timeoutMs: 2000,
    temporality,
    tls: {},
    ...(protocol === 'otlp_grpc'
      ? { kind: protocol, endpoint: `http://127.0.0.1:${otelcol.grpcPort}` }
      : { kind: protocol, endpoint: `http://127.0.0.1:${otelcol.httpPort}/v1/metrics` }),
  };
  const collector = new Collector(
    {
      ...collectorDefaults,
      grpc: { ...collectorDefaults.grpc, port: 0 },
      http: { ...collectorDefaults.http, port: 0 },
      admin: { ...collectorDefaults.admin, port: 0 },
      readers: [
        {
          kind: 'periodic',
          name: protocol,
          intervalMs: exportMs,
          timeoutMs: 2000,
          maxRequestBytes: 4 * 1024 * 1024,
          exporter,
        },
      ],
    },
    { log: silentLog },
  );
  await collector.start();
  t.teardown(() => collector.stop());
  // A counter counts from zero for a delta reader when it began after the collector; a slow Welcome makes it look older.
  const collectorBeganMs = performance.now();
  await until(
    () => performance.now() > collectorBeganMs + 1500,
    'the counters are clearly younger than the collector',
  );
  const source = new RecordedSource();
  const agent = new Agent(
    {
      ...agentDefaults,
      agentId: 'interop',
      resource,
      host: { ...agentDefaults.host, enabled: false },
      collector: {
        ...agentDefaults.collector,
        endpoint: `127.0.0.1:${collector.addresses.grpc.split(':')[1]}`,
      },
    },
    { log: silentLog, sources: [source.definition(collectMs)] },
  );
  await agent.start();
  t.teardown(() => agent.stop());
  const rows = (): Row[] => source.rowsOf(receivedRows(sink.requests));
  return {
    source,
    otelcol,
    sink,
    rows,
    newRows: async () => {
      const since = BigInt(Date.now()) * 1_000_000n;
      await sink.waitFor(
        () =>
          new Set(
            rows()
              .filter((row) => row.time > since)
              .map(identity),
          ).size === source.seriesCount,
        `newer points of all ${source.seriesCount} series`,
        30_000,
      );
    },
  };
}

/** Every row is what the source had set when the agent collected. */
function checkAgainstSource(t: ExecutionContext, { source, rows }: Path): void {
  const expectedResource = detectResource({ attributes: resource });
  for (const row of rows()) t.deepEqual(row, source.expected(row, expectedResource));
}

for (const protocol of ['otlp_grpc', 'otlp_http'] as const) {
  for (const compression of ['none', 'gzip'] as const) {
    test(`a real Collector gets what the agent read: ${protocol}, compression ${compression}`, async (t) => {
      const path = await startPath(t, protocol, compression, 'cumulative');
      await path.newRows();
      await path.newRows();
      t.true(path.source.steps >= 4);
      checkAgainstSource(t, path);
    });
  }

  test(`exports recover after a real Collector is killed, and cumulative values are right: ${protocol}`, async (t) => {
    const path = await startPath(t, protocol, 'gzip', 'cumulative');
    await path.newRows();
    await path.otelcol.kill();
    const killedAt = BigInt(Date.now()) * 1_000_000n;
    const steps = path.source.steps;
    await until(() => path.source.steps >= steps + 30, 'the agent collected 30 times during the outage');
    t.true(path.rows().every((row) => row.time <= killedAt));
    await path.otelcol.restart();
    await path.newRows();
    path.source.frozen = true;
    await path.newRows();
    checkAgainstSource(t, path);
    for (const row of lastOfEach(path.rows())) t.is(Number(row.value), path.source.lastValue(row));
  });

  test(`delta intervals survive a real Collector's death without a gap or an overlap: ${protocol}`, async (t) => {
    const path = await startPath(t, protocol, 'none', 'delta');
    await path.newRows();
    await path.otelcol.kill();
    const steps = path.source.steps;
    await until(() => path.source.steps >= steps + 30, 'the agent collected 30 times during the outage');
    await path.otelcol.restart();
    await path.newRows();
    path.source.frozen = true;
    // The first export after the freeze may have been collected while the agent's last change was on its way.
    await path.newRows();
    await path.newRows();
    const monotonic = path.rows().filter((row) => row.monotonic);
    for (const points of Map.groupBy(monotonic, identity).values()) {
      t.deepEqual([...new Set(points.map(({ temporality }) => temporality))], ['delta']);
      // The one retry whose first answer was lost repeats its interval and its value.
      const intervals = [...new Map(points.map((row) => [row.start, row])).values()];
      for (const row of points)
        t.deepEqual(row.value, intervals.find(({ start }) => start === row.start)?.value);
      for (const [i, row] of intervals.entries()) if (i > 0) t.is(row.start, intervals[i - 1].time);
      const total = intervals.reduce((sum, { value }) => sum + Number(value), 0);
      t.true(Math.abs(total - path.source.lastValue(points[0])) <= 1e-9 * total);
    }
  });
}

function lastOfEach(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [identity(row), row])).values()];
}
