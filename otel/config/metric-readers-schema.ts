import { z } from 'zod';
import { isHost, isLoopback } from './addresses.ts';
import {
  bytes,
  milliseconds,
  nullAsEmpty,
  optional,
  port,
  text,
  unsupported,
  withDefault,
} from './fields.ts';
import { parseKeyValueList } from './key-value-list.ts';
import {
  type MetricReaderConfig,
  type OtlpGrpcExporterConfig,
  type OtlpHttpExporterConfig,
  type PeriodicReaderConfig,
  type PrometheusReaderConfig,
  readerDefaults,
  readerNames,
} from './metric-readers.ts';
import { grpcEndpoint, httpEndpoint } from './otlp-endpoint.ts';
import { serverTls } from './server-tls-schema.ts';

// `meter_provider.readers` of OpenTelemetry's declarative configuration, schema version 1.1, as far as this release does it:
// https://opentelemetry.io/docs/specs/otel-config/types/

type Unnamed<T> = Omit<T, 'name'>;

const temporality = withDefault(
  z
    .enum(['cumulative', 'delta', 'low_memory'])
    .refine((value) => value !== 'low_memory', {
      error:
        'not supported: low_memory asks for another temporality of asynchronous counters, and what arrives here no longer tells them from synchronous ones; allowed: cumulative or delta',
    })
    .transform((value) => value as 'cumulative' | 'delta')
    .meta({ allowed: 'cumulative or delta' }),
  'cumulative',
).describe('Temporality of sums and histograms; up-down sums are always cumulative.');

const defaultHistogramAggregation = optional(
  z
    .enum(['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'])
    .refine((value) => value === 'explicit_bucket_histogram', {
      error: 'not supported in this release; allowed: explicit_bucket_histogram',
    })
    .meta({ allowed: 'explicit_bucket_histogram' }),
).describe('Histograms keep the bounds they arrived with.');

const headers = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
        .meta({ allowed: 'the name of an HTTP header' })
        .describe('The header.'),
      value: z
        .string()
        .regex(/^[\t\x20-\x7e]*$/)
        .nullable()
        .meta({ allowed: 'printable ASCII' })
        .describe('Its value; without one the entry is ignored.'),
    }),
  )
  .max(64);

const headersList = z.string().superRefine((list, context) => {
  const pairs = parseKeyValueList(list);
  if (typeof pairs === 'string') context.addIssue({ code: 'custom', message: pairs });
});

const tlsFiles = {
  ca_file: optional(text()).describe('Certificates that the server may have, PEM.'),
  key_file: optional(text()).describe('The private key of a client certificate, PEM.'),
  cert_file: optional(text()).describe('A client certificate, PEM.'),
};

const insecure = withDefault(z.boolean(), false).describe(
  'Of an endpoint without http:// or https://: connect without TLS.',
);

function tls<T extends z.core.$ZodShape>(more: T) {
  return nullAsEmpty(
    z
      .strictObject({ ...tlsFiles, ...more })
      .refine(
        (value: { key_file?: unknown; cert_file?: unknown }) =>
          (value.key_file === undefined) === (value.cert_file === undefined),
        { error: 'allowed: key_file and cert_file both, or neither' },
      ),
  ).describe("TLS of the connection; by default the system's certificates hold.");
}

const exporterKeys = {
  headers: optional(headers).describe('Headers of each request. They go before those of `headers_list`.'),
  headers_list: optional(headersList).describe(
    'Headers as one text, `key1=value1,key2=value2`, percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS.',
  ),
  compression: withDefault(z.enum(['gzip', 'none']), 'none').describe('Compression of requests.'),
  timeout: withDefault(milliseconds(1), readerDefaults.exporterTimeoutMs).describe(
    'Longest time of one attempt, in milliseconds.',
  ),
  temporality_preference: temporality,
  default_histogram_aggregation: defaultHistogramAggregation,
};

interface ExporterInput {
  headers?: { name: string; value: string | null }[] | undefined;
  headers_list?: string | undefined;
  compression: 'gzip' | 'none';
  timeout: number;
  temporality_preference: 'cumulative' | 'delta';
  tls?: { ca_file?: unknown; key_file?: unknown; cert_file?: unknown } | undefined;
}

