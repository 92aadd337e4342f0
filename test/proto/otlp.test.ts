import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import test, { type ExecutionContext } from 'ava';
import type { OtlpExportRequest } from '../sinks/export-request.ts';
import { decodeExportRequest, exportMethod } from '../sinks/export-request.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { type ReceivedExponentialHistogram, receivedPoints } from '../sinks/received-points.ts';
import { knownColumns, recordEveryKind, recordedRows } from './sdk-metrics.ts';

async function exportOnce(exporter: PushMetricExporter): Promise<void> {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = recordEveryKind(reader);
  await provider.forceFlush();
  await provider.shutdown();
}

function compare(t: ExecutionContext, request: OtlpExportRequest): void {
  const rows = receivedPoints([request]);
  t.deepEqual(knownColumns(rows), recordedRows);
  for (const row of rows) {
    t.deepEqual(row.resource, {
      'service.name': 'shop',
      'process.pid': 4711n,
      'process.command_args': ['node', 'main.js'],
    });
    t.is(row.scope, 'checkout');
    t.is(row.temporality, row.kind === 'gauge' ? undefined : 'cumulative');
    const nowMs = Date.now();
    t.true(Math.abs(Number(row.time / 1_000_000n) - nowMs) < 60_000, `time ${row.time}`);
    t.true(Math.abs(Number(row.start / 1_000_000n) - nowMs) < 60_000, `start ${row.start}`);
  }
  t.is(rows.find(({ name }) => name === 'requests')!.description, 'Requests');
  const { scope, schemaUrl } = request.resourceMetrics[0]!.scopeMetrics[0]!;
  t.deepEqual([scope!.version, schemaUrl], ['1.2.3', 'https://example.net/schema']);

  const exponential = rows.find(({ kind }) => kind === 'exponential_histogram');
  const value = exponential?.value as ReceivedExponentialHistogram;
  t.deepEqual([value.count, value.zeroCount, value.sum, value.min, value.max], [5, 1, 565, 0, 500]);
  const base = 2 ** (2 ** -value.scale);
  const { offset, counts } = value.positive;
  for (const recorded of [5, 10, 50, 500]) {
    const bucket = counts.findIndex(
      (count, i) =>
        count !== 0 && base ** (offset + i) < recorded && recorded <= base ** (offset + i + 1) * (1 + 1e-9),
    );
    t.not(bucket, -1, `${recorded} is in no bucket`);
  }
  t.is(
    counts.reduce((sum, count) => sum + count, 0),
    4,
  );
}

test('the definitions read what the SDK sends over gRPC', async (t) => {
  await using sink = await startGrpcSink();
  await exportOnce(new GrpcExporter({ url: sink.url }));
  compare(t, sink.attempts[0]!.request);
});

test('the definitions read what the SDK sends over HTTP as protobuf, with gzip', async (t) => {
  await using sink = await startHttpSink();
  await exportOnce(new ProtoExporter({ url: `${sink.url}/v1/metrics`, compression: 'gzip' as never }));
  t.is(sink.attempts[0]?.headers['content-encoding'], 'gzip');
  compare(t, sink.attempts[0]!.request);
});

test('the sink reads what the SDK sends over HTTP as JSON', async (t) => {
  await using sink = await startHttpSink();
  await exportOnce(new JsonExporter({ url: `${sink.url}/v1/metrics` }));
  t.is(sink.attempts[0]?.headers['content-type'], 'application/json');
  compare(t, sink.attempts[0]!.request);
});

test('the definitions keep summaries, exemplars and flags', (t) => {
  const point = { attributes: [], startTimeUnixNano: '1', timeUnixNano: '18446744073709551615', flags: 1 };
  const exemplar = {
    filteredAttributes: [],
    timeUnixNano: '5',
    asInt: '-9',
    spanId: Buffer.alloc(8, 1),
    traceId: Buffer.alloc(16, 2),
  };
  const request = {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              {
                name: 's',
                summary: {
                  dataPoints: [
                    { ...point, count: '2', sum: 3.5, quantileValues: [{ quantile: 0.5, value: 1 }] },
                  ],
                },
              },
              {
                name: 'g',
                gauge: { dataPoints: [{ ...point, asInt: '-9007199254740993', exemplars: [exemplar] }] },
              },
            ],
          },
        ],
      },
    ],
  };
  const decoded = decodeExportRequest(exportMethod().requestSerialize(request));
  const [summary, gauge] = decoded.resourceMetrics[0]!.scopeMetrics[0]!.metrics;
  t.like(summary!.summary!.dataPoints[0], {
    ...point,
    count: '2',
    sum: 3.5,
    quantileValues: [{ quantile: 0.5, value: 1 }],
  });
  t.like(gauge!.gauge!.dataPoints[0], { ...point, asInt: '-9007199254740993' });
  const [received] = (gauge!.gauge!.dataPoints[0] as unknown as { exemplars: (typeof exemplar)[] }).exemplars;
  t.like(received, { asInt: '-9', timeUnixNano: '5' });
  t.deepEqual([received!.spanId, received!.traceId], [exemplar.spanId, exemplar.traceId]);
});
