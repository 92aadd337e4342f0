import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { otlpGrpcSender } from '../../../otel/export/otlp-grpc.ts';
import { otlpHttpSender } from '../../../otel/export/otlp-http.ts';
import { PeriodicReader } from '../../../otel/export/periodic-reader.ts';
import type { SendResult } from '../../../otel/export/request-sender.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { until } from '../../interop/until.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import { GrowingSums } from './growing-sums.ts';
import {
  type HostileBackend,
  hostileGrpc,
  hostileHttp,
  writeForEver,
  writeSlowly,
} from './hostile-backend.ts';
import { recordingLog } from './recording-log.ts';

const request = [...encodeRequests(new GrowingSums('cumulative').collect(1_790_000_000_000_000))][0]!.bytes;
const never = new AbortController().signal;
const secret = 'secret-header-value';
/** What a backend may make us read before it is cut off: an answer's limit, what waits in windows, and in the system's buffers. */
const mostSentBytes = 16 * 1024 * 1024;

const okHeaders = { ':status': 200, 'content-type': 'application/grpc+proto' };
const message = (payload: Uint8Array, declared = payload.length): Buffer => {
  const bytes = Buffer.alloc(5 + payload.length);
  bytes.writeUInt32BE(declared, 1);
  bytes.set(payload, 5);
  return bytes;
};

/** A gRPC answer of these messages, ended by these trailers. */
function answers(
  stream: ServerHttp2Stream,
  payload: Uint8Array,
  trailers: Record<string, string | string[]>,
): void {
  stream.respond(okHeaders, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(payload);
}

const trailers =
  (fields: Record<string, string | string[]>) =>
  (stream: ServerHttp2Stream): void =>
    answers(stream, Buffer.alloc(0), fields);

/** An ExportMetricsServiceResponse whose partial success has this field 1, as bytes with its tag. */
function partialSuccess(rejected: readonly number[], text = 'so many'): Buffer {
  const inner = Buffer.concat([Buffer.from(rejected), Buffer.from([0x12, text.length]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0x0a, inner.length]), inner]);
}
const negative = [0x08, ...Array.from({ length: 9 }, () => 0xff), 1];
const largest = [0x08, ...Array.from({ length: 8 }, () => 0xff), 0x7f];
/** NaN, as a double in a field that is an int64. */
const notANumber = [0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
const endlessVarint = [0x08, ...Array.from({ length: 40 }, () => 0x80)];

/** What an outcome is, in one line, with how many points the backend claims to have refused. */
function inWords(result: SendResult): string {
  if (result.kind !== 'success') return `${result.kind} ${result.error.code}`;
  if (result.warning !== undefined) return 'success, unreadable answer';
  return result.partialSuccess === undefined
    ? 'success'
    : `success, ${result.partialSuccess.rejected} rejected`;
}

/** All that a backend can make us say is one short line without what terminals obey, and without our own secrets. */
function isHarmless(t: ExecutionContext, text: string): void {
  t.true(text.length < 1000, `${text.length} characters`);
  t.notRegex(text, /[\p{Cc}\p{Zl}\u202e]/u);
  t.false(text.includes(secret));
}

/** Long where it is not to be reached. */
const timeoutFor = (expected: string): number => (expected.endsWith('DEADLINE_EXCEEDED') ? 500 : 10_000);

async function outcome(
  t: ExecutionContext,
  protocol: 'grpc' | 'http',
  backend: HostileBackend,
  timeoutMs: number,
): Promise<string> {
  const make = protocol === 'grpc' ? otlpGrpcSender : otlpHttpSender;
  const sender = make({ endpoint: backend.url, timeoutMs, headers: { 'x-key': secret } });
  const fromMs = performance.now();
  const result = await sender.send(request, never);
  t.true(performance.now() - fromMs < timeoutMs + 4000);
  if (result.kind !== 'success') isHarmless(t, result.error.message);
  else isHarmless(t, `${result.warning ?? ''}${result.partialSuccess?.message ?? ''}`);
  t.true(backend.sentBytes() < mostSentBytes, `${backend.sentBytes()} bytes were taken`);
  sender.close();
  return inWords(result);
}

const grpc = test.macro<[act: (stream: ServerHttp2Stream) => void, expected: string]>({
  title: (title = '') => title,
  async exec(t, act, expected) {
    t.is(await outcome(t, 'grpc', await hostileGrpc(t, act), timeoutFor(expected)), expected);
  },
});
const http = test.macro<[act: (socket: Socket) => void, expected: string]>({
  title: (title = '') => title,
  async exec(t, act, expected) {
    t.is(await outcome(t, 'http', await hostileHttp(t, act), timeoutFor(expected)), expected);
  },
});

const mib = Buffer.alloc(1024 * 1024);

test(
  'gRPC: a message without an end',
  grpc,
  (stream) => {
    stream.respond(okHeaders);
    stream.write(message(Buffer.alloc(10), 2 ** 32 - 1));
    writeForEver(stream, mib);
  },
  'permanent RESOURCE_EXHAUSTED',
);
test(
  'gRPC: messages without an end',
  grpc,
  (stream) => {
    stream.respond(okHeaders);
    writeForEver(stream, Buffer.concat(Array.from({ length: 1000 }, () => message(Buffer.alloc(0)))));
  },
  'retryable DEADLINE_EXCEEDED',
);
test(
  'gRPC: a byte in a while',
  grpc,
  (stream) => {
    stream.respond(okHeaders);
    stream.write(message(Buffer.alloc(1), 1000));
    writeSlowly(stream);
  },
  'retryable DEADLINE_EXCEEDED',
);
test('gRPC: a status that is no number', grpc, trailers({ 'grpc-status': 'abc' }), 'permanent UNKNOWN');
test(
  'gRPC: a status that there is not',
  grpc,
  trailers({ 'grpc-status': '4294967297' }),
  'permanent UNKNOWN',
);
test('gRPC: a negative status', grpc, trailers({ 'grpc-status': '-1' }), 'permanent UNKNOWN');
test('gRPC: two statuses', grpc, trailers({ 'grpc-status': ['0', '13'] }), 'permanent UNKNOWN');
test('gRPC: no status', grpc, trailers({ 'x-a': 'b' }), 'permanent UNKNOWN');
test(
  'gRPC: a status with escapes, our own header and no end',
  grpc,
  trailers({ 'grpc-status': '3', 'grpc-message': `%1b[2J%0a%C2%9B%E2%80%AE${secret} ${'x'.repeat(5000)}` }),
  'permanent INVALID_ARGUMENT',
);
test(
  'gRPC: details that are no message',
  grpc,
  trailers({ 'grpc-status': '8', 'grpc-status-details-bin': Buffer.alloc(3000, 0xff).toString('base64') }),
  'permanent RESOURCE_EXHAUSTED',
);
test(
  'gRPC: metadata without an end',
  grpc,
  (stream) =>
    answers(
      stream,
      Buffer.alloc(0),
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'x'.repeat(3000)])),
    ),
  'permanent INTERNAL',
);
test(
  'gRPC: a page',
  grpc,
  (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/html' });
    stream.end('<script>alert(1)</script>');
  },
  'permanent RESOURCE_EXHAUSTED',
);
test(
  'gRPC: a redirect',
  grpc,
  (stream) => stream.respond({ ':status': 302, location: 'http://127.0.0.1:1/' }, { endStream: true }),
  'permanent UNKNOWN',
);
test(
  'gRPC: garbage',
  grpc,
  (stream) => answers(stream, Buffer.alloc(5000, 0xff), { 'grpc-status': '0' }),
  'permanent RESOURCE_EXHAUSTED',
);

