import { z } from 'zod';
import { milliseconds, nullAsEmpty, optional, text, withDefault } from './fields.ts';
import { parseKeyValueList } from './key-value-list.ts';
import {
  type OtlpGrpcExporterConfig,
  type OtlpHttpExporterConfig,
  readerDefaults,
} from './metric-readers.ts';
import { grpcEndpoint, httpEndpoint } from './otlp-endpoint.ts';

// The exporters of periodic readers, after OpenTelemetry's declarative configuration: see metric-readers-schema.ts.

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

export const otlpGrpc = nullAsEmpty(
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

export const otlpHttp = nullAsEmpty(
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

export const consoleExporter = nullAsEmpty(
  z.strictObject({
    temporality_preference: temporality,
    default_histogram_aggregation: defaultHistogramAggregation,
  }),
).describe('Writes to the standard output, for a first look.');
