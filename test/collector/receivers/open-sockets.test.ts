import { once } from 'node:events';
import { createServer } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { OpenSockets } from '../../../collector/receivers/open-sockets.ts';
import { until } from '../../agent/until.ts';
import { startReceiver } from './receiver.ts';

/** The beginning of an HTTP/2 connection: preface and empty settings. */
const beginning = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** A peer that speaks HTTP/2 and never ends its side. */
async function deafPeer(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(beginning);
  await once(socket, 'data');
  return socket;
}

test('a port that is stopped does not wait for a peer that never ends its side', async (t) => {
  const { receiver, target } = await startReceiver(t);
  const peer = await deafPeer(t, Number(target.split(':')[1]));
  await receiver.stop();
  // Nobody is there any more: what is said is answered with a reset.
  peer.resume();
  await until(
    'the connection is gone',
    () => {
      if (!peer.destroyed) peer.write('x');
      return peer.destroyed;
    },
    5000,
  );
  t.pass();
});

test('a session that was closed in order, and whose peer is silent, is cut off after a while', async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  const sockets = new OpenSockets(50);
  sockets.watch(server);
  server.on('session', (session) => {
    session.on('error', () => {});
    session.once('remoteSettings', () => {
      session.close();
      session.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await deafPeer(t, (server.address() as AddressInfo).port);
  t.is(sockets.size, 1);
  await until('it is cut off', () => sockets.size === 0, 5000);
});

test('without connections there is nothing to wait for', async (t) => {
  await new OpenSockets().end(60_000);
  t.pass();
});
