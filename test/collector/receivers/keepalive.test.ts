import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { keepAlive } from '../../../collector/receivers/keepalive.ts';
import { until } from '../../interop/until.ts';

const timeMs = 400;

/** A connection to a server that reads what it is sent, and how often it was pinged. */
async function connection(t: ExecutionContext): Promise<{ client: ClientHttp2Session; pings: () => number }> {
  const server = createServer();
  keepAlive(server, timeMs, 5000);
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond();
    stream.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let pings = 0;
  client.on('ping', () => pings++);
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  return { client, pings: () => pings };
}

test('a silent peer that answers is pinged again and again, and stays', async (t) => {
  const { client, pings } = await connection(t);
  await until(() => pings() >= 3, 'three pings');
  t.false(client.closed);
});

test('a peer that sends is not pinged', async (t) => {
  const { client, pings } = await connection(t);
  const stream = client.request({ ':method': 'POST' });
  stream.on('error', () => {});
  const endMs = performance.now() + 4 * timeMs;
  let longestMs = 0;
  for (let before = performance.now(); performance.now() < endMs; ) {
    stream.write('report');
    await delay(timeMs / 20);
    const now = performance.now();
    longestMs = Math.max(longestMs, now - before);
    before = now;
  }
  // On a machine that stalled, the peer was silent.
  if (longestMs < timeMs / 2) t.is(pings(), 0);
  else t.pass(`it was silent for ${longestMs} ms`);
  await until(() => pings() > 0, 'a ping once it is silent');
});