function otlpExporter(input: ExporterInput) {
  const merged: Record<string, string> = {};
  const list =
    input.headers_list === undefined ? [] : (parseKeyValueList(input.headers_list) as Map<string, string>);
  for (const [name, value] of list) merged[name.toLowerCase()] = value;
  for (const { name, value } of input.headers ?? []) if (value !== null) merged[name.toLowerCase()] = value;
  return {
    headers: merged,
    compression: input.compression,
    timeoutMs: input.timeout,
    temporality: input.temporality_preference,
    tls: {
      caFile: input.tls?.ca_file as string | undefined,
      keyFile: input.tls?.key_file as string | undefined,
      certFile: input.tls?.cert_file as string | undefined,
    },
  };
}

const otlpGrpc = nullAsEmpty(
  z
    .strictObject({
      endpoint: withDefault(text(), readerDefaults.grpcEndpoint).describe(
        'Where to send: `http://HOST:PORT` without TLS, `https://HOST:PORT` with it.',
      ),
      ...exporterKeys,
      tls: tls({ insecure }),
    })
    .transform((input, context): OtlpGrpcExporterConfig => {
      const endpoint = grpcEndpoint(input.endpoint, input.tls?.insecure ?? false);
      if ('problem' in endpoint) {
        context.addIssue({ code: 'custom', path: ['endpoint'], message: endpoint.problem });
        return z.NEVER;
      }
      return { kind: 'otlp_grpc', endpoint: endpoint.url, ...otlpExporter(input) };
    }),
).describe('OTLP over gRPC.');

const otlpHttp = nullAsEmpty(
  z
    .strictObject({
      endpoint: withDefault(text(), readerDefaults.httpEndpoint).describe(
        'The whole URL that is posted to, /v1/metrics included.',
      ),
      encoding: optional(
        z
          .enum(['protobuf', 'json'])
          .refine((value) => value === 'protobuf', {
            error: 'not supported in this release; allowed: protobuf',
          })
          .meta({ allowed: 'protobuf' }),
      ).describe('How requests are written.'),
      ...exporterKeys,
      tls: tls({}),
    })
    .transform((input, context): OtlpHttpExporterConfig => {
      const endpoint = httpEndpoint(input.endpoint);
      if ('problem' in endpoint) {
        context.addIssue({ code: 'custom', path: ['endpoint'], message: endpoint.problem });
        return z.NEVER;
      }
      return { kind: 'otlp_http', endpoint: endpoint.url, ...otlpExporter(input) };
    }),
).describe('OTLP over HTTP.');

const consoleExporter = nullAsEmpty(
  z.strictObject({
    temporality_preference: temporality,
    default_histogram_aggregation: defaultHistogramAggregation,
  }),
).describe('Writes to the standard output, for a first look.');

const onlyPeriodicExporter = 'allowed: exactly one of otlp_grpc, otlp_http and console';

const periodic = z
  .strictObject({
    interval: withDefault(milliseconds(10), readerDefaults.intervalMs).describe(
      'Time between the starts of two exports, in milliseconds.',
    ),
    timeout: optional(milliseconds(1))
      .describe(
        'How long one export may go on with retries, in milliseconds; not more than `interval`. Then the newest state is sent at the next interval; delta intervals are repeated until they are taken.',
      )
      .meta({ defaultText: '30000, or `interval` when that is less' }),
    exporter: z
      .strictObject({
        otlp_grpc: otlpGrpc,
        otlp_http: otlpHttp,
        console: consoleExporter,
        'otlp_file/development': unsupported(onlyPeriodicExporter),
      })
      .refine((value) => count([value.otlp_grpc, value.otlp_http, value.console]) === 1, {
        error: onlyPeriodicExporter,
      })
      .describe('Where to: exactly one of these.'),
    streamgauge: nullAsEmpty(
      z.strictObject({
        max_request_bytes: withDefault(bytes(64 * 1024, 64 * 1024 * 1024), readerDefaults.maxRequestBytes)
          .describe('Requests are split so that none is larger, before compression.')
          .meta({ defaultText: '3.5MiB' }),
      }),
    ).describe('What OpenTelemetry has no keys for.'),
    producers: unsupported('this collector is what the reader reads'),
    cardinality_limits: unsupported(
      'readers share what views make; use aggregation_cardinality_limit of a view',
    ),
    'max_export_batch_size/development': unsupported('use streamgauge.max_request_bytes'),
  })
  .refine((value) => value.timeout === undefined || value.timeout <= value.interval, {
    path: ['timeout'],
    error: 'allowed: not more than interval, because an export must end before the next begins',
  })
  .transform((value): Unnamed<PeriodicReaderConfig> => {
    const { otlp_grpc, otlp_http, console: toConsole } = value.exporter;
    return {
      kind: 'periodic',
      intervalMs: value.interval,
      timeoutMs: value.timeout ?? Math.min(readerDefaults.timeoutMs, value.interval),
      maxRequestBytes: value.streamgauge?.max_request_bytes ?? readerDefaults.maxRequestBytes,
      exporter: otlp_grpc ??
        otlp_http ?? { kind: 'console', temporality: toConsole?.temporality_preference ?? 'cumulative' },
    };
  });

