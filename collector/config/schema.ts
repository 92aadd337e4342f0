import { z } from 'zod';
import { bareHost, hostPort, isHost, isLoopback } from '../../otel/config/addresses.ts';
import {
  bytes,
  bytesText,
  duration,
  durationText,
  nullAsEmpty,
  optional,
  port,
  section,
  unsupported,
  withDefault,
} from '../../otel/config/fields.ts';
import { fileFormat, unsupportedTopLevel } from '../../otel/config/file-format.ts';
import type { CrossCheck } from '../../otel/config/load-config.ts';
import { logLevels } from '../../otel/config/log-level.ts';
import { metricReaders } from '../../otel/config/metric-readers-schema.ts';
import { metricViews } from '../../otel/config/metric-views-schema.ts';
import { resource } from '../../otel/config/resource-schema.ts';
import { serverTls } from '../../otel/config/server-tls-schema.ts';
import { checkAuth } from './auth-check.ts';
import { auth, authConfig } from './auth-schema.ts';
import {
  type CollectorConfig,
  collectorDefaults as defaults,
  directoryDefaults,
  type HttpConfig,
  type StorageConfig,
} from './collector-config.ts';
import { grpcLimitKeys, grpcPortLimitsOf, httpLimitKeys, httpLimitsOf } from './limits-schema.ts';
import { otlp, otlpConfig } from './otlp-schema.ts';
import { readerLoops } from './reader-loops.ts';

const host = z
  .string()
  .refine(isHost, { abort: true })
  .transform(bareHost)
  .meta({ allowed: 'an IP address or a host name, without a port' });

function listenerKeys(values: { host: string; port: number; insecure: boolean }, what: string) {
  return {
    host: withDefault(host, values.host).describe(`The address ${what} listens on.`),
    port: withDefault(port(), values.port).describe(`The port ${what} listens on; 0 picks a free one.`),
    insecure: withDefault(z.boolean(), values.insecure).describe(
      'Must be true to listen, without TLS, on an address that other machines reach.',
    ),
    tls: serverTls,
  };
}

function listener<T extends z.ZodType<{ host: string; insecure: boolean; tls?: unknown }>>(schema: T): T {
  return schema.superRefine((value, context) => {
    if (value.insecure && value.tls !== undefined) {
      const message = 'allowed: false, or no tls beside it: there is TLS or there is none';
      context.addIssue({ code: 'custom', path: ['insecure'], message });
    }
    if (value.insecure || value.tls !== undefined || isLoopback(value.host)) return;
    const message =
      'other machines reach this address, and there is no TLS; allowed: tls with cert_file and key_file beside it, a loopback address such as 127.0.0.1, or insecure: true';
    context.addIssue({ code: 'custom', path: ['host'], message });
  });
}

const { limits } = defaults.grpc;
const syncModes = ['always', 'interval', 'never'] as const;

const grpc = listener(
  section({
    ...listenerKeys(defaults.grpc, 'the gRPC server'),
    reflection: withDefault(z.boolean(), defaults.grpc.reflection).describe(
      'Whether clients may ask which services there are (gRPC server reflection).',
    ),
    limits: section({
      max_message_bytes: withDefault(bytes(64 * 1024, 64 * 1024 * 1024), limits.maxMessageBytes)
        .describe('One message, uncompressed.')
        .meta({ defaultText: bytesText(limits.maxMessageBytes) }),
      max_series: withDefault(z.int().min(1).max(10_000_000), limits.maxSeries).describe(
        'Series of one stream that are defined at one time.',
      ),
      max_attributes: withDefault(z.int().min(1).max(10_000), limits.maxAttributes).describe(
        'Attributes of a series or resource.',
      ),
      max_attribute_bytes: withDefault(bytes(16, 1024 * 1024), limits.maxAttributeBytes)
        .describe("Bytes of one attribute's key, and of its value.")
        .meta({ defaultText: bytesText(limits.maxAttributeBytes) }),
      max_members: withDefault(z.int().min(1).max(10_000_000), limits.maxMembers).describe(
        'Members whose state is held; above it those without a stream that have been silent longest are freed.',
      ),
      max_streams: withDefault(z.int().min(1).max(1_000_000), limits.maxStreams).describe(
        'Streams at one time.',
      ),
      ...grpcLimitKeys,
    }).describe('What agents may use. Over a limit the sender gets a refusal, and everybody else goes on.'),
    keepalive_time: withDefault(duration(1000), defaults.grpc.keepaliveTimeMs)
      .describe('A ping is sent after so long without data.')
      .meta({ defaultText: durationText(defaults.grpc.keepaliveTimeMs) }),
    keepalive_timeout: withDefault(duration(100), defaults.grpc.keepaliveTimeoutMs)
      .describe('A connection whose ping is not answered for so long is ended.')
      .meta({ defaultText: durationText(defaults.grpc.keepaliveTimeoutMs) }),
    max_connection_age: optional(duration(1000))
      .describe(
        'Connections are asked to move on when they are about so old (a tenth more or less), so that load balancers can spread them anew. Agents report all they have first.',
      )
      .meta({ defaultText: 'none: they stay' }),
    max_connection_age_grace: withDefault(duration(100), defaults.grpc.maxConnectionAgeGraceMs)
      .describe('How long a connection that was asked to move on may take.')
      .meta({ defaultText: durationText(defaults.grpc.maxConnectionAgeGraceMs) }),
  }),
).describe('The port that agents stream to, with gRPC health checks.');

