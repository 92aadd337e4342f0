import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';

export type SdkProtocol = 'grpc' | 'http/protobuf' | 'http/json';

export interface SdkSenderOptions {
  readonly protocol: SdkProtocol;
  readonly gzip: boolean;
  readonly temporality: 'cumulative' | 'delta';
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly resource: Readonly<Record<string, string | number | boolean | string[]>>;
}

/** A meter provider of the official SDK with its own OTLP exporter; it exports when it is told to (`forceFlush`). */
export function sdkSender(options: SdkSenderOptions): MeterProvider {
  const reader = new PeriodicExportingMetricReader({
    exporter: exporterFor(options),
    exportIntervalMillis: 3_600_000,
    exportTimeoutMillis: 10_000,
  });
  return new MeterProvider({ resource: resourceFromAttributes(options.resource), readers: [reader] });
}

function exporterFor({
  protocol,
  gzip,
  temporality,
  grpcPort,
  httpPort,
}: SdkSenderOptions): PushMetricExporter {
  const settings = {
    compression: gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    temporalityPreference:
      temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
  };
  if (protocol === 'grpc') {
    return new GrpcExporter({ ...settings, url: `http://127.0.0.1:${grpcPort}` });
  }
  const url = `http://127.0.0.1:${httpPort}/v1/metrics`;
  return protocol === 'http/json'
    ? new JsonExporter({ ...settings, url })
    : new ProtobufExporter({ ...settings, url });
}
