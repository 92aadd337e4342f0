import { z } from 'zod';
import { bytes, bytesText, duration, durationText, withDefault } from '../../otel/config/fields.ts';
import type { ConnectionLimits, GrpcPortLimits, HttpLimits } from './limits-config.ts';
import { grpcPortLimits, httpLimits } from './limits-config.ts';

const mib = 1024 * 1024;
const overTenSeconds = 'in a second, over ten seconds: ten times as many may come at once.';

function count(max: number, value: number, description: string) {
  return withDefault(z.int().min(1).max(max), value).describe(description);
}

function time(minMs: number, value: number, description: string) {
  return withDefault(duration(minMs), value)
    .describe(description)
    .meta({ defaultText: durationText(value) });
}

function size(min: number, max: number, value: number, description: string) {
  return withDefault(bytes(min, max), value)
    .describe(description)
    .meta({ defaultText: bytesText(value) });
}

function connectionKeys(defaults: ConnectionLimits) {
  return {
    max_connections: count(1_000_000, defaults.maxConnections, 'Connections at one time.'),
    max_connections_per_address: count(
      1_000_000,
      defaults.maxConnectionsPerAddress,
      'Connections of one client address at one time: an IPv4 address, or the first 64 bits of an IPv6 address.',
    ),
    max_connection_rate: count(1_000_000, defaults.maxConnectionRate, `New connections ${overTenSeconds}`),
    max_connection_rate_per_address: count(
      1_000_000,
      defaults.maxConnectionRatePerAddress,
      `New connections of one client address ${overTenSeconds}`,
    ),
    handshake_timeout: time(
      100,
      defaults.handshakeTimeoutMs,
      'How long a client may take for the TLS handshake, and on the gRPC port for its first HTTP/2 settings.',
    ),
  };
}

/** Of `grpc.limits`, beside what agents' data may be. */
export const grpcLimitKeys = {
  ...connectionKeys(grpcPortLimits),
  idle_timeout: time(
    1000,
    grpcPortLimits.idleTimeoutMs,
    'A connection without a stream is ended after this.',
  ),
  max_header_bytes: size(
    1024,
    64 * 1024,
    grpcPortLimits.maxHeaderBytes,
    'Header fields of a call together, as HTTP/2 counts them: 32 for each, and its name and value.',
  ),
  max_streams_per_address: count(
    1_000_000,
    grpcPortLimits.maxStreamsPerAddress,
    'Streams and other calls of one client address at one time.',
  ),
  max_streams_per_connection: count(
    1_000_000,
    grpcPortLimits.maxStreamsPerConnection,
    'Streams and other calls of one connection at one time.',
  ),
  max_stream_rate_per_address: count(
    1_000_000,
    grpcPortLimits.maxStreamRatePerAddress,
    `New streams and other calls of one client address ${overTenSeconds}`,
  ),
  hello_timeout: time(10, grpcPortLimits.helloTimeoutMs, 'A stream without Hello is ended after this.'),
  max_report_rate: count(
    1_000_000,
    grpcPortLimits.maxReportRate,
    `Messages of one stream ${overTenSeconds} A stream with more is read more slowly.`,
  ),
  max_buffered_bytes: size(
    mib,
    64 * 1024 * mib,
    grpcPortLimits.maxBufferedBytes,
    'What may wait in memory: messages that have come in part, streams that are read more slowly, what agents leave unread.',
  ),
  max_buffered_bytes_per_address: size(
    mib,
    64 * 1024 * mib,
    grpcPortLimits.maxBufferedBytesPerAddress,
    'The same of one client address.',
  ),
};

/** `limits` of an HTTP port. */
export const httpLimitKeys = {
  ...connectionKeys(httpLimits),
  idle_timeout: time(
    1000,
    httpLimits.idleTimeoutMs,
    'A connection on which nothing is asked for is closed after this.',
  ),
  max_header_bytes: size(1024, 64 * 1024, httpLimits.maxHeaderBytes, 'The head of a request.'),
  headers_timeout: time(100, httpLimits.headersTimeoutMs, 'How long the head of a request may take.'),
  request_timeout: time(100, httpLimits.requestTimeoutMs, 'How long a whole request may take.'),
  answer_timeout: time(100, httpLimits.answerTimeoutMs, 'How long a client may take to read an answer.'),
  max_body_bytes: size(
    1024,
    64 * mib,
    httpLimits.maxBodyBytes,
    'The body of a request, as it comes; addresses that take smaller ones only say so.',
  ),
};

interface ConnectionKeys {
  readonly max_connections: number;
  readonly max_connections_per_address: number;
  readonly max_connection_rate: number;
  readonly max_connection_rate_per_address: number;
  readonly handshake_timeout: number;
  readonly idle_timeout: number;
  readonly max_header_bytes: number;
}

function connectionLimits(keys: ConnectionKeys): ConnectionLimits {
  return {
    maxConnections: keys.max_connections,
    maxConnectionsPerAddress: keys.max_connections_per_address,
    maxConnectionRate: keys.max_connection_rate,
    maxConnectionRatePerAddress: keys.max_connection_rate_per_address,
    handshakeTimeoutMs: keys.handshake_timeout,
    idleTimeoutMs: keys.idle_timeout,
    maxHeaderBytes: keys.max_header_bytes,
  };
}

type Output<T extends Record<string, z.ZodType>> = { readonly [Name in keyof T]: z.output<T[Name]> };

/** The typed form of what {@link grpcLimitKeys} read. */
export function grpcPortLimitsOf(keys: Output<typeof grpcLimitKeys>): GrpcPortLimits {
  return {
    ...connectionLimits(keys),
    maxStreamsPerAddress: keys.max_streams_per_address,
    maxStreamsPerConnection: keys.max_streams_per_connection,
    maxStreamRatePerAddress: keys.max_stream_rate_per_address,
    helloTimeoutMs: keys.hello_timeout,
    maxReportRate: keys.max_report_rate,
    maxBufferedBytes: keys.max_buffered_bytes,
    maxBufferedBytesPerAddress: keys.max_buffered_bytes_per_address,
  };
}

/** The typed form of what {@link httpLimitKeys} read. */
export function httpLimitsOf(keys: Output<typeof httpLimitKeys>): HttpLimits {
  return {
    ...connectionLimits(keys),
    headersTimeoutMs: keys.headers_timeout,
    requestTimeoutMs: keys.request_timeout,
    answerTimeoutMs: keys.answer_timeout,
    maxBodyBytes: keys.max_body_bytes,
  };
}
