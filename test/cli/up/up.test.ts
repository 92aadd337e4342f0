import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Child } from '../../process/child.ts';
import { testEnvironment } from '../../process/streamgauge.ts';

const entry = fileURLToPath(new URL('../../../cli/streamgauge.mjs', import.meta.url));
const anyPorts = ['--grpc-port', '0', '--http-port', '0', '--admin-port', '0'];

test('up serves and forwards what the agent on this machine reports, and ends with 0', async (t) => {
  const posted = Promise.withResolvers<string | undefined>();
  const backend = createServer((request, response) => {
    request.resume();
    posted.resolve(`${request.method} ${request.url} ${request.headers['content-type']}`);
    response.setHeader('content-type', 'application/x-protobuf').end();
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port } = backend.address() as { port: number };
  const otlp = ['--otlp', `http://127.0.0.1:${port}`, '--otlp-interval', '200ms'];
  const child = new Child(process.execPath, [entry, 'up', ...anyPorts, ...otlp], { env: testEnvironment });
  t.teardown(async () => {
    await child.kill();
    backend.close();
  });
  const [, metrics] = await child.waitForOutput(/metrics are at (http:\/\/[\d.:]+\/metrics)/);
  t.is(await posted.promise, 'POST /v1/metrics application/x-protobuf');
  let text = '';
  while (!text.includes('system_uptime')) text = await (await fetch(metrics!)).text();
  t.regex(text, /^system_uptime\S*\{.*\} [\d.]+$/m);
  t.is(await child.stop(), 0);
  t.regex(child.output, /"msg":"agent drained"/);
});

test('a port in use is one sentence', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const child = new Child(process.execPath, [entry, 'collector', ...anyPorts, '--http-port', String(port)]);
  t.deepEqual(await child.wait(), { code: 1, signal: null });
  taken.close();
  t.is(
    child.output,
    `streamgauge: The HTTP server cannot listen on 127.0.0.1:${port}: another program listens there already. Choose another with --http-port or http.port.\n`,
  );
});
