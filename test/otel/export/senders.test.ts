import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type OtlpSenderOptions, otlpGrpcSender } from '../../../otel/export/otlp-grpc.ts';
import { otlpHttpSender } from '../../../otel/export/otlp-http.ts';
import type { RequestSender, SendResult } from '../../../otel/export/request-sender.ts';
import { encodeRequests } from '../../../otel/otlp/encode-requests.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import type { Fault } from '../../sinks/fault-plan.ts';
import { startGrpcSink } from '../../sinks/grpc-sink.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import { receivedPoints } from '../../sinks/received-points.ts';
import { GrowingSums } from './growing-sums.ts';

const protocols = {
  grpc: { make: otlpGrpcSender, start: startGrpcSink },
  http: { make: otlpHttpSender, start: startHttpSink },
} as const;
type Protocol = keyof typeof protocols;
const names = Object.keys(protocols) as Protocol[];
const never = new AbortController().signal;
const request = requestOf(3);

function requestOf(series: number): Uint8Array {
  const sums = new GrowingSums('cumulative', series);
  return [...encodeRequests(sums.collect(1_790_000_000_000_000))][0]!.bytes;
}

async function outcome(
  protocol: Protocol,
  fault: Fault,
  options: Partial<OtlpSenderOptions> = {},
): Promise<SendResult> {
  const { make, start } = protocols[protocol];
  await using sink = await start({ plan: () => fault });
  const sender = make({ endpoint: sink.url, timeoutMs: 30_000, ...options });
  try {
    return await sender.send(request, never);
  } finally {
    sender.close();
  }
}

/** What an outcome is, in one line. */
function inWords(result: SendResult): string {
  if (result.kind === 'success')
    return result.warning === undefined ? 'success' : 'success, unreadable answer';
  return `${result.kind} ${result.error.code}`;
}

const mapping = test.macro({
  title: (_, protocol: Protocol, fault: Fault) => `${protocol}: ${JSON.stringify(fault)}`,
  async exec(t: ExecutionContext, protocol: Protocol, fault: Fault, expected: string) {
    t.is(inWords(await outcome(protocol, fault)), expected);
  },
});
test(mapping, 'grpc', 'ok', 'success');
test(mapping, 'grpc', 'unavailable', 'retryable UNAVAILABLE');
test(mapping, 'grpc', 'invalid', 'permanent INVALID_ARGUMENT');
test(mapping, 'grpc', 'close', 'retryable UNAVAILABLE');
test(mapping, 'grpc', 'garbage', 'success, unreadable answer');
test(mapping, 'http', 'ok', 'success');
test(mapping, 'http', 'unavailable', 'retryable 503');
test(mapping, 'http', 'invalid', 'permanent 400');
test(mapping, 'http', 'close', 'retryable ECONNRESET');
test(mapping, 'http', 'garbage', 'success, unreadable answer');

