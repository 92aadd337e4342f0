import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { HttpListener } from '../../../collector/http/http-listener.ts';
import { type Route, textAnswer } from '../../../collector/http/route.ts';
import { StreamgaugeError } from '../../../proto/error.ts';
import { startListener } from './start-listener.ts';

const hello: Route = { method: 'GET', path: '/hello', summary: '', handle: () => textAnswer(200, 'hello') };

test('answers GET and HEAD, 404 and 405 with a sentence', async (t) => {
  const { ask } = await startListener(t, { routes: [hello] });
  const got = await ask('/hello?a=b');
  t.is(got.status, 200);
  t.is(got.text, 'hello\n');
  t.is(got.headers['x-content-type-options'], 'nosniff');

  const head = await ask('/hello', { method: 'HEAD' });
  t.is(head.status, 200);
  t.is(head.body.length, 0);

  const missing = await ask('/nothing');
  t.is(missing.status, 404);
  t.is(missing.text, 'There is nothing here; there is /hello.\n');
  t.is((await ask('//hello')).status, 404);
  t.is((await ask('http://elsewhere/hello')).status, 404);

  for (const method of ['POST', 'DELETE', 'OPTIONS', 'TRACE']) {
    const refused = await ask('/hello', { method });
    t.is(refused.status, 405);
    t.is(refused.headers.allow, 'GET, HEAD');
  }
});

