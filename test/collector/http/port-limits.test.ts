import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type HttpLimits, httpLimits } from '../../../collector/config/limits-config.ts';
import type { HttpListenerOptions } from '../../../collector/http/http-listener.ts';
import { type Route, textAnswer } from '../../../collector/http/route.ts';
import { Exceeded, limitCounters } from '../../../collector/security/exceeded.ts';
import { until } from '../../interop/until.ts';
import { startListener } from './start-listener.ts';

const hello: Route = { method: 'GET', path: '/hello', summary: '', handle: () => textAnswer(200, 'hello') };

async function limited(
  t: ExecutionContext,
  limits: Partial<HttpLimits>,
  options: Partial<HttpListenerOptions> = {},
) {
  const exceeded = limitCounters();
  const started = await startListener(t, {
    routes: [hello],
    limits: { ...httpLimits, ...limits },
    exceeded: new Exceeded(exceeded, () => {}).of('http'),
    ...options,
  });
  return { ...started, exceeded };
}

/** A connection that sends this; what it was answered, and whether it is closed. */
function raw(t: ExecutionContext, port: number, bytes = '') {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const seen = { reply: '', closed: false };
  socket.on('error', () => {});
  socket.on('data', (part) => {
    seen.reply += part;
  });
  socket.on('close', () => {
    seen.closed = true;
  });
  socket.write(bytes);
  return { socket, seen };
}

const get = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n';
const lineOf = ({ reply }: { reply: string }) => reply.split('\r\n', 1)[0];

for (const [cause, limits] of [
  ['connections_per_address', { maxConnectionsPerAddress: 2 }],
  ['connections', { maxConnections: 2 }],
] as const)
  test(`as many connections as allowed; one more is told to come back: ${cause}`, async (t) => {
    const { listener, exceeded } = await limited(t, limits);
    const held = [raw(t, listener.port, get), raw(t, listener.port, get)];
    await until(() => held.every(({ seen }) => seen.reply.endsWith('hello\n')), 'two answers');
    const { seen } = raw(t, listener.port, get);
    await until(() => seen.closed, 'the third one to be closed');
    t.is(lineOf(seen), 'HTTP/1.1 503 Service Unavailable');
    t.regex(seen.reply, /\r\nRetry-After: 10\r\n/);
    t.is(exceeded[cause], 1);
    held[0]!.socket.write(get);
    await until(() => held[0]!.seen.reply.split('hello\n').length === 3, 'those that are held to go on');
    held[1]!.socket.destroy();
    await until(async () => {
      const next = raw(t, listener.port, get);
      await until(() => next.seen.reply !== '' || next.seen.closed, 'an answer');
      return lineOf(next.seen) === 'HTTP/1.1 200 OK';
    }, 'room');
  });

for (const [cause, limits] of [
  ['connection_rate_per_address', { maxConnectionRatePerAddress: 1 }],
  ['connection_rate', { maxConnectionRate: 1 }],
] as const)
  test(`new connections: ${cause}`, async (t) => {
    const { ask, exceeded } = await limited(t, limits);
    for (let i = 0; i < 10; i++) t.is((await ask('/hello')).status, 200);
    await until(async () => (await ask('/hello')).status === 503, 'a connection that is refused');
    t.is(exceeded[cause], 1);
    await until(async () => (await ask('/hello')).status === 200, 'one a second later');
  });

test('heads: as long as allowed, and longer', async (t) => {
  const { listener, exceeded } = await limited(t, { maxHeaderBytes: 1024 });
  const long = (length: number) =>
    `GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(length)}\r\n\r\n`;
  const fits = raw(t, listener.port, long(900));
  await until(() => fits.seen.reply.endsWith('hello\n'), 'an answer');
  const over = raw(t, listener.port, long(1100));
  await until(() => over.seen.closed, 'the end');
  t.is(lineOf(over.seen), 'HTTP/1.1 431 Request Header Fields Too Large');
  t.is(exceeded.headers, 1);
});

test('a head, and a body, that take too long', async (t) => {
  const post: Route = { ...hello, method: 'POST', maxBodyBytes: 100 };
  const { listener, exceeded } = await limited(
    t,
    { headersTimeoutMs: 200, requestTimeoutMs: 400 },
    { routes: [post] },
  );
  const peers = [
    raw(t, listener.port, 'GET /hello HT'),
    raw(t, listener.port, 'POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc'),
  ];
  for (const { seen } of peers) {
    await until(() => seen.closed, 'the end');
    t.is(lineOf(seen), 'HTTP/1.1 408 Request Timeout');
  }
  t.is(exceeded.request_timeout, 2);
});

