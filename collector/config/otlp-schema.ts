import { z } from 'zod';
import {
  bytes,
  bytesText,
  duration,
  durationText,
  section,
  text,
  withDefault,
} from '../../otel/config/fields.ts';
import { otlpDefaults as defaults, type OtlpConfig } from './otlp-config.ts';

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
  .meta({ allowed: 'the name of an HTTP header' });

/** `otlp`: what is taken in as OTLP. */
export const otlp = section({
  max_request_bytes: withDefault(bytes(64 * 1024, 64 * 1024 * 1024), defaults.maxRequestBytes)
    .describe(
      'One request, uncompressed. What an HTTP request may have as it comes is `http.limits.max_body_bytes`.',
    )
    .meta({ defaultText: bytesText(defaults.maxRequestBytes) }),
  max_points: withDefault(z.int().min(1).max(1_000_000), defaults.maxPoints).describe(
    'Data points of one request.',
  ),
  max_series: withDefault(z.int().min(1).max(20_000_000), defaults.maxSeries).describe(
    'Series of all senders together. One service has room for four times `grpc.limits.max_series`, ended ones that readers wait for included.',
  ),
  overlapping_deltas: withDefault(z.enum(['drop', 'sum']), defaults.overlap).describe(
    'What becomes of a delta whose interval overlaps one that was counted: refused, or, where several writers share one identity, added.',
  ),
  delay_margin: withDefault(duration(0, 3_600_000), defaults.delayMarginMs)
    .describe(
      'How long a request may be under way, with all its repetitions: a service looks so much older to the rule of first sight.',
    )
    .meta({ defaultText: durationText(defaults.delayMarginMs) }),
  cors: section({
    allowed_origins: withDefault(z.array(text()).max(1000), [...defaults.cors.allowedOrigins])
      .describe('Origins whose pages may send, as patterns: `https://*.example.com`.')
      .meta({ defaultText: 'none' }),
    allowed_headers: withDefault(z.array(headerName).max(100), [...defaults.cors.allowedHeaders])
      .describe('Headers that they may send beside Content-Type and Content-Encoding.')
      .meta({ defaultText: 'none' }),
    max_age: withDefault(duration(0), defaults.cors.maxAgeMs)
      .describe('How long browsers may remember this.')
      .meta({ defaultText: durationText(defaults.cors.maxAgeMs) }),
  }).describe('Who may send from a browser, over HTTP.'),
}).describe('Metrics of services that come as OTLP, on the gRPC port and at /v1/metrics of the HTTP port.');

/** The typed form of `otlp`. */
export function otlpConfig(file: z.output<typeof otlp>): OtlpConfig {
  return {
    maxRequestBytes: file.max_request_bytes,
    maxPoints: file.max_points,
    maxSeries: file.max_series,
    overlap: file.overlapping_deltas,
    delayMarginMs: file.delay_margin,
    cors: {
      allowedOrigins: file.cors.allowed_origins,
      allowedHeaders: file.cors.allowed_headers,
      maxAgeMs: file.cors.max_age,
    },
  };
}
