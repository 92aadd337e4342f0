import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { Client, credentials, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import type { Collector } from '../../../../collector/collector.ts';
import type { CollectorConfig } from '../../../../collector/config/collector-config.ts';
import { otlpDefaults } from '../../../../collector/config/otlp-config.ts';
import { readPartialSuccess, readStatusDetails } from '../../../../otel/otlp/export-answer.ts';
import { sameBytes } from '../../../../proto/service.ts';
import { startCollector } from '../../../integration/in-process.ts';
import { counter, point, request } from './otlp-core.ts';

const service = { 'service.name': 'shop', 'service.instance.id': 'a' };
const times = { start: 1_700_000_000, time: 1_700_000_010 };
const good = request(service, counter('jobs', 'delta', point(times, { asInt: 3 })));
const partial = request(
  service,
  counter('jobs', 'delta', point(times, { asInt: 3 }), point(times, {}, { q: 'none' })),
);

interface Logged {
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

async function start(t: ExecutionContext, more: Partial<CollectorConfig> = {}) {
  const warnings: Logged[] = [];
  const log = {
    info() {},
    debug() {},
    error: (fields: object, message: string) => void warnings.push({ fields: { ...fields }, message }),
    warn: (fields: object, message: string) => void warnings.push({ fields: { ...fields }, message }),
  };
  const collector = await startCollector(
    t,
    {
      otlp: {
        ...otlpDefaults,
        maxRequestBytes: 64 * 1024,
        cors: { allowedOrigins: ['https://*.example.com'], allowedHeaders: ['x-tenant'], maxAgeMs: 60_000 },
      },
      ...more,
    },
    log as never,
  );
  return { collector, warnings };
}

const post = (
  { addresses }: Collector,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
  path = '/v1/metrics',
) =>
  fetch(`http://${addresses.http}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body,
  });

test('HTTP: protobuf and JSON, plain and compressed, are answered in kind; an empty request too', async (t) => {
  const { collector } = await start(t);
  for (const [body, encoding] of [
    [good, 'identity'],
    [gzipSync(good), 'gzip'],
    [deflateSync(good), 'deflate'],
    [Buffer.alloc(0), 'identity'],
  ] as const) {
    const response = await post(collector, body, { 'content-encoding': encoding });
    t.is(response.status, 200);
    t.is(response.headers.get('content-type'), 'application/x-protobuf');
    t.is((await response.arrayBuffer()).byteLength, 0);
  }
  const json = await post(collector, '{}', { 'content-type': 'application/json; charset=utf-8' });
  t.is(json.headers.get('content-type'), 'application/json');
  t.deepEqual(await json.json(), {});
});

test('HTTP: a partial success tells how many and why, in protobuf and JSON', async (t) => {
  const { collector, warnings } = await start(t);
  const response = await post(collector, partial);
  t.is(response.status, 200);
  const success = readPartialSuccess(Buffer.from(await response.arrayBuffer()))!;
  t.is(success.rejected, 1);
  t.regex(success.message, /^1 of 2 data points were refused: 1 no_value \(resource_metrics\[0\]/);
  const json = await post(
    collector,
    '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"5"}]}}]}]}]}',
    { 'content-type': 'application/json' },
  );
  t.like(await json.json(), { partialSuccess: { rejectedDataPoints: '1' } });
  t.is(warnings.filter(({ message }) => message === 'data points were refused').length, 1);
});

test('HTTP: what cannot be taken gets a status with a sentence', async (t) => {
  const { collector } = await start(t);
  const refused = async (response: Response, code: number, message: RegExp) => {
    t.is(response.status, code);
    t.is(response.headers.get('content-type'), 'application/x-protobuf');
    t.regex(readStatusDetails(Buffer.from(await response.arrayBuffer())).message, message);
  };
  await refused(await post(collector, Buffer.of(0x0a, 0x05)), 400, /cut off/);
  await refused(await post(collector, good, { 'content-encoding': 'gzip' }), 400, /is no gzip/);
  await refused(
    await post(collector, good, { 'content-encoding': 'br' }),
    415,
    /"br"; identity, gzip and deflate/,
  );
  const bomb = gzipSync(Buffer.alloc(70 * 1024));
  await refused(await post(collector, bomb, { 'content-encoding': 'gzip' }), 413, /otlp\.max_request_bytes/);
  const json = await post(collector, '[', { 'content-type': 'application/json' });
  t.is(json.status, 400);
  t.like(await json.json(), { code: status.INVALID_ARGUMENT });
  t.is((await post(collector, good, { 'content-type': 'text/plain' })).status, 415);
  t.is((await post(collector, Buffer.alloc(65 * 1024))).status, 413);
  const get = await fetch(`http://${collector.addresses.http}/v1/metrics`);
  t.is(get.status, 405);
  t.is(get.headers.get('allow'), 'POST, OPTIONS');
});

test('traces and logs get 404 and UNIMPLEMENTED with a sentence, and one line each in the log', async (t) => {
  const { collector, warnings } = await start(t);
  for (const path of ['/v1/traces', '/v1/logs', '/v1/traces']) {
    const response = await post(collector, good, {}, path);
    t.is(response.status, 404);
    t.regex(
      await response.text(),
      /this collector takes metrics only: switch off the exporter of (traces|logs)/,
    );
  }
  const error = await t.throwsAsync(
    exported(t, collector, good, '/opentelemetry.proto.collector.trace.v1.TraceService/Export'),
  );
  t.is((error as ServiceError).code, status.UNIMPLEMENTED);
  t.regex((error as ServiceError).details, /takes metrics only/);
  t.deepEqual(warnings.map(({ fields }) => fields.signal).sort(), ['logs', 'traces']);
  t.false((await (await fetch(`http://${collector.addresses.http}/nowhere`)).text()).includes('/v1/traces'));
});

const exportPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

function exported(
  t: ExecutionContext,
  { addresses }: Collector,
  bytes: Uint8Array,
  path = exportPath,
): Promise<Buffer> {
  const client = new Client(addresses.grpc, credentials.createInsecure());
  t.teardown(() => client.close());
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, sameBytes, sameBytes, Buffer.from(bytes), (error, answer) =>
      error === null ? resolve(answer!) : reject(error),
    );
  });
}

