import { z } from 'zod';
import { bareHost, isHost, isLoopback } from './addresses.ts';
import { bytes, milliseconds, nullAsEmpty, optional, port, unsupported, withDefault } from './fields.ts';
import {
  type MetricReaderConfig,
  type PeriodicReaderConfig,
  type PrometheusReaderConfig,
  readerDefaults,
  readerNames,
} from './metric-readers.ts';
import { consoleExporter, otlpGrpc, otlpHttp } from './push-exporters-schema.ts';
import { queue, queueLimits, queueProblem } from './queue-schema.ts';
import { serverTls } from './server-tls-schema.ts';

// `meter_provider.readers` of OpenTelemetry's declarative configuration, schema version 1.1, as far as this release does it:
// https://opentelemetry.io/docs/specs/otel-config/types/

type Unnamed<T> = Omit<T, 'name'>;

const onlyPeriodicExporter = 'allowed: exactly one of otlp_grpc, otlp_http and console';

const periodic = z
  .strictObject({
    interval: withDefault(milliseconds(10), readerDefaults.intervalMs).describe(
      'Time between the starts of two exports, in milliseconds.',
    ),
    timeout: optional(milliseconds(1))
      .describe(
        'How long one export may go on with retries, in milliseconds; not more than `interval`. Then the newest state is sent at the next interval; what is in a queue, as delta intervals are, is repeated until it is taken.',
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
        queue,
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
  .transform((value, context): Unnamed<PeriodicReaderConfig> => {
    const { otlp_grpc, otlp_http, console: toConsole } = value.exporter;
    const exporter = otlp_grpc ??
      otlp_http ?? {
        kind: 'console' as const,
        temporality: toConsole?.temporality_preference ?? 'cumulative',
      };
    const given = value.streamgauge?.queue;
    const problem = queueProblem(given, exporter.temporality);
    if (problem !== undefined) {
      const { path, message } = problem;
      context.addIssue({ code: 'custom', path: ['streamgauge', 'queue', path], message });
    }
    const limits = queueLimits(given, exporter.temporality);
    return {
      kind: 'periodic',
      intervalMs: value.interval,
      timeoutMs: value.timeout ?? Math.min(readerDefaults.timeoutMs, value.interval),
      maxRequestBytes: value.streamgauge?.max_request_bytes ?? readerDefaults.maxRequestBytes,
      ...(limits !== undefined && { queue: limits }),
      exporter,
    };
  });

const prometheusExporter = nullAsEmpty(
  z.strictObject({
    host: withDefault(
      z
        .string()
        .refine(isHost, { abort: true })
        .transform(bareHost)
        .meta({ allowed: 'an IP address or a host name' }),
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