const allowedHost = z
  .string()
  .refine(isHost, { abort: true })
  .transform((name) => bareHost(name).toLowerCase());

function httpListener(values: HttpConfig, what: string) {
  return listener(
    section({
      ...listenerKeys(values, what),
      allowed_hosts: withDefault(z.array(allowedHost).max(1000), [...values.allowedHosts])
        .describe(
          'Names and addresses that requests may be for (their Host header). On a loopback address localhost is always among them.',
        )
        .meta({
          allowed: 'a list of host names and IP addresses, without ports',
          defaultText: 'any; on a loopback address localhost only',
        }),
      limits: section(httpLimitKeys).describe(
        'What clients may use. Over a limit the sender gets a refusal, and everybody else goes on.',
      ),
    }),
  );
}

function httpConfig({
  host,
  port,
  insecure,
  tls,
  allowed_hosts,
  limits,
}: z.output<ReturnType<typeof httpListener>>): HttpConfig {
  return { host, port, insecure, tls, allowedHosts: allowed_hosts, limits: httpLimitsOf(limits) };
}

const meterProvider = nullAsEmpty(
  z.strictObject({
    readers: optional(metricReaders)
      .describe('Who collects, each at its own interval and for its own exporter.')
      .meta({ defaultText: 'none: metrics are served at /metrics of the HTTP port only' }),
    views: optional(metricViews)
      .describe(
        'What becomes of metrics. Every view that selects a metric makes a stream of it; a metric that none selects passes as it came.',
      )
      .meta({ defaultText: 'none: all pass' }),
    exemplar_filter: unsupported('exemplars come in a later release'),
    'meter_configurator/development': unsupported('use views with aggregation drop'),
  }),
).describe("OpenTelemetry's declarative configuration of metrics.");

/** A collector's configuration file. */
export const collectorSchema = z.strictObject({
  file_format: fileFormat,
  grpc,
  http: httpListener(defaults.http, 'the HTTP server').describe(
    'The port of /metrics, /healthz and /readyz. Its limits and allowed hosts hold for pull readers as well.',
  ),
  admin: httpListener(defaults.admin, 'the admin server').describe(
    'The port of status and agents, as JSON, for people who run the collector.',
  ),
  otlp,
  auth,
  meter_provider: meterProvider,
  resource: resource.describe(
    "The collector's own resource, after OpenTelemetry's declarative configuration.",
  ),
  streamgauge: section({
    staleness: withDefault(duration(1000), defaults.stalenessMs)
      .describe(
        'A series that is silent for so long leaves gauges and up-down sums. Counters keep their state.',
      )
      .meta({ defaultText: durationText(defaults.stalenessMs) }),
    eviction: withDefault(duration(1000), defaults.evictionMs)
      .describe(
        'A member or series that is silent for so long is freed. What it counted stays in merged outputs; what it counts on returning is taken up from there.',
      )
      .meta({ defaultText: durationText(defaults.evictionMs) }),
    output_expiry: withDefault(duration(1000), defaults.outputExpiryMs)
      .describe(
        'A point of a merged output stays for so long after the last of its series was freed. One that has series never leaves; one that returns starts from zero with a new start time.',
      )
      .meta({ defaultText: durationText(defaults.outputExpiryMs) }),
    data_dir: optional(z.string().min(1).meta({ allowed: 'a path' })).describe(
      'The directory that the state is kept in, over restarts: one for each collector. Default: $STATE_DIRECTORY, else $XDG_STATE_HOME/streamgauge, else ~/.local/state/streamgauge.',
    ),
    memory: withDefault(z.boolean(), false).describe(
      'Keep the state in memory only: a restart begins at zero, with new start times.',
    ),
    journal: section({
      sync: withDefault(z.enum(syncModes), 'always').describe(
        'When a report is acknowledged and exported. always: when it is on the disk, so that a power cut loses nothing. interval: when the system has it, and the disk gets it every sync_interval: a killed process loses nothing, a power cut as much as that. never: the disk gets it when the system sees fit.',
      ),
      sync_interval: withDefault(duration(10), 1000)
        .describe('How often the disk gets what the system has, where sync is interval.')
        .meta({ defaultText: durationText(1000) }),
      gather: withDefault(duration(0, 200), directoryDefaults.gatherMs)
        .describe(
          'How long a commit waits for more. More costs less CPU time and fewer writes, and delays each acknowledgement and export as much.',
        )
        .meta({ defaultText: durationText(directoryDefaults.gatherMs) }),
    }).describe('How the state is written: docs/journal.md.'),
    shutdown_timeout: withDefault(duration(0), defaults.shutdownTimeoutMs)
      .describe('How long the last exports may take after SIGTERM or SIGINT.')
      .meta({ defaultText: durationText(defaults.shutdownTimeoutMs) }),
    log: section({
      level: withDefault(z.enum(logLevels), defaults.log.level).describe(
        'The least severe entries that are written.',
      ),
    }).describe('The log, JSON lines on the standard error.'),
  }).describe('What OpenTelemetry has no keys for.'),
  ...unsupportedTopLevel,
});