test('bodies: the port’s limit holds where that of an address is higher', async (t) => {
  const post: Route = { ...hello, method: 'POST', maxBodyBytes: 1e6 };
  const { ask, exceeded } = await limited(t, { maxBodyBytes: 2000 }, { routes: [post] });
  const send = async (length: number, headers = {}) =>
    (await ask('/hello', { method: 'POST', body: 'x'.repeat(length), headers })).status;
  t.is(await send(2000), 200);
  t.is(await send(2001), 413);
  t.is(await send(2001, { 'transfer-encoding': 'chunked' }), 413);
  t.is(exceeded.body, 2);
});

test('a client that does not read its answer is cut off', async (t) => {
  function* endless() {
    for (;;) yield 'x'.repeat(65_536);
  }
  const { listener, exceeded, failures } = await limited(
    t,
    { answerTimeoutMs: 200 },
    { routes: [{ ...hello, handle: () => ({ status: 200, contentType: 'text/plain', body: endless() }) }] },
  );
  const { socket, seen } = raw(t, listener.port, get);
  socket.pause();
  await until(() => exceeded.answer_timeout === 1, 'the time to be over');
  socket.resume();
  await until(() => seen.closed, 'the end');
  t.deepEqual(failures, []);
});

test('an idle connection is closed', async (t) => {
  const { listener } = await limited(t, { idleTimeoutMs: 100 });
  const { seen } = raw(t, listener.port, get);
  await until(() => seen.closed, 'the end');
  t.is(lineOf(seen), 'HTTP/1.1 200 OK');
});

test('hosts that are allowed, on loopback beside its own; hosts and origins that are not are counted', async (t) => {
  const { ask, exceeded } = await limited(t, {}, { allowedHosts: ['metrics.example', '10.0.0.1'] });
  const status = async (headers: Record<string, string>) => (await ask('/hello', { headers })).status;
  for (const host of ['metrics.example', 'METRICS.example:4318', '10.0.0.1', 'localhost'])
    t.is(await status({ host }), 200, host);
  t.is(await status({ host: 'evil.example' }), 403);
  t.is(exceeded.host, 1);
  const host = 'metrics.example';
  t.is(await status({ host, origin: 'https://metrics.example' }), 200);
  for (const origin of [
    'https://evil.example',
    'null',
    'https://metrics.example.evil',
    'file://metrics.example',
  ])
    t.is(await status({ host, origin }), 403, origin);
  t.is(exceeded.origin, 4);
});

test('elsewhere hosts are those that are allowed, and any where none are named', async (t) => {
  for (const [allowedHosts, foreign] of [
    [['metrics.example'], 403],
    [[], 200],
  ] as const) {
    const { ask } = await limited(t, {}, { host: '0.0.0.0', allowedHosts });
    t.is((await ask('/hello', { headers: { host: 'metrics.example' } })).status, 200);
    t.is((await ask('/hello', { headers: { host: 'evil.example' } })).status, foreign);
    t.is((await ask('/hello', { headers: { host: 'localhost' } })).status, foreign);
  }
});

test('a client that sends on while it is told that its body is too large reads why', async (t) => {
  const post: Route = { ...hello, method: 'POST', maxBodyBytes: 1000 };
  const { listener } = await limited(t, {}, { routes: [post] });
  const call = request({
    port: listener.port,
    host: '127.0.0.1',
    path: '/hello',
    method: 'POST',
    agent: false,
  });
  call.on('error', () => {});
  const answered = once(call, 'response');
  for (let i = 0; i < 20; i++) {
    call.write('x'.repeat(1000));
    await delay(1);
  }
  const [response] = await answered;
  t.is(response.statusCode, 413);
  call.destroy();
});

test('requests that do not await answers: a few are answered, one more is told so, and the rest is not looked at', async (t) => {
  let handled = 0;
  const slow: Route = {
    ...hello,
    async handle() {
      handled++;
      await delay(50);
      return textAnswer(200, 'hello');
    },
  };
  const { listener, exceeded } = await limited(t, {}, { routes: [slow] });
  const { seen } = raw(t, listener.port, get.repeat(1000));
  await until(() => seen.closed, 'the end');
  const statuses = [...seen.reply.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  t.deepEqual(statuses, [...Array.from({ length: 8 }, () => '200'), '503']);
  t.is(handled, 8);
  t.is(exceeded.pipelined, 1);
  const again = raw(t, listener.port, get.repeat(8));
  await until(() => again.seen.reply.split('hello\n').length === 9, 'eight answers');
});
