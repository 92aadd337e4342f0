import { ConfigError } from '../otel/config/config-error.ts';
import {
  type MetricReaderConfig,
  type PushExporterConfig,
  readerDefaults,
} from '../otel/config/metric-readers.ts';
import { grpcEndpoint, httpEndpoint } from '../otel/config/otlp-endpoint.ts';
import { quoted } from '../otel/config/value-text.ts';

const allowed =
  'allowed: http://HOST:4318 or https://… for OTLP over HTTP, grpc://HOST:4317 or grpcs://… for OTLP over gRPC';

const firstAfterMs = 1500;

/** The reader that `--otlp URL` adds. Throws ConfigError for a URL that says neither HTTP nor gRPC. */
export function otlpReader(url: string, intervalMs: number): MetricReaderConfig {
  return {
    kind: 'periodic',
    name: 'otlp',
    intervalMs,
    // Soon, so that who has just typed the URL sees at the backend that it works.
    firstAfterMs: Math.min(firstAfterMs, intervalMs),
    timeoutMs: Math.min(readerDefaults.timeoutMs, intervalMs),
    maxRequestBytes: readerDefaults.maxRequestBytes,
    exporter: exporter(url),
  };
}

function exporter(url: string): PushExporterConfig {
  const common = {
    headers: {},
    compression: 'gzip',
    timeoutMs: readerDefaults.exporterTimeoutMs,
    temporality: 'cumulative',
    tls: {},
  } as const;
  const isGrpc = /^grpcs?:\/\//i.test(url);
  const endpoint = isGrpc ? grpcEndpoint(url, false) : httpEndpoint(url);
  if ('problem' in endpoint) {
    throw ConfigError.of('command line', `found ${quoted(url)}; ${allowed}`, '--otlp');
  }
  return { kind: isGrpc ? 'otlp_grpc' : 'otlp_http', endpoint: endpoint.url, ...common };
}
