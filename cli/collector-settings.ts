import {
  type CollectorConfig,
  directoryDefaults,
  type ListenerConfig,
  type StorageConfig,
} from '../collector/config/collector-config.ts';
import { refuseReaderLoops } from '../collector/config/reader-loops.ts';
import { isLoopback } from '../otel/config/addresses.ts';
import { ConfigError } from '../otel/config/config-error.ts';
import type { LogLevel } from '../otel/config/log-level.ts';
import type { MetricReaderConfig } from '../otel/config/metric-readers.ts';
import { type ServerTlsConfig, serverTlsDefaults } from '../otel/config/server-tls.ts';
import type { Environment } from '../otel/config/substitution.ts';
import { quoted } from '../otel/config/value-text.ts';
import { otlpReader } from './otlp-reader.ts';

/** The options that `collector` and `up` have in common. */
export interface CollectorFlags {
  readonly config?: string;
  readonly host?: string;
  readonly insecure?: boolean;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly clientCaFile?: string;
  readonly grpcPort?: number;
  readonly httpPort?: number;
  readonly adminPort?: number;
  readonly dataDir?: string;
  readonly memory?: boolean;
  readonly otlp?: string;
  readonly otlpInterval?: number;
  readonly logLevel?: LogLevel;
}

/** The configuration of the file, or without one of the environment, with what the command line says put over it. Throws ConfigError. */
export async function collectorSettings(
  flags: CollectorFlags,
  environment: Environment,
): Promise<CollectorConfig> {
  const base =
    flags.config === undefined
      ? (await import('../collector/config/environment.ts')).environmentConfig(environment)
      : await (await import('../collector/config/load.ts')).loadCollectorConfig(flags.config, environment);
  const tls = tlsFlags(flags);
  const address = {
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.insecure === undefined ? {} : { insecure: flags.insecure }),
    ...(tls === undefined ? {} : { tls }),
  };
  const readers = [...base.readers];
  if (flags.otlp !== undefined)
    readers.push(unique(otlpReader(flags.otlp, flags.otlpInterval ?? 10_000), readers));
  const config: CollectorConfig = {
    ...base,
    grpc: { ...base.grpc, ...address, port: flags.grpcPort ?? base.grpc.port },
    http: { ...base.http, ...address, port: flags.httpPort ?? base.http.port },
    admin: { ...base.admin, port: flags.adminPort ?? base.admin.port },
    readers,
    storage: storageOf(base.storage, flags),
    log: flags.logLevel === undefined ? base.log : { level: flags.logLevel },
  };
  const isSafe = ({ insecure, tls }: ListenerConfig) => insecure || tls !== undefined;
  if (flags.insecure === true && [config.grpc, config.http].some(({ tls }) => tls !== undefined))
    throw ConfigError.of('command line', 'allowed: without tls of grpc and http only', '--insecure');
  if (flags.host !== undefined && !isLoopback(flags.host) && !(isSafe(config.grpc) && isSafe(config.http))) {
    const message = `found ${quoted(flags.host)}, which other machines reach, and there is no TLS; allowed: a loopback address such as 127.0.0.1, --cert-file and --key-file with it, or --insecure`;
    throw ConfigError.of('command line', message, '--host');
  }
  const { grpc, http, admin } = config;
  refuseReaderLoops(readers, [
    { name: 'grpc', ...grpc },
    { name: 'http', ...http },
    { name: 'admin', ...admin },
  ]);
  return config;
}

/** Where the state is kept as the command line has it. */
function storageOf(base: StorageConfig, { dataDir, memory }: CollectorFlags): StorageConfig {
  if (memory === true && dataDir !== undefined)
    throw ConfigError.of('command line', 'allowed: one of them', '--memory and --data-dir');
  if (memory === true) return { kind: 'memory' };
  if (dataDir === undefined) return base;
  return { ...directoryDefaults, ...base, kind: 'directory', path: dataDir };
}

/** TLS of the gRPC and the HTTP port as the command line has it. */
function tlsFlags({ certFile, keyFile, clientCaFile }: CollectorFlags): ServerTlsConfig | undefined {
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw ConfigError.of('command line', 'allowed: both, or neither', '--cert-file and --key-file');
  return { ...serverTlsDefaults, certFile, keyFile, clientCaFile };
}

function unique(reader: MetricReaderConfig, others: readonly MetricReaderConfig[]): MetricReaderConfig {
  const taken = new Set(others.map(({ name }) => name));
  let { name } = reader;
  for (let number = 2; taken.has(name); number++) name = `${reader.name}/${number}`;
  return { ...reader, name };
}
