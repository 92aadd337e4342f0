import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { TcpProxy } from './tcp-proxy.ts';

/** A server that answers everything twice, and a proxy before it. */
async function doublingServer(t: ExecutionContext): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => socket.write(Buffer.concat([chunk, chunk])));
    socket.on('end', () => socket.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new TcpProxy((server.address() as AddressInfo).port);
  await proxy.listen();
  t.teardown(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return proxy;
}

async function client(proxy: TcpProxy): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  // The proxy resets what is open when a test is over.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

test('hands everything on in order and counts both directions', async (t) => {
  const proxy = await doublingServer(t);
  const socket = await client(proxy);
  const sent = Buffer.alloc(3_000_000, 'gauge');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.end(sent);
  await once(socket, 'end');
  t.is(Buffer.concat(received).length, 2 * sent.length);
  t.is(proxy.bytesUp, sent.length);
  t.is(proxy.bytesDown, 2 * sent.length);
  proxy.resetCounts();
  t.is(proxy.bytesUp + proxy.bytesDown, 0);
});

test('a cut resets the connection, and a new one works', async (t) => {
  const proxy = await doublingServer(t);
  const socket = await client(proxy);
  socket.write('a');
  await once(socket, 'data');
  proxy.cut();
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
  const again = await client(proxy);
  again.write('b');
  t.is(String((await once(again, 'data'))[0]), 'bb');
  t.is(proxy.connections, 2);
});

test('a held connection is silent, and nothing is lost when it goes on', async (t) => {
  const proxy = await doublingServer(t);
  const held = await client(proxy);
  held.write('a');
  await once(held, 'data');
  proxy.hold();
  let heard = false;
  held.on('data', () => {
    heard = true;
  });
  held.write('b');
  // Another proxy's full round trip is the time in which this one would have answered.
  const free = await client(await doublingServer(t));
  free.write('c');
  await once(free, 'data');
  t.false(heard);
  proxy.resume();
  t.is(String((await once(held, 'data'))[0]), 'bb');
});

test('a silenced connection stays silent while a new one is served', async (t) => {
  const proxy = await doublingServer(t);
  const silenced = await client(proxy);
  silenced.write('a');
  await once(silenced, 'data');
  proxy.silence();
  let heard = false;
  silenced.on('data', () => {
    heard = true;
  });
  silenced.write('b');
  const fresh = await client(proxy);
  fresh.write('c');
  t.is(String((await once(fresh, 'data'))[0]), 'cc');
  t.false(heard);
  proxy.resume();
  t.is(String((await once(silenced, 'data'))[0]), 'bb');
});

test('a delay delays each direction', async (t) => {
  const proxy = await doublingServer(t);
  proxy.delayMs = 60;
  const socket = await client(proxy);
  const began = performance.now();
  socket.write('a');
  t.is(String((await once(socket, 'data'))[0]), 'aa');
  t.true(performance.now() - began >= 118);
});

test('a refusing proxy resets new connections', async (t) => {
  const proxy = await doublingServer(t);
  proxy.refusing = true;
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
  t.is(proxy.connections, 0);
});

test('a stranded connection ends for the client, and the target hears nothing until the proxy closes', async (t) => {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    accepted.resolve(socket.resume());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new TcpProxy((server.address() as AddressInfo).port);
  await proxy.listen();
  t.teardown(async () => {
    await proxy.close();
    server.close();
  });
  const socket = await client(proxy);
  const target = await accepted.promise;
  const stranded = new Promise((resolve) => socket.once('close', resolve));
  proxy.strand();
  await stranded;
  t.is(proxy.openConnections, 0);
  // Another connection, there and back, is later than whatever the first one's end would have brought about.
  const second = once(server, 'connection');
  await client(proxy);
  await second;
  t.false(target.destroyed || target.readableEnded);
  const closed = new Promise((resolve) => target.once('close', resolve));
  await proxy.close();
  await closed;
  t.true(target.destroyed);
});