test('on loopback only loopback names are answered', async (t) => {
  const { listener, ask } = await startListener(t, { routes: [hello] });
  for (const host of [
    'localhost',
    `localhost:${listener.port}`,
    '127.0.0.1:1',
    '[::1]:4318',
    '[::1]',
    'LOCALHOST',
    '127.1.2.3',
  ]) {
    t.is((await ask('/hello', { headers: { host } })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'localhost:1:2',
    '[::2]',
  ]) {
    const refused = await ask('/hello', { headers: { host } });
    t.is(refused.status, 403, host);
    t.true(refused.text.includes('localhost only'));
  }
});

test('pages of other origins are refused', async (t) => {
  const { listener, ask } = await startListener(t, { routes: [hello] });
  const host = `localhost:${listener.port}`;
  const from = (origin: string) => ask('/hello', { headers: { host, origin } });
  t.is((await ask('/hello', { headers: { host } })).status, 200);
  t.is((await from(`http://${host}`)).status, 200);
  t.is((await from('http://evil.example')).status, 403);
  t.is((await from('http://localhost:1')).status, 403);
  t.is((await from('null')).status, 403);
});

test('failures have a status after their kind; what a bug says stays inside', async (t) => {
  const failing = (path: string, error: unknown): Route => ({
    ...hello,
    path,
    handle: () => {
      throw error;
    },
  });
  const { ask, failures } = await startListener(t, {
    routes: [
      failing('/bug', new TypeError('the secret of line 5')),
      failing('/busy', new StreamgaugeError('overloaded', 'Come back.', { retryDelayMs: 1500 })),
      failing('/wrong', new StreamgaugeError('invalid_data', 'No.')),
    ],
  });
  const bug = await ask('/bug');
  t.is(bug.status, 500);
  t.false(bug.text.includes('secret'));
  t.deepEqual(failures, [{ message: 'the secret of line 5', path: '/bug' }]);
  const busy = await ask('/busy');
  t.is(busy.status, 503);
  t.is(busy.headers['retry-after'], '2');
  t.is((await ask('/wrong')).status, 400);
  t.is(failures.length, 1);
});

test('bodies are read up to the route’s limit', async (t) => {
  const echo: Route = {
    method: 'POST',
    path: '/echo',
    summary: '',
    maxBodyBytes: 10,
    handle: ({ body, query }) => textAnswer(200, `${body}${query.get('q')}`),
  };
  const { ask } = await startListener(t, { routes: [echo] });
  t.is((await ask('/echo?q=%20x', { method: 'POST', body: '0123456789' })).text, '0123456789 x\n');
  t.is((await ask('/echo', { method: 'POST', body: '0123456789a' })).status, 413);
  const chunked = { 'transfer-encoding': 'chunked' };
  t.is((await ask('/echo', { method: 'POST', body: '0123456789a', headers: chunked })).status, 413);
  t.is((await ask('/echo')).headers.allow, 'POST');
});

test('large answers are compressed for those who take gzip, small ones are not', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`);
  const { ask } = await startListener(t, {
    routes: [
      hello,
      { ...hello, path: '/large', handle: () => ({ status: 200, contentType: 'text/plain', body: lines }) },
    ],
  });
  const gzip = { headers: { 'accept-encoding': 'br, gzip;q=0.5' } };
  const large = await ask('/large', gzip);
  t.is(large.headers['content-encoding'], 'gzip');
  t.is(gunzipSync(large.body).toString(), lines.join(''));
  for (const encoding of ['', 'br', 'gzip;q=0', 'identity']) {
    const plain = await ask('/large', { headers: { 'accept-encoding': encoding } });
    t.is(plain.headers['content-encoding'], undefined, encoding);
    t.is(plain.text, lines.join(''));
  }
  t.is((await ask('/hello', gzip)).headers['content-encoding'], undefined);
});

test('pieces are made only as fast as the client takes them', async (t) => {
  let made = 0;
  let returned = false;
  function* endless() {
    try {
      for (;;) {
        made++;
        yield 'x'.repeat(65_536);
      }
    } finally {
      returned = true;
    }
  }
  const { listener, failures } = await startListener(t, {
    routes: [{ ...hello, handle: () => ({ status: 200, contentType: 'text/plain', body: endless() }) }],
  });
  const socket = connect(listener.port, '127.0.0.1');
  socket.write('GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n');
  socket.pause();
  let before = -1;
  while (made !== before || made === 0) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.true(made < 500, `${made} pieces were made for a client that takes none`);
  socket.destroy();
  while (!returned) await new Promise((resolve) => setTimeout(resolve, 5));
  t.deepEqual(failures, []);
});

test('an answer whose making fails in the middle is broken off, not ended', async (t) => {
  function* failing() {
    yield 'x'.repeat(65_536);
    throw new Error('no more');
  }
  const { ask, failures } = await startListener(t, {
    routes: [{ ...hello, handle: () => ({ status: 200, contentType: 'text/plain', body: failing() }) }],
  });
  await t.throwsAsync(ask('/hello'));
  t.is(failures[0]?.message, 'no more');
});

test('bytes that are no request, and heads that are too long, get an error and harm nobody', async (t) => {
  const { listener, ask } = await startListener(t, { routes: [hello] });
  const send = async (bytes: string) => {
    const socket = connect(listener.port, '127.0.0.1');
    let reply = '';
    socket.on('data', (part) => {
      reply += part;
    });
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    return reply.split('\r\n', 1)[0];
  };
  t.is(await send('\0\0 nonsense\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
  t.is(await send('GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
  const long = `GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(10_000)}\r\n\r\n`;
  t.is(await send(long), 'HTTP/1.1 431 Request Header Fields Too Large');
  t.is((await ask('/hello')).status, 200);
});

test('an address that cannot be had is a config error which names it and the setting', async (t) => {
  const { listener } = await startListener(t);
  const options = {
    name: 'HTTP',
    host: '127.0.0.1',
    portSetting: '--http-port or http.port',
    routes: [],
    onFailure: () => {},
  };
  const second = new HttpListener({ ...options, port: listener.port });
  const used = await t.throwsAsync(second.start(), { instanceOf: StreamgaugeError });
  t.is(used?.kind, 'config');
  t.is(
    used?.message,
    `The HTTP server cannot listen on 127.0.0.1:${listener.port}: another program listens there already. Choose another with --http-port or http.port.`,
  );
  await second.stop();
  const elsewhere = new HttpListener({ ...options, host: '192.0.2.1', port: 0 });
  const foreign = await t.throwsAsync(elsewhere.start(), { instanceOf: StreamgaugeError });
  t.true(foreign?.message.includes('this machine has no such address'));
});

test('stop is safe before start and when repeated; start heeds a signal', async (t) => {
  const options = { name: 'x', host: '127.0.0.1', port: 0, portSetting: '', routes: [], onFailure: () => {} };
  const never = new HttpListener(options);
  await never.stop();
  await never.stop();
  t.is(never.address, '');
  const cancelled = await t.throwsAsync(new HttpListener(options).start(AbortSignal.abort()), {
    instanceOf: StreamgaugeError,
  });
  t.is(cancelled?.kind, 'cancelled');
  const running = new HttpListener(options);
  await running.start();
  t.is(running.address, `127.0.0.1:${running.port}`);
  await Promise.all([running.stop(), running.stop()]);
  await running.stop();
  t.is(running.port, 0);
  t.deepEqual(await running.drain(1), { answered: 0, cutOff: 0 });
});

test('a drain answers what was asked, and cuts off what is not answered in time', async (t) => {
  const slow = Promise.withResolvers<void>();
  let asked = 0;
  const route: Route = {
    ...hello,
    handle: async () => {
      asked++;
      await slow.promise;
      return textAnswer(200, 'late');
    },
  };
  const first = await startListener(t, { routes: [route] });
  const reply = first.ask('/hello');
  while (asked < 1) await new Promise((resolve) => setTimeout(resolve, 2));
  const drained = first.listener.drain(10_000);
  await t.throwsAsync(first.ask('/hello'), { code: 'ECONNREFUSED' });
  slow.resolve();
  t.is((await reply).text, 'late\n');
  t.deepEqual(await drained, { answered: 1, cutOff: 0 });

  const never = await startListener(t, { routes: [{ ...hello, handle: () => new Promise(() => asked++) }] });
  const lost = t.throwsAsync(never.ask('/hello'));
  while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  t.deepEqual(await never.listener.drain(20), { answered: 0, cutOff: 1 });
  await lost;
});