const lies: readonly [string, readonly number[], string][] = [
  ['a negative number', negative, 'success, 0 rejected'],
  ['more than were sent', largest, 'success, 9223372036854776000 rejected'],
  ['what is not a number', notANumber, 'success, 0 rejected'],
  ['a number without an end', endlessVarint, 'success, unreadable answer'],
];
for (const [title, rejected, expected] of lies) {
  const payload = partialSuccess(rejected);
  test(
    `gRPC: ${title} of points rejected`,
    grpc,
    (stream) => answers(stream, message(payload), { 'grpc-status': '0' }),
    expected,
  );
  test(
    `HTTP: ${title} of points rejected`,
    http,
    (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${payload.length}\r\n\r\n`);
      socket.write(payload);
    },
    expected,
  );
}

const says =
  (head: string) =>
  (socket: Socket): void =>
    void socket.end(`HTTP/1.1 ${head}\r\n\r\n`);

test(
  'HTTP: an answer without an end',
  http,
  (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    writeForEver(socket, mib);
  },
  'success, unreadable answer',
);
test(
  'HTTP: a refusal without an end',
  http,
  (socket) => {
    socket.write('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n');
    writeForEver(socket, mib);
  },
  'permanent 400',
);
test(
  'HTTP: chunks without an end',
  http,
  (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    writeForEver(socket, `1000\r\n${'x'.repeat(4096)}\r\n`);
  },
  'success, unreadable answer',
);
test(
  'HTTP: header fields without an end',
  http,
  (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    writeForEver(socket, `X-More: ${'x'.repeat(1000)}\r\n`);
  },
  'retryable HPE_HEADER_OVERFLOW',
);
test(
  'HTTP: a byte in a while',
  http,
  (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    writeSlowly(socket);
  },
  'retryable DEADLINE_EXCEEDED',
);
test(
  'HTTP: news of an answer to come, without an end',
  http,
  (socket) => writeSlowly(socket, 'HTTP/1.1 102 Processing\r\n\r\n'),
  'retryable DEADLINE_EXCEEDED',
);
test(
  'HTTP: no HTTP',
  http,
  (socket) => void socket.end(Buffer.alloc(5000, 0xff)),
  'retryable HPE_INVALID_CONSTANT',
);
test(
  'HTTP: a redirect',
  http,
  says('307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0'),
  'permanent 307',
);
test('HTTP: a status that there is not', http, says('799 \u001b[2J\r\nContent-Length: 0'), 'permanent 7xx');
test(
  'HTTP: a refusal with escapes and our own header',
  http,
  says(`400 \u009b2J ${secret}\r\nContent-Length: 0`),
  'permanent 400',
);
test(
  'HTTP: a delay that is none',
  http,
  says('503 x\r\nRetry-After: -1e99\r\nContent-Length: 0'),
  'retryable 503',
);
test(
  'HTTP: details that are no message',
  http,
  (socket) => {
    socket.write('HTTP/1.1 429 Too\r\nContent-Type: application/x-protobuf\r\nContent-Length: 3000\r\n\r\n');
    socket.write(Buffer.alloc(3000, 0xff));
  },
  'retryable 429',
);

test('readers of hostile backends: little is logged, points are booked once, and another reader is as prompt as ever', async (t) => {
  await using healthy = await startHttpSink();
  const lying = partialSuccess(largest, 'all of them, and more');
  const backends = {
    'http endless': await hostileHttp(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      writeForEver(socket, mib);
    }),
    'http lying': await hostileHttp(t, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${lying.length}\r\n\r\n`);
      socket.write(lying);
    }),
    'http slow': await hostileHttp(t, (socket) => writeSlowly(socket, 'HTTP/1.1 102 Processing\r\n\r\n')),
    'grpc endless': await hostileGrpc(t, (stream) => {
      stream.respond(okHeaders);
      stream.write(message(Buffer.alloc(10), 2 ** 32 - 1));
      writeForEver(stream, mib);
    }),
    'grpc lying': await hostileGrpc(t, (stream) => answers(stream, message(lying), { 'grpc-status': '0' })),
    'grpc status': await hostileGrpc(t, trailers({ 'grpc-status': '77' })),
  };
  const times: number[] = [];
  healthy.plan = () => {
    times.push(performance.now());
    return 'ok';
  };
  const started = [
    ...Object.entries(backends),
    ['http healthy', { url: `${healthy.url}/v1/metrics` }] as const,
  ].map(([name, { url: endpoint }]) => {
    const sums = new GrowingSums('cumulative');
    const { log, entries } = recordingLog();
    const timeoutMs = name === 'http slow' ? 300 : 10_000;
    const make = name.startsWith('grpc') ? otlpGrpcSender : otlpHttpSender;
    const reader = new PeriodicReader({
      name,
      intervalMs: 100,
      timeoutMs,
      temporality: 'cumulative',
      collect: (timeUs) => {
        sums.add();
        return sums.collect(timeUs);
      },
      sender: make({ endpoint, timeoutMs }),
      log,
      retry: { initialMs: 20, maxMs: 100 },
    });
    t.teardown(() => reader.stop());
    reader.start();
    return { name, reader, entries };
  });
  const hostile = Object.values(backends);
  await until(
    () => times.length >= 15 && hostile.every((backend) => backend.requests() >= 5),
    'requests to all',
  );
  const gaps = times.slice(1).map((ms, i) => ms - times[i]!);
  t.true(gaps.toSorted((a, b) => a - b)[gaps.length >> 1]! < 300, `every ${gaps.map(Math.round)} ms`);
  for (const { name, reader, entries } of started) {
    await reader.stop();
    const told = entries.filter(({ level }) => level === 'warn' || level === 'error');
    t.is(told.length, name === 'http healthy' ? 0 : 1, `${name}: ${JSON.stringify(told)}`);
    for (const entry of told) isHarmless(t, JSON.stringify(entry));
    const { pointsExported, pointsRejected } = reader.status.counts;
    if (name.endsWith('lying')) t.is(pointsExported, 0);
    t.true(Number.isSafeInteger(pointsRejected) && pointsRejected >= 0, `${pointsRejected}`);
  }
});