/** Keys that contradict each other. */
export const collectorChecks: CrossCheck<z.output<typeof collectorSchema>> = (valid, report) => {
  const listeners = Object.entries({ grpc: valid.grpc, http: valid.http, admin: valid.admin });
  const taken = new Map<string, string>();
  for (const [name, listener] of listeners) {
    if (listener === undefined || listener.port === 0) continue;
    const key = `${listener.host} ${listener.port}`;
    const other = taken.get(key);
    if (other === undefined) taken.set(key, name);
    else
      report(
        [name, 'port'],
        `allowed: another port than that of ${other}, which listens on the same address`,
      );
  }
  checkAuth(valid, report);
  const evictionMs = valid.streamgauge?.eviction ?? defaults.evictionMs;
  for (const [index, { stream }] of (valid.meter_provider?.views ?? []).entries())
    if (stream.stalenessMs !== undefined && stream.stalenessMs > evictionMs)
      report(
        ['meter_provider', 'views', index, 'stream', 'streamgauge', 'staleness'],
        `allowed: not more than streamgauge.eviction, ${durationText(evictionMs)}, after which a silent member is freed`,
      );
  const readers = valid.meter_provider?.readers ?? [];
  const own = listeners.flatMap(([name, listener]) =>
    listener === undefined ? [] : [{ name, host: listener.host, port: listener.port }],
  );
  for (const { index, reader, listener } of readerLoops(readers, own)) {
    if (reader.kind !== 'periodic') {
      const message = `allowed: another port than that of ${listener.name}, which listens on the same address`;
      report(['meter_provider', 'readers', index, 'pull', 'exporter'], message);
      continue;
    }
    const path = [
      'meter_provider',
      'readers',
      index,
      'periodic',
      'exporter',
      reader.exporter.kind,
      'endpoint',
    ];
    const message = `this is the ${listener.name} port of the collector itself (${hostPort(listener.host, listener.port)}), a loop; allowed: the endpoint of another backend`;
    report(path, message);
  }
};

function storageConfig({
  data_dir: path,
  memory,
  journal,
}: z.output<typeof collectorSchema>['streamgauge']): StorageConfig {
  if (memory) return { kind: 'memory' };
  const { sync: mode, sync_interval: intervalMs, gather: gatherMs } = journal;
  const sync = mode === 'interval' ? { mode, intervalMs } : { mode };
  return { kind: 'directory', path, sync, gatherMs };
}

/** The typed configuration of a file's content. */
export function collectorConfig(file: z.output<typeof collectorSchema>): CollectorConfig {
  const { grpc, streamgauge } = file;
  return {
    grpc: {
      host: grpc.host,
      port: grpc.port,
      insecure: grpc.insecure,
      tls: grpc.tls,
      reflection: grpc.reflection,
      limits: {
        maxMessageBytes: grpc.limits.max_message_bytes,
        maxSeries: grpc.limits.max_series,
        maxAttributes: grpc.limits.max_attributes,
        maxAttributeBytes: grpc.limits.max_attribute_bytes,
        maxStreams: grpc.limits.max_streams,
        maxMembers: grpc.limits.max_members,
      },
      portLimits: grpcPortLimitsOf(grpc.limits),
      keepaliveTimeMs: grpc.keepalive_time,
      keepaliveTimeoutMs: grpc.keepalive_timeout,
      maxConnectionAgeMs: grpc.max_connection_age,
      maxConnectionAgeGraceMs: grpc.max_connection_age_grace,
    },
    http: httpConfig(file.http),
    admin: httpConfig(file.admin),
    otlp: otlpConfig(file.otlp),
    auth: authConfig(file.auth),
    readers: file.meter_provider?.readers ?? [],
    views: file.meter_provider?.views ?? [],
    resource: file.resource ?? defaults.resource,
    stalenessMs: streamgauge.staleness,
    evictionMs: streamgauge.eviction,
    outputExpiryMs: streamgauge.output_expiry,
    storage: storageConfig(streamgauge),
    log: streamgauge.log,
    shutdownTimeoutMs: streamgauge.shutdown_timeout,
  };
}
