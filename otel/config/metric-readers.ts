import type { QueueLimits } from '../export/queue-limits.ts';
import type { Temporality } from '../model/metric.ts';
import type { ServerTlsConfig } from './server-tls.ts';

// What a file's `meter_provider.readers`, or the environment, comes to. Times are milliseconds, sizes bytes.

export type MetricReaderConfig = PeriodicReaderConfig | PrometheusReaderConfig;

/** Collects at an interval and hands what it collected to a push exporter. */
export interface PeriodicReaderConfig {
  readonly kind: 'periodic';
  /** For logs, status and the collector's own metrics, unique among the readers: `otlp_grpc`, `otlp_http/2`. */
  readonly name: string;
  readonly intervalMs: number;
  /** When to export first, counted from the start; without it, after one interval. */
  readonly firstAfterMs?: number | undefined;
  /** How long one export of the newest state goes on retrying. At most the interval. */
  readonly timeoutMs: number;
  /** A request is split so that none is larger, before compression. */
  readonly maxRequestBytes: number;
  /** What may wait for the backend; without it the defaults for the temporality. */
  readonly queue?: QueueLimits | undefined;
  readonly exporter: PushExporterConfig;
}

export type PushExporterConfig = OtlpGrpcExporterConfig | OtlpHttpExporterConfig | ConsoleExporterConfig;

interface OtlpExporterConfig {
  /** By lower-case name. Values may be secret: never log them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none';
  /** One attempt. */
  readonly timeoutMs: number;
  readonly temporality: Temporality;
  readonly tls: TlsFiles;
}

export interface OtlpGrpcExporterConfig extends OtlpExporterConfig {
  readonly kind: 'otlp_grpc';
  /** `http://HOST:PORT` (no TLS) or `https://HOST:PORT`; the port is always given. */
  readonly endpoint: string;
}

export interface OtlpHttpExporterConfig extends OtlpExporterConfig {
  readonly kind: 'otlp_http';
  /** The whole URL that is posted to. */
  readonly endpoint: string;
}

export interface ConsoleExporterConfig {
  readonly kind: 'console';
  readonly temporality: Temporality;
}

/** Files in PEM format. Without `caFile` the system's certificates hold. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly certFile?: string | undefined;
}

/** Serves what is collected, at each scrape, at `http://HOST:PORT/metrics`. */
export interface PrometheusReaderConfig {
  readonly kind: 'prometheus';
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `undefined`: no TLS. */
  readonly tls?: ServerTlsConfig | undefined;
}

/** OpenTelemetry's defaults, and ours where it has none. */
export const readerDefaults = {
  intervalMs: 60_000,
  timeoutMs: 30_000,
  exporterTimeoutMs: 10_000,
  maxRequestBytes: 3.5 * 1024 * 1024,
  grpcEndpoint: 'http://localhost:4317',
  httpEndpoint: 'http://localhost:4318/v1/metrics',
  prometheusHost: 'localhost',
  prometheusPort: 9464,
} as const;

/** Gives each reader a name of its own: its exporter's, with a number from the second of a kind on. */
export function readerNames(kinds: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return kinds.map((kind) => {
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    return count === 1 ? kind : `${kind}/${count}`;
  });
}