for (const protocol of names) {
  const { make, start } = protocols[protocol];

  for (const compression of ['gzip', 'none'] as const) {
    test(`${protocol}: bytes arrive as they were, compression ${compression}, with headers`, async (t) => {
      await using sink = await start();
      const options = {
        endpoint: sink.url,
        compression,
        headers: { 'x-tenant': 'blue' },
        userAgent: 'gauge/1',
      };
      const sender = make(options);
      const large = requestOf(1000);
      t.deepEqual(await sender.send(large, never), { kind: 'success' });
      sender.close();
      const [{ headers, bytes, request: received }] = sink.attempts as [(typeof sink.attempts)[0]];
      t.deepEqual(bytes, Buffer.from(large));
      t.is(receivedPoints([received]).length, 1000);
      t.is(headers['x-tenant'], 'blue');
      t.true(headers['user-agent']?.startsWith('gauge/1'));
      t.is(
        sink.bytesIn < large.length / 2,
        compression === 'gzip',
        `${sink.bytesIn} of ${large.length} bytes`,
      );
    });
  }

  test(`${protocol}: the delay that a throttling server asks for is handed on`, async (t) => {
    const result = await outcome(protocol, { throttleMs: 3000 });
    t.like(result, { kind: 'retryable', delayMs: 3000 });
  });

  test(`${protocol}: partial success is handed on`, async (t) => {
    const result = await outcome(protocol, { rejected: 2, message: 'too old' });
    t.deepEqual(result, { kind: 'success', partialSuccess: { rejected: 2, message: 'too old' } });
  });

  test(`${protocol}: a server that never answers is given up in time`, async (t) => {
    const from = performance.now();
    const result = await outcome(protocol, 'hang', { timeoutMs: 300 });
    t.is(inWords(result), 'retryable DEADLINE_EXCEEDED');
    t.true(performance.now() - from < 9000);
  });

  test(`${protocol}: an aborted request ends at once`, async (t) => {
    await using sink = await start({ plan: () => 'hang' });
    const sender = make({ endpoint: sink.url, timeoutMs: 30_000 });
    const abort = new AbortController();
    const sent = sender.send(request, abort.signal);
    await sink.waitFor(({ attempts }) => attempts.length === 1, 'the request has arrived');
    abort.abort();
    t.is((await sent).kind, 'retryable');
    t.is((await sender.send(request, abort.signal)).kind, 'retryable', 'aborted before');
    t.is(sink.attempts.length, 1);
    sender.close();
  });

  test(`${protocol}: a backend that comes back on its port is found again`, async (t) => {
    await using sink = await start();
    const sender = make({ endpoint: sink.url, timeoutMs: 20_000 });
    t.is((await sender.send(request, never)).kind, 'success');
    await sink.stop();
    t.is((await sender.send(request, never)).kind, 'retryable');
    await sink.start();
    t.is((await untilSuccess(sender)).kind, 'success');
    t.is(sink.attempts.length, 2);
    sender.close();
  });

  test(`${protocol}: nothing listens`, async (t) => {
    const sink = await start();
    await sink.stop();
    const sender = make({ endpoint: sink.url, timeoutMs: 20_000 });
    const result = await sender.send(request, never);
    t.is(inWords(result), protocol === 'grpc' ? 'retryable UNAVAILABLE' : 'retryable ECONNREFUSED');
    const message = result.kind === 'success' ? '' : result.error.message;
    t.true(message.includes(`127.0.0.1:${sink.port}`));
    t.notRegex(message, /Resolution note/);
    sender.close();
  });

  test(`${protocol}: a port that speaks another protocol is a failure that may pass`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
      socket.end('220 mail.example.net ESMTP\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const sender = make({ endpoint: `http://127.0.0.1:${port}`, timeoutMs: 1000 });
    t.is((await sender.send(request, never)).kind, 'retryable');
    sender.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test(`${protocol}: values of headers are in no error, even if the backend repeats them`, async (t) => {
    const secret = 'Bearer abc.def-123';
    const result = await outcome(
      protocol,
      { rejected: 1, message: 'no rights for abc.def-123' },
      { headers: { authorization: secret } },
    );
    t.deepEqual(result, {
      kind: 'success',
      partialSuccess: { rejected: 1, message: 'no rights for [redacted]' },
    });
    const error = t.throws(
      () => make({ endpoint: 'http://127.0.0.1:1', headers: { token: 'abc\u0000def' } }),
      {
        instanceOf: RangeError,
        message: /header "token"/,
      },
    );
    t.false(String(error?.stack).includes('abc'));
  });
}

async function untilSuccess(sender: RequestSender): Promise<SendResult> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const result = await sender.send(request, never);
    if (result.kind === 'success' || performance.now() > deadline) return result;
    await delay(100);
  }
}

test('grpc: a connection that went silent is replaced', async (t) => {
  await using sink = await startGrpcSink();
  const { proxy, sender } = await senderThroughProxy(t, sink.port);
  t.is((await untilSuccess(sender)).kind, 'success');
  const { connections } = proxy;
  proxy.silence();
  t.is(inWords(await sender.send(request, never)), 'retryable DEADLINE_EXCEEDED');
  t.is(inWords(await sender.send(request, never)), 'retryable DEADLINE_EXCEEDED');
  t.is((await untilSuccess(sender)).kind, 'success');
  t.true(proxy.connections > connections);
});

test('grpc: a connection that is made slowly is not begun anew at each try', async (t) => {
  await using sink = await startGrpcSink();
  const { proxy, sender } = await senderThroughProxy(t, sink.port);
  proxy.hold();
  for (let i = 0; i < 5; i++) t.is(inWords(await sender.send(request, never)), 'retryable DEADLINE_EXCEEDED');
  t.is(proxy.connections, 1);
  proxy.resume();
  t.is((await untilSuccess(sender)).kind, 'success');
});

async function senderThroughProxy(t: ExecutionContext, port: number) {
  const proxy = new TcpProxy(port);
  t.teardown(() => proxy.close());
  const sender = otlpGrpcSender({ endpoint: `http://127.0.0.1:${await proxy.listen()}`, timeoutMs: 500 });
  t.teardown(() => sender.close());
  return { proxy, sender };
}

test('http: another path is an error that names status and reason', async (t) => {
  await using sink = await startHttpSink();
  const sender = otlpHttpSender({ endpoint: `${sink.url}/other` });
  const result = await sender.send(request, never);
  t.is(inWords(result), 'permanent 404');
  t.true(result.kind === 'permanent' && result.error.message.includes('this sink has /v1/metrics only'));
  sender.close();
});
