import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { attributes } from '../../otel/model/attributes.ts';
import { metric } from '../../otel/model/metric.ts';
import { emptyResource } from '../../otel/model/resource.ts';
import { emptyScope } from '../../otel/model/scope.ts';
import { encodeRequests } from '../../otel/otlp/encode-requests.ts';
import { RequestBuffers } from '../../otel/otlp/request-buffers.ts';
import {
  type Collection,
  noMore,
  type PointBatch,
  placesPerRead,
  type SeriesAttributes,
} from '../../otel/state/point-batch.ts';
import { decodeExportRequest } from '../sinks/export-request.ts';

class ManualReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/** The six attributes of a series. */
export function sixAttributes(i: number): Record<string, string> {
  return {
    'http.request.method': ['GET', 'POST', 'PUT'][i % 3]!,
    'http.response.status_code': String(200 + (i % 7)),
    'http.route': `/v1/items/${i % 1000}`,
    'network.protocol.version': '1.1',
    'server.address': `server-${i}.example.net`,
    'url.scheme': 'https',
  };
}

/** One cumulative sum of ints with so many series of six attributes, values `i + round`. */
function manySums(series: number): { collection: Collection; next(): void } {
  const seriesAttributes: SeriesAttributes[] = [];
  for (let i = 0; i < series; i++)
    seriesAttributes.push({
      attributes: attributes(sixAttributes(i)),
      otlpNumber: undefined,
      otlpHistogram: undefined,
    });
  let round = 0;
  const read = (batch: PointBatch, from: number): number => {
    const size = Math.min(placesPerRead, series - from);
    batch.reset(size);
    batch.size = size;
    for (let i = 0; i < size; i++) batch.seriesAttributes[i] = seriesAttributes[from + i]!;
    batch.startTimeUs.fill(1_790_000_000_000_001, 0, size);
    batch.timeUs.fill(1_790_000_060_000_001 + round, 0, size);
    for (let i = 0; i < size; i++) batch.values[i] = from + i + round;
    batch.flags.fill(0, 0, size);
    return from + size < series ? from + size : noMore;
  };
  const description = metric({
    name: 'http.server.requests',
    unit: '{request}',
    kind: 'sum',
    isMonotonic: true,
    valueType: 'int',
  });
  const streams = [{ metric: description, temporality: 'cumulative' as const, read }];
  return {
    collection: {
      timeUs: 0,
      resources: [{ resource: emptyResource, scopes: [{ scope: emptyScope, streams }] }],
    },
    next: () => {
      round++;
    },
  };
}

export function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}

/**
 * Encoding of many cumulative sums of six attributes, beside the OpenTelemetry SDK's own serializer in the same run.
 * `args[0]`: how many series, default 100,000. Checks that what was encoded decodes to the sum of the values.
 */
export async function run(args: string[]): Promise<Record<string, number>> {
  const series = Number(args[0] ?? 100_000);
  if (!Number.isInteger(series) || series < 1)
    throw new RangeError(`series is ${args[0]}: give a whole number from 1`);
  const { collection, next } = manySums(series);
  const times: number[] = [];
  let requests = [...encodeRequests(collection)];
  const fresh = manySums(series);
  const firstFrom = performance.now();
  const cold = [...encodeRequests(fresh.collection)];
  const firstMs = performance.now() - firstFrom;
  for (let round = 1; round <= 15; round++) {
    next();
    const from = performance.now();
    requests = [...encodeRequests(collection)];
    times.push(performance.now() - from);
  }
  // As a reader does it: in the memory of requests that have been sent.
  const reusedTimes: number[] = [];
  const buffers = new RequestBuffers();
  for (let round = 0; round < 15; round++) {
    const from = performance.now();
    for (const { release } of encodeRequests(collection, { buffers })) release?.();
    reusedTimes.push(performance.now() - from);
  }
  checkSums(requests, series, 15);
  checkSums(cold, series, 0);

  const sdk = await sdkTimes(series);

  const bytes = requests.reduce((sum, request) => sum + request.bytes.length, 0);
  const figures = {
    series,
    requests: requests.length,
    bytes,
    encodeMs: median(times),
    // On a machine that others use too, the fastest round is nearest to what the work costs.
    encodeMinMs: Math.min(...times),
    encodeReusedMs: median(reusedTimes),
    firstEncodeMs: firstMs,
    nsPerPoint: (median(times) * 1e6) / series,
    sdkCollectMs: sdk.collectMs,
    sdkSerializeMs: sdk.serializeMs,
    sdkBytes: sdk.bytes,
  };
  console.table(figures);
  return figures;
}

/** How long the OpenTelemetry SDK takes for as many cumulative sums of six attributes: medians of five rounds, and the fastest of them. */
export async function sdkTimes(
  series: number,
): Promise<{ collectMs: number; serializeMs: number; fastestMs: number; bytes: number }> {
  const reader = new ManualReader();
  const provider = new MeterProvider({
    readers: [reader],
    views: [{ instrumentName: '*', aggregationCardinalityLimit: series + 1 }],
  });
  const counter = provider.getMeter('bench').createCounter('http.server.requests');
  for (let i = 0; i < series; i++) counter.add(i, sixAttributes(i));
  const collect: number[] = [];
  const serialize: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 5; round++) {
    const from = performance.now();
    const { resourceMetrics } = await reader.collect();
    const collected = performance.now();
    bytes = ProtobufMetricsSerializer.serializeRequest(resourceMetrics)?.length ?? 0;
    collect.push(collected - from);
    serialize.push(performance.now() - collected);
  }
  await provider.shutdown();
  const fastestMs = Math.min(...collect.map((ms, round) => ms + serialize[round]!));
  return { collectMs: median(collect), serializeMs: median(serialize), fastestMs, bytes };
}

/** @throws Error unless the requests decode to so many points of six attributes, with the values `i + round` */
export function checkSums(
  requests: readonly { bytes: Uint8Array; points: number }[],
  series: number,
  round: number,
): void {
  let points = 0;
  let sum = 0;
  for (const { bytes } of requests) {
    for (const { scopeMetrics } of decodeExportRequest(bytes).resourceMetrics) {
      for (const { metrics } of scopeMetrics) {
        for (const { sum: data } of metrics) {
          for (const point of data?.dataPoints ?? []) {
            points++;
            sum += Number(point.asInt);
            if (point.attributes.length !== 6)
              throw new Error(`a point has ${point.attributes.length} attributes instead of 6`);
          }
        }
      }
    }
  }
  const expected = (series * (series - 1)) / 2 + series * round;
  if (points !== series || sum !== expected)
    throw new Error(`decoded ${points} points with sum ${sum}; ${series} with sum ${expected} were encoded`);
}
