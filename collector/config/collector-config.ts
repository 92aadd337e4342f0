import type { LogLevel } from '../../otel/config/log-level.ts';
import type { MetricReaderConfig } from '../../otel/config/metric-readers.ts';
import type { ViewConfig } from '../../otel/config/metric-views.ts';
import type { ServerTlsConfig } from '../../otel/config/server-tls.ts';
import { emptyResource, type Resource } from '../../otel/model/resource.ts';
import type { SyncPolicy } from '../journal/sync-policy.ts';
import { type AuthConfig, authDefaults } from './auth-config.ts';
import { type GrpcPortLimits, grpcPortLimits, type HttpLimits, httpLimits } from './limits-config.ts';
import { type OtlpConfig, otlpDefaults } from './otlp-config.ts';

// What a collector's configuration comes to. Times are milliseconds, sizes bytes.

/** An address to listen on. One that other machines reach needs `tls` or `insecure`. */
export interface ListenerConfig {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly insecure: boolean;
  /** `undefined`: no TLS. */
  readonly tls?: ServerTlsConfig | undefined;
}

/** What one agent's stream, or all of them, may use. */
export interface StreamLimits {
  /** One message, uncompressed. */
  readonly maxMessageBytes: number;
  /** Series of one stream that are defined at one time. */
  readonly maxSeries: number;
  /** Attributes of a series or resource. */
  readonly maxAttributes: number;
  /** Bytes of one attribute's key, and of its value. */
  readonly maxAttributeBytes: number;
  /** Streams at one time. */
  readonly maxStreams: number;
  /** Members whose state is held, with a stream or without. */
  readonly maxMembers: number;
}

export interface GrpcConfig extends ListenerConfig {
  /** Whether gRPC server reflection is served. */
  readonly reflection: boolean;
  readonly limits: StreamLimits;
  readonly portLimits: GrpcPortLimits;
  /** A ping after so long without data, and so long for its answer. */
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Connections are asked to move on after about so long, and ended after the grace; `undefined`: they stay. */
  readonly maxConnectionAgeMs: number | undefined;
  readonly maxConnectionAgeGraceMs: number;
}

export interface HttpConfig extends ListenerConfig {
  readonly limits: HttpLimits;
  /** Names and addresses that the Host header may hold; none: any, but on loopback only those of this machine. */
  readonly allowedHosts: readonly string[];
}

/** Where the state is kept. */
export type StorageConfig =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'directory';
      /** `undefined`: the usual place, which {@link stateDirectoryPath} tells. */
      readonly path: string | undefined;
      readonly sync: SyncPolicy;
      /** How long a commit waits for more, milliseconds. */
      readonly gatherMs: number;
    };

/** What the command line keeps its state in unless it is told otherwise. */
export const directoryDefaults: Extract<StorageConfig, { kind: 'directory' }> = {
  kind: 'directory',
  path: undefined,
  sync: { mode: 'always' },
  gatherMs: 0,
};

export interface CollectorConfig {
  readonly grpc: GrpcConfig;
  readonly http: HttpConfig;
  readonly admin: HttpConfig;
  /** Metrics of services. */
  readonly otlp: OtlpConfig;
  /** Who may come in. */
  readonly auth: AuthConfig;
  readonly readers: readonly MetricReaderConfig[];
  /** In the order of the file; a metric that none selects passes. */
  readonly views: readonly ViewConfig[];
  /** What was configured of the collector's own resource. */
  readonly resource: Resource;
  /** A series silent for so long leaves gauges and up-down sums. */
  readonly stalenessMs: number;
  /** A member silent for so long is freed. */
  readonly evictionMs: number;
  /** A point of an output whose series are all gone stays for so long. */
  readonly outputExpiryMs: number;
  readonly storage: StorageConfig;
  readonly log: { readonly level: LogLevel };
  /** The deadline of a drain at SIGTERM and SIGINT. */
  readonly shutdownTimeoutMs: number;
}

/** The configuration without a file and without environment variables. */
export const collectorDefaults: CollectorConfig = {
  grpc: {
    host: '127.0.0.1',
    port: 4317,
    insecure: false,
    tls: undefined,
    reflection: true,
    limits: {
      maxMessageBytes: 4 * 1024 * 1024,
      maxSeries: 100_000,
      maxAttributes: 128,
      maxAttributeBytes: 4096,
      maxStreams: 10_000,
      maxMembers: 100_000,
    },
    portLimits: grpcPortLimits,
    keepaliveTimeMs: 30_000,
    keepaliveTimeoutMs: 10_000,
    maxConnectionAgeMs: undefined,
    maxConnectionAgeGraceMs: 30_000,
  },
  http: {
    host: '127.0.0.1',
    port: 4318,
    insecure: false,
    tls: undefined,
    limits: httpLimits,
    allowedHosts: [],
  },
  admin: {
    host: '127.0.0.1',
    port: 4319,
    insecure: false,
    tls: undefined,
    limits: httpLimits,
    allowedHosts: [],
  },
  otlp: otlpDefaults,
  auth: authDefaults,
  readers: [],
  views: [],
  resource: emptyResource,
  stalenessMs: 300_000,
  evictionMs: 86_400_000,
  outputExpiryMs: 86_400_000,
  storage: { kind: 'memory' },
  log: { level: 'info' },
  shutdownTimeoutMs: 10_000,
};