test('gRPC: success, partial success, and INVALID_ARGUMENT for what is malformed', async (t) => {
  const { collector } = await start(t);
  t.is((await exported(t, collector, good)).length, 0);
  t.is((await exported(t, collector, Buffer.alloc(0))).length, 0);
  t.is(readPartialSuccess(await exported(t, collector, partial))!.rejected, 1);
  const error = (await t.throwsAsync(exported(t, collector, Buffer.of(0x0a, 0x05)))) as ServiceError;
  t.is(error.code, status.INVALID_ARGUMENT);
  t.regex(error.details, /^resource_metrics\[0\]: byte 2: a field of 5 bytes is cut off/);
  const large = (await t.throwsAsync(exported(t, collector, Buffer.alloc(65 * 1024)))) as ServiceError;
  t.is(large.code, status.RESOURCE_EXHAUSTED);
});

test('gRPC: a call with no message or with two is told so', async (t) => {
  const { collector } = await start(t);
  const session = connect(`http://${collector.addresses.grpc}`);
  t.teardown(() => session.destroy());
  const frame = Buffer.concat([Buffer.of(0, 0, 0, 0, good.length), good]);
  t.is(await statusOf(session, []), status.INVALID_ARGUMENT);
  t.is(await statusOf(session, [frame, frame]), status.INVALID_ARGUMENT);
  // However it is cut.
  t.is(await statusOf(session, [frame.subarray(0, 3), frame.subarray(3, 40), frame.subarray(40)]), status.OK);
});

async function statusOf(session: ClientHttp2Session, parts: readonly Buffer[]): Promise<number> {
  const stream = session.request({
    ':method': 'POST',
    ':path': exportPath,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let found = -1;
  for (const event of ['response', 'trailers'])
    stream.on(event, (headers: Record<string, string>) => {
      if (headers['grpc-status'] !== undefined) found = Number(headers['grpc-status']);
    });
  for (const part of parts) stream.write(part);
  stream.end();
  stream.resume();
  await once(stream, 'close');
  return found;
}

test('a collector that stops says when to come again: RetryInfo and Retry-After', async (t) => {
  const { collector } = await start(t);
  const client = new Client(collector.addresses.grpc, credentials.createInsecure());
  t.teardown(() => client.close());
  const send = () =>
    new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(exportPath, sameBytes, sameBytes, good, (error) => resolve(error));
    });
  t.is(await send(), null);
  // A stream that does not leave keeps the drain going.
  const agent = connect(`http://${collector.addresses.grpc}`);
  t.teardown(() => agent.destroy());
  const stream = agent.request({
    ':method': 'POST',
    ':path': '/streamgauge.v1.TelemetryStream/Connect',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  const drained = collector.drain(1000);
  const error = (await send())!;
  t.is(error.code, status.UNAVAILABLE);
  t.regex(error.details, /the collector is stopping/);
  const [details] = (error.metadata as Metadata).get('grpc-status-details-bin') as Buffer[];
  t.is(readStatusDetails(details!).retryDelayMs, 1000);
  await drained;
});

test('pages of allowed origins may send, others may not', async (t) => {
  const { collector } = await start(t);
  const url = `http://${collector.addresses.http}/v1/metrics`;
  const preflight = (origin: string) =>
    fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-tenant',
      },
    });
  const allowed = await preflight('https://shop.example.com');
  t.is(allowed.status, 204);
  t.is(allowed.headers.get('access-control-allow-origin'), 'https://shop.example.com');
  t.is(allowed.headers.get('access-control-allow-methods'), 'POST');
  t.is(allowed.headers.get('access-control-allow-headers'), 'content-type, content-encoding, x-tenant');
  t.is(allowed.headers.get('access-control-max-age'), '60');
  t.regex(allowed.headers.get('vary')!, /Origin/);
  t.is((await preflight('https://evil.example')).status, 403);
  const sent = await post(collector, good, { origin: 'https://shop.example.com' });
  t.is(sent.status, 200);
  t.is(sent.headers.get('access-control-allow-origin'), 'https://shop.example.com');
  t.is((await post(collector, good, { origin: 'https://evil.example' })).status, 403);
  // What other routes show is still not for them.
  const metrics = await fetch(`http://${collector.addresses.http}/metrics`, {
    headers: { origin: 'https://shop.example.com' },
  });
  t.is(metrics.status, 403);
});
