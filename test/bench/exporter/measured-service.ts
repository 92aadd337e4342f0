// One service of `npm run bench exporter`, in a process of its own: records, exports once a second, and tells its parent what that cost.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';

/** `none` collects and gives the points to nobody: what the SDK itself costs. */
export type ExporterKind = 'none' | 'otlp' | 'stream';

export interface ServiceTask {
  readonly kind: ExporterKind;
  readonly endpoint: string;
  readonly series: number;
  /** Of the series, at each export. */
  readonly changing: number;
  readonly exports: number;
  readonly intervalMs: number;
}

export interface ServiceResult {
  /** CPU of the process over all exports but the first, microseconds. */
  readonly cpuUs: number;
  /** After a collection of garbage. */
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** The sum of what was recorded. */
  readonly recorded: number;
}

async function exporterOf({ kind, endpoint }: ServiceTask): Promise<PushMetricExporter> {
  switch (kind) {
    case 'none': {
      const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
      exporter.export = (_, done) => done({ code: 0 });
      return exporter;
    }
    case 'otlp': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
      return new OTLPMetricExporter({ url: endpoint, compression: CompressionAlgorithm.GZIP });
    }
    case 'stream': {
      // Of the built package, as the other one: stripping types takes some 50 MB.
      const built = new URL('../../../dist/otel/index.js', import.meta.url).href;
      const { StreamMetricExporter } = (await import(built)) as typeof import('../../../otel/index.ts');
      return new StreamMetricExporter({ endpoint });
    }
  }
}

async function serve(task: ServiceTask): Promise<void> {
  const exporter = await exporterOf(task);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'bench', 'service.instance.id': task.kind }),
    readers: [
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: 3_600_000,
        cardinalityLimits: { default: 2 * task.series },
      }),
    ],
  });
  const counter = provider.getMeter('bench').createCounter('bench.requests');
  const attributes = Array.from({ length: task.series }, (_, i) => ({
    'http.request.method': ['GET', 'PUT', 'POST', 'DELETE'][i % 4]!,
    'http.response.status_code': 200 + (i % 5),
    'http.route': `/shops/{shop}/items/${Math.floor(i / 20)}`,
    'network.protocol.version': i % 2 === 0 ? '1.1' : '2',
    'server.address': `backend-${i}.shop.svc.cluster.local`,
    'server.port': 8080,
  }));
  let recorded = 0;
  const add = (i: number, value: number): void => {
    counter.add(value, attributes[i]!);
    recorded += value;
  };
  for (let i = 0; i < task.series; i++) add(i, 1 + (i % 900));
  await provider.forceFlush();
  process.send!('warm');
  await once(process, 'message');
  const before = process.cpuUsage();
  for (let round = 0; round < task.exports; round++) {
    await delay(task.intervalMs);
    // A tenth of them, spread out, another tenth at each export.
    for (let n = 0; n < task.changing; n++)
      add(
        (n * Math.floor(task.series / task.changing) + ((n * 7 + round * 3) % 10)) % task.series,
        1 + (n % 40),
      );
    await provider.forceFlush();
  }
  const { user, system } = process.cpuUsage(before);
  globalThis.gc!();
  const result: ServiceResult = {
    cpuUs: user + system,
    residentBytes: process.memoryUsage.rss(),
    heapBytes: process.memoryUsage().heapUsed,
    recorded,
  };
  process.send!(result);
  await once(process, 'message');
  await provider.shutdown();
  process.disconnect();
}

const [task] = (await once(process, 'message')) as [ServiceTask];
await serve(task);
