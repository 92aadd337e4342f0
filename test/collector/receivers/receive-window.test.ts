import { once } from 'node:events';
import http2 from 'node:http2';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { receiveWindowBytes, widenReceiveWindow } from '../../../collector/receivers/receive-window.ts';

/** A bound gRPC server, and what an HTTP/2 client may send it on a stream and on the connection. */
async function windowsOf(prepare: (server: Server) => void): Promise<{ stream: number; connection: number }> {
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  prepare(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  try {
    await once(client, 'connect');
    // What the server says on connecting arrives before the answer to a ping.
    await new Promise<void>((resolve, reject) =>
      client.ping((error) => (error === null ? resolve() : reject(error))),
    );
    return {
      stream: client.remoteSettings.initialWindowSize!,
      connection: client.state.remoteWindowSize!,
    };
  } finally {
    client.destroy();
    server.forceShutdown();
  }
}

test('the windows of connections to a gRPC server are wide', async (t) => {
  t.deepEqual(await windowsOf(widenReceiveWindow), {
    stream: receiveWindowBytes,
    connection: receiveWindowBytes,
  });
});

test('without widening they are not, so that there is still a reason to', async (t) => {
  const { stream, connection } = await windowsOf(() => {});
  t.true(stream < receiveWindowBytes && connection < receiveWindowBytes, `${stream}, ${connection}`);
});

test('a server that is not bound, or of another build, is an error that says so', (t) => {
  t.throws(() => widenReceiveWindow(new Server()), { message: /does not show its HTTP\/2 servers/ });
});
