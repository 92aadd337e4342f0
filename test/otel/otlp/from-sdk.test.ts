import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { type CollectionResult, MetricReader } from '@opentelemetry/sdk-metrics';
import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { attributesFromSdk, collectionFromSdk } from '../../../otel/otlp/from-sdk.ts';
import { PointBatch } from '../../../otel/state/point-batch.ts';
import { knownColumns, recordEveryKind, recordedRows } from '../../proto/sdk-metrics.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { receivedPoints } from '../../sinks/received-points.ts';

class ManualReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

async function collectOnce(): Promise<{
  collect(): Promise<CollectionResult>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const reader = new ManualReader();
  const provider = recordEveryKind(reader);
  return { collect: () => reader.collect(), [Symbol.asyncDispose]: () => provider.shutdown() };
}

test("the SDK's metrics leave as they were recorded", async (t) => {
  await using sdk = await collectOnce();
  const { resourceMetrics } = await sdk.collect();
  const collection = collectionFromSdk(resourceMetrics, 1);
  const rows = receivedPoints([...encodeRequests(collection)].map(({ bytes }) => decodeExportRequest(bytes)));
  t.deepEqual(knownColumns(rows), recordedRows);
  const sdkMetric = resourceMetrics.scopeMetrics[0]!.metrics.find(
    ({ descriptor }) => descriptor.name === rows[0]!.name,
  );
  const [first] = sdkMetric!.dataPoints;
  const micro = ([s, ns]: [number, number]): bigint => BigInt(s) * 1_000_000n + BigInt(Math.round(ns / 1000));
  t.is((rows[0]!.start + 500n) / 1000n, micro(first!.startTime as [number, number]));
  t.is((rows[0]!.time + 500n) / 1000n, micro(first!.endTime as [number, number]));
  t.deepEqual([rows[0]!.scope, rows[0]!.temporality], ['checkout', 'cumulative']);
});

test("our bytes of the SDK's metrics say what its own serializer's say, exponential histograms too", async (t) => {
  await using sdk = await collectOnce();
  for (let round = 0; round < 2; round++) {
    const { resourceMetrics } = await sdk.collect();
    const [request] = [...encodeRequests(collectionFromSdk(resourceMetrics, 1))];
    const ours = receivedPoints([decodeExportRequest(request!.bytes)]);
    const theirs = receivedPoints([
      decodeExportRequest(ProtobufMetricsSerializer.serializeRequest(resourceMetrics)!),
    ]);
    t.true(ours.some(({ kind }) => kind === 'exponential_histogram'));
    const timeless = (rows: typeof ours) => rows.map((row) => ({ ...row, start: 0n, time: 0n }));
    t.deepEqual(timeless(ours), timeless(theirs));
    for (const [i, row] of ours.entries()) {
      const apart = [row.start - theirs[i]!.start, row.time - theirs[i]!.time];
      t.true(
        apart.every((ns) => ns > -1000n && ns < 1000n),
        `${apart}`,
      );
    }
  }
});

test("a series' attributes are encoded once for all collections", async (t) => {
  await using sdk = await collectOnce();
  const series: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const batch = new PointBatch();
    const { resourceMetrics } = await sdk.collect();
    const collection = collectionFromSdk(resourceMetrics, 1);
    for (const { scopes } of collection.resources) scopes[0]!.streams[0]!.read(batch, 0);
    series.push(batch.seriesAttributes[0]);
  }
  t.is(series[0], series[1]);
});

test('attributes keep their types: whole numbers are ints, as in the exporters of the SDK', (t) => {
  t.deepEqual(
    attributesFromSdk({ text: 'x', flag: true, whole: 3, part: 0.5, list: [1, 2], absent: undefined }),
    attributes({ text: 'x', flag: true, whole: 3n, part: 0.5, list: [1n, 2n] }),
  );
});
