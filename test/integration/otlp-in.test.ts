import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import test, { type ExecutionContext } from 'ava';
import type { Collector } from '../../collector/collector.ts';
import { nextTurn } from '../../otel/turns.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import { otlpReader, startCollector, view } from './in-process.ts';

interface Way {
  readonly name: string;
  readonly exporter: (
    ports: { grpc: number; http: number },
    temporality: AggregationTemporality,
  ) => PushMetricExporter;
}

const gzip = CompressionAlgorithm.GZIP;
const ways: readonly Way[] = [
  {
    name: 'gRPC',
    exporter: ({ grpc }, temporalityPreference) =>
      new GrpcExporter({ url: `http://127.0.0.1:${grpc}`, temporalityPreference } as never),
  },
  {
    name: 'gRPC gzip',
    exporter: ({ grpc }, temporalityPreference) =>
      new GrpcExporter({
        url: `http://127.0.0.1:${grpc}`,
        temporalityPreference,
        compression: gzip,
      } as never),
  },
  {
    name: 'http/protobuf',
    exporter: ({ http }, temporalityPreference) =>
      new ProtoExporter({ url: `http://127.0.0.1:${http}/v1/metrics`, temporalityPreference } as never),
  },
  {
    name: 'http/protobuf gzip',
    exporter: ({ http }, temporalityPreference) =>
      new ProtoExporter({
        url: `http://127.0.0.1:${http}/v1/metrics`,
        temporalityPreference,
        compression: gzip,
      } as never),
  },
  {
    name: 'http/json',
    exporter: ({ http }, temporalityPreference) =>
      new JsonExporter({ url: `http://127.0.0.1:${http}/v1/metrics`, temporalityPreference } as never),
  },
];

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function portsOf({ addresses }: Collector): { grpc: number; http: number } {
  return { grpc: portOf(addresses.grpc), http: portOf(addresses.http) };
}

/** A service with an SDK that exports when it is told to. */
function startService(t: ExecutionContext, instance: string, exporter: PushMetricExporter) {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'shop',
      'service.namespace': 'test',
      'service.instance.id': instance,
    }),
    readers: [reader],
    views: [
      { instrumentName: 'size', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
      {
        instrumentName: 'took',
        aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [1, 10] } },
      },
    ],
  });
  t.teardown(() => provider.shutdown().catch(() => {}));
  const meter = provider.getMeter('library', '1.2');
  const jobs = meter.createCounter('jobs', { unit: '{job}', description: 'Jobs done.' });
  const open = meter.createUpDownCounter('open');
  const load = meter.createGauge('load');
  const took = meter.createHistogram('took', { unit: 's' });
  const size = meter.createHistogram('size', { unit: 'By' });
  return {
    async flush() {
      // The SDK's clock has milliseconds, and a point whose start is its own time is of unknown start.
      for (const before = Date.now(); Date.now() === before; ) await nextTurn();
      await reader.forceFlush();
    },
    /** The n-th round of work. */
    work(n: number) {
      jobs.add(n, { route: '/a' });
      jobs.add(2 * n, { route: '/b' });
      open.add(n % 2 === 0 ? -1 : 2);
      load.record(n / 4);
      took.record(n);
      size.record(2 ** n);
    },
  };
}

async function startAll(t: ExecutionContext): Promise<{ collector: Collector; sink: OtlpSink }> {
  const sink = await startGrpcSink();
  t.teardown(() => sink.stop());
  const merged = ['jobs', 'open', 'took', 'size'].map((name) =>
    view(name, { name: `fleet.${name}`, resourceKeys: ['service.name'] }),
  );
  const collector = await startCollector(t, {
    readers: [otlpReader('otlp_grpc', sink, { intervalMs: 100 })],
    otlp: {
      maxRequestBytes: 1024 * 1024,
      maxPoints: 1000,
      maxSeries: 1000,
      overlap: 'drop',
      delayMarginMs: 0,
      cors: { allowedOrigins: ['https://*.example.com'], allowedHeaders: [], maxAgeMs: 60_000 },
    },
    views: [...merged, view('load', {})],
  });
  return { collector, sink };
}

function counted(sink: OtlpSink, name: string): number {
  return (newest(sink, name)?.value as { count: number } | undefined)?.count ?? 0;
}

function value(sink: OtlpSink, name: string, route?: string): number {
  return Number(newest(sink, name, route)?.value);
}

function newest(sink: OtlpSink, name: string, route?: string) {
  return sink.points.filter((point) => point.name === name && point.attributes.route === route).at(-1);
}

for (const temporality of [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
  test(`services with the official SDK, each another way in, make fleet-wide instruments: ${AggregationTemporality[temporality]}`, async (t) => {
    const { collector, sink } = await startAll(t);
    const services = ways.map(({ exporter }, i) =>
      startService(t, `${i}`, exporter(portsOf(collector), temporality)),
    );
    for (let n = 1; n <= 3; n++) {
      for (const service of services) service.work(n);
      for (const service of services) await service.flush();
    }
    const count = ways.length;
    await sink.waitFor(
      (s) => value(s, 'fleet.jobs', '/b') === 12 * count && counted(s, 'fleet.size') === 3 * count,
      'all jobs and sizes',
    );
    t.is(value(sink, 'fleet.jobs', '/a'), 6 * count);
    t.like(newest(sink, 'fleet.jobs', '/a'), { monotonic: true, unit: '{job}', scope: 'library' });
    t.is(value(sink, 'fleet.open'), 3 * count);
    t.like(newest(sink, 'fleet.took')!.value, {
      count: 3 * count,
      sum: 6 * count,
      bucketCounts: [count, 2 * count, 0],
    });
    t.is((newest(sink, 'fleet.size')!.value as { sum: number }).sum, 14 * count);
    const loads = sink.points.filter(({ name, value }) => name === 'load' && value === 0.75);
    t.is(new Set(loads.map(({ resource }) => resource['service.instance.id'])).size, count);
    t.is(collector.figures().points, 3 * 6 * count);
  });

/** A relay of HTTP requests that hands each one on, and of the ones that it is told to gives an answer of its own in place of the collector's. */
async function startRelay(t: ExecutionContext, port: number, isLost: (request: number) => boolean) {
  let requests = 0;
  const server = createServer((request, response) => {
    const number = requests++;
    const onward = forward(
      { host: '127.0.0.1', port, path: request.url, method: request.method, headers: request.headers },
      (answer) => {
        if (isLost(number)) {
          answer.resume();
          answer.once('end', () => response.writeHead(503, { 'retry-after': '0' }).end());
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

for (const temporality of [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
  test(`answers that are lost make requests come again, and nothing counts twice: ${AggregationTemporality[temporality]}`, async (t) => {
    const { collector, sink } = await startAll(t);
    const ports = portsOf(collector);
    const relay = await startRelay(t, ports.http, (request) => request === 0 || request === 2);
    const service = startService(t, 'again', ways[2]!.exporter({ ...ports, http: relay.port }, temporality));
    for (let n = 1; n <= 2; n++) {
      service.work(n);
      await service.flush();
    }
    t.is(relay.requests(), 4);
    await sink.waitFor((s) => value(s, 'fleet.jobs', '/b') === 6, 'all jobs, once');
    t.is(value(sink, 'fleet.jobs', '/a'), 3);
    t.like(newest(sink, 'fleet.took')!.value, { count: 2, sum: 3 });
    t.is(collector.figures().points, 4 * 6);
  });