const prometheusExporter = nullAsEmpty(
  z.strictObject({
    host: withDefault(
      z.string().refine(isHost, { abort: true }).meta({ allowed: 'an IP address or a host name' }),
      'localhost',
    ).describe('The address to listen on.'),
    port: withDefault(port(), readerDefaults.prometheusPort).describe(
      'The port to listen on; 0 picks a free one.',
    ),
    scope_info_enabled: only(true).describe('Scopes are written as labels.'),
    'target_info_enabled/development': only(true).describe('Each resource gets one target_info.'),
    translation_strategy: only('underscore_escaping_with_suffixes').describe('How names are translated.'),
    resource_constant_labels: unsupported('the attributes of a resource stand in target_info'),
  }),
).describe('A page for Prometheus to scrape, at /metrics.');

const onlyPullExporter = 'allowed: exactly one of prometheus/development and prometheus';

const pull = z
  .strictObject({
    exporter: z
      .strictObject({ 'prometheus/development': prometheusExporter, prometheus: prometheusExporter })
      .refine((value) => count([value['prometheus/development'], value.prometheus]) === 1, {
        error: onlyPullExporter,
      })
      .describe(
        "What serves it: exactly one of these, which are the same; the first is OpenTelemetry's name.",
      ),
    streamgauge: nullAsEmpty(
      z.strictObject({
        insecure: withDefault(z.boolean(), false).describe(
          'Must be true to listen, without TLS, on an address that other machines reach.',
        ),
        tls: serverTls,
      }),
    ).describe('What OpenTelemetry has no keys for.'),
    producers: unsupported('this collector is what the reader reads'),
    cardinality_limits: unsupported(
      'readers share what views make; use aggregation_cardinality_limit of a view',
    ),
  })
  .superRefine((value, context) => {
    const exporter = value.exporter['prometheus/development'] ?? value.exporter.prometheus;
    const { insecure = false, tls } = value.streamgauge ?? {};
    if (insecure && tls !== undefined) {
      const message = 'allowed: false, or no tls beside it: there is TLS or there is none';
      context.addIssue({ code: 'custom', path: ['streamgauge', 'insecure'], message });
    }
    if (exporter === undefined || isLoopback(exporter.host) || insecure || tls !== undefined) return;
    const name = value.exporter.prometheus === undefined ? 'prometheus/development' : 'prometheus';
    context.addIssue({
      code: 'custom',
      path: ['exporter', name, 'host'],
      message:
        'other machines reach this address, and there is no TLS; allowed: localhost, streamgauge: {tls: …} beside exporter, or streamgauge: {insecure: true}',
    });
  })
  .transform((value): Unnamed<PrometheusReaderConfig> => {
    const exporter = (value.exporter['prometheus/development'] ?? value.exporter.prometheus)!;
    const { tls } = value.streamgauge ?? {};
    return {
      kind: 'prometheus',
      host: exporter.host,
      port: exporter.port,
      ...(tls !== undefined && { tls }),
    };
  });

const reader = z
  .strictObject({
    periodic: optional(periodic).describe('Collects at an interval and pushes.'),
    pull: optional(pull).describe('Collects when asked.'),
  })
  .refine((value) => count([value.periodic, value.pull]) === 1, {
    error: 'allowed: exactly one of periodic and pull',
  });

/** `readers` with their names. */
export const metricReaders = z
  .array(reader)
  .max(64)
  .transform((list): MetricReaderConfig[] => {
    const unnamed = list.map(({ periodic, pull }) => (periodic ?? pull)!);
    const names = readerNames(unnamed.map((one) => (one.kind === 'periodic' ? one.exporter.kind : one.kind)));
    return unnamed.map((one, index) => ({ ...one, name: names[index]! }));
  });

function count(values: readonly unknown[]): number {
  return values.filter((value) => value !== undefined).length;
}

/** A key of OpenTelemetry's of which this release does one value. */
function only<T extends string | boolean>(value: T) {
  return optional(z.literal(value).meta({ allowed: `${value} in this release` })).meta({
    defaultText: `${value}`,
  });
}
