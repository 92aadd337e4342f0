import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { until } from '../../interop/until.ts';
import { framed, Http2Peer, helloBytes } from './http2-peer.ts';
import { startReceiver } from './receiver.ts';

/** A connection to the port, and GOAWAY's code and text when it came. */
function connection(t: ExecutionContext, target: string) {
  const client = connectHttp2(`http://${target}`);
  t.teardown(() => client.destroy());
  client.on('error', () => {});
  const seen: { goaway?: string; closed: boolean } = { closed: false };
  client.on('goaway', (code: number, _last: number, data?: Buffer) => {
    seen.goaway = `${code} ${data ?? ''}`;
  });
  client.on('close', () => {
    seen.closed = true;
  });
  return { client, seen };
}

async function isOpen(client: ClientHttp2Session): Promise<boolean> {
  if (client.connecting) await once(client, 'connect');
  return new Promise((resolve) => {
    client.once('close', () => resolve(false));
    if (client.closed || client.destroyed) resolve(false);
    else client.ping((error) => resolve(error === null));
  });
}

const calm = `${constants.NGHTTP2_ENHANCE_YOUR_CALM}`;
const tooMany = `${calm} connections are over a limit: try again later`;

test('connections of an address: as many as allowed, one more is told to go away, and one that left makes room', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { maxConnectionsPerAddress: 2 } });
  const first = connection(t, target);
  const second = connection(t, target);
  t.true(await isOpen(first.client));
  t.true(await isOpen(second.client));
  const third = connection(t, target);
  t.false(await isOpen(third.client));
  t.is(third.seen.goaway, tooMany);
  t.is(exceeded.connections_per_address, 1);
  t.true(await isOpen(first.client));
  second.client.destroy();
  await until(async () => isOpen(connection(t, target).client), 'room');
});

test('connections in all', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { maxConnections: 1 } });
  const first = connection(t, target);
  t.true(await isOpen(first.client));
  t.false(await isOpen(connection(t, target).client));
  t.like(exceeded, { connections: 1, connections_per_address: 0 });
});

for (const cause of ['connection_rate', 'connection_rate_per_address'] as const)
  test(`new connections: ${cause}`, async (t) => {
    const key = cause === 'connection_rate' ? 'maxConnectionRate' : 'maxConnectionRatePerAddress';
    const { target, exceeded } = await startReceiver(t, { portLimits: { [key]: 1 } });
    // A second's worth comes back each second, and ten may come at once.
    for (let i = 0; i < 10; i++) t.true(await isOpen(connection(t, target).client), `${i}`);
    await until(async () => !(await isOpen(connection(t, target).client)), 'a connection that is refused');
    t.is(exceeded[cause], 1);
    await until(async () => isOpen(connection(t, target).client), 'one a second later');
  });

test('streams of an address, health checks included; one that ended makes room', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { maxStreamsPerAddress: 2 } });
  const first = new Http2Peer(t, target).read();
  first.stream.write(framed(helloBytes('a')));
  const watch = new Http2Peer(t, target, { ':path': '/grpc.health.v1.Health/Watch' }).read();
  watch.stream.end(framed(Buffer.alloc(0)));
  await until(() => first.received > 0 && watch.received > 0, 'both streams');
  for (const headers of [{}, { ':path': '/grpc.health.v1.Health/Check' }])
    t.regex(await new Http2Peer(t, target, headers).read().status(), /^8 this%20address%20has%202%20streams/);
  t.is(exceeded.streams_per_address, 2);
  watch.client.destroy();
  const agent = new SyntheticAgent({ memberId: 'b' });
  t.teardown(() => agent.cut());
  await until(
    async () =>
      agent.connect(target).then(
        () => true,
        () => false,
      ),
    'room',
  );
});

test('new streams of an address, and a connection that goes on is ended', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { maxStreamRatePerAddress: 1 } });
  const { client, seen } = connection(t, target);
  const codes: string[] = [];
  const open = () => {
    const stream = client.request({
      ':method': 'POST',
      ':path': '/streamgauge.v1.TelemetryStream/Connect',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => {});
    stream.on('response', (headers) => void codes.push(String(headers['grpc-status'])));
    return stream;
  };
  for (let i = 0; i < 10; i++) open().end();
  await until(() => codes.length === 10, 'ten streams');
  t.false(codes.includes('8'));
  while (!client.closed && codes.length < 500) {
    const stream = open();
    stream.end();
    await once(stream, 'close');
  }
  await until(() => seen.closed, 'the end of the connection');
  t.true(exceeded.stream_rate_per_address >= 100);
  t.is(exceeded.stream_rate_per_address, codes.filter((code) => code === '8').length);
});

test('header fields: as long as allowed, and longer', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { maxHeaderBytes: 2048 } });
  const status = async (length: number) => {
    const peer = new Http2Peer(t, target, { 'x-long': 'x'.repeat(length) }).read();
    peer.stream.end();
    return peer.status();
  };
  const refusal = await status(2048);
  const [, bytes] = /^8 the%20header%20fields%20have%20(\d+)%20bytes;%20at%20most%202048/.exec(refusal)!;
  const others = Number(bytes) - 2048;
  t.regex(await status(2048 - others), /^0 /);
  t.regex(await status(2049 - others), /^8 /);
  t.is(exceeded.headers, 2);
  // HTTP/2's own: its stream is reset.
  const many = Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`x-${i}`, '']));
  const peer = new Http2Peer(t, target, many).read();
  await until(() => peer.stream.closed, 'the reset');
  t.is(peer.stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
});

test('a connection that says nothing is closed', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { handshakeTimeoutMs: 100 } });
  const [host, port] = target.split(':') as [string, string];
  const silent = connect(Number(port), host);
  t.teardown(() => silent.destroy());
  silent.resume();
  await once(silent, 'close');
  t.is(exceeded.handshake_timeout, 1);
});

test('a connection without a stream is ended, one with a stream once that has ended', async (t) => {
  const { target, exceeded } = await startReceiver(t, { portLimits: { idleTimeoutMs: 300 } });
  const busy = new Http2Peer(t, target).read();
  busy.stream.write(framed(helloBytes('busy')));
  const idle = connection(t, target);
  await until(() => idle.seen.closed, 'the end of the idle one');
  t.is(idle.seen.goaway, '0 ');
  t.is(exceeded.idle_timeout, 1);
  t.false(busy.client.closed);
  busy.stream.end();
  await until(() => busy.client.closed, 'its end once it is idle');
});

test('a stream without Hello ends after the configured time', async (t) => {
  const { target, core } = await startReceiver(t, {
    helloDeadlineMs: undefined,
    portLimits: { helloTimeoutMs: 50 },
  });
  t.is(await new Http2Peer(t, target).read().status(), '4 no%20hello%20came%20within%2050%20ms');
  t.is(core.counters.streamsEnded.deadline, 1);
});

test('messages beyond the rate are read more slowly, and none is lost', async (t) => {
  const { target, core, exceeded } = await startReceiver(t, { portLimits: { maxReportRate: 50 } });
  const agent = new SyntheticAgent({ memberId: 'a' });
  t.teardown(() => agent.cut());
  await agent.connect(target);
  const startedMs = performance.now();
  for (let i = 0; i < 560; i++) agent.report([]);
  await agent.settled();
  t.is(core.counters.reports, 560);
  // 500 come at once, with Hello among them.
  t.true(performance.now() - startedMs > 1000);
  t.true(exceeded.report_rate > 0);
  t.is(agent.ended, undefined);
});

/** A stream that declares a message of a length and sends so much of it. */
function partial(t: ExecutionContext, target: string, length: number, sent: number): Http2Peer {
  const peer = new Http2Peer(t, target).read();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  peer.stream.write(prefix);
  peer.stream.write(Buffer.alloc(sent));
  return peer;
}

test('what waits of an address: streams within it stay, one more is refused, and small ones do not count', async (t) => {
  const mib = 1024 * 1024;
  const { target, exceeded, receiver } = await startReceiver(t, {
    portLimits: { maxBufferedBytesPerAddress: 4 * mib, maxBufferedBytes: 64 * mib },
  });
  const kept = partial(t, target, 3 * mib, 2 * mib);
  await until(() => receiver.bytes.total > 2 * mib, 'its bytes');
  const refused = partial(t, target, 3 * mib, 3 * mib - 1);
  t.regex(await refused.status(), /^8 the%20streams%20of%20this%20address/);
  t.is(exceeded.buffered_per_address, 1);
  t.false(kept.stream.closed);
  const small = new SyntheticAgent({ memberId: 'small' });
  t.teardown(() => small.cut());
  await small.connect(target);
  kept.client.destroy();
  await until(async () => {
    const again = partial(t, target, 3 * mib, 3 * mib - 1);
    again.stream.write(Buffer.alloc(1));
    // It came whole, and is nonsense.
    return (await again.status()).startsWith('3 ');
  }, 'room');
});

test('what waits in all', async (t) => {
  const mib = 1024 * 1024;
  const { target, exceeded } = await startReceiver(t, { portLimits: { maxBufferedBytes: mib } });
  t.regex(await partial(t, target, 3 * mib, 2 * mib).status(), /^8 all%20streams/);
  t.is(exceeded.buffered, 1);
});

test('packed messages of many streams at once are all unpacked, a few at a time', async (t) => {
  const { target, core } = await startReceiver(t);
  const peers = Array.from({ length: 20 }, (_, i) => {
    const peer = new Http2Peer(t, target, { 'grpc-encoding': 'gzip' }).read();
    peer.stream.write(framed(gzipSync(helloBytes(`m${i}`)), 1));
    return peer;
  });
  await until(() => peers.every(({ received }) => received > 0), 'all to be welcomed');
  t.is(core.counters.streamsWelcomed, 20);
});

for (const [cause, type, payload] of [
  ['pings', 6, Buffer.alloc(8)],
  ['settings', 4, Buffer.alloc(0)],
] as const)
  test(`a flood of ${cause} ends its connection, whose answers are read`, async (t) => {
    const { target, exceeded } = await startReceiver(t);
    const agent = new SyntheticAgent({ memberId: 'good' });
    t.teardown(() => agent.cut());
    await agent.connect(target);
    const socket = preface(target);
    t.teardown(() => socket.destroy());
    let reply = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      reply = Buffer.concat([reply, bytes]);
    });
    const frame = Buffer.alloc(9 + payload.length);
    frame.writeUIntBE(payload.length, 0, 3);
    frame[3] = type;
    for (let i = 0; i < 300 && !socket.destroyed; i++) socket.write(frame);
    await once(socket, 'close');
    t.is(exceeded[cause], 1);
    t.true(reply.includes(`too_many_${cause}`));
    agent.report([]);
    await agent.settled();
  });

function preface(target: string): Socket {
  const [host, port] = target.split(':') as [string, string];
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  return socket;
}

test('an old connection: its agent is asked to move on and loses nothing; who stays is cut off after the grace', async (t) => {
  const { target, core, exceeded } = await startReceiver(t, {
    grpc: { maxConnectionAgeMs: 300, maxConnectionAgeGraceMs: 2000 },
  });
  const agent = new SyntheticAgent({ memberId: 'a' });
  t.teardown(() => agent.cut());
  await agent.connect(target);
  agent.report([]);
  await agent.until(() => agent.drained, 'the instruction to leave');
  agent.report([]);
  await agent.settled();
  agent.halfClose();
  await agent.until(() => agent.ended !== undefined, 'the end');
  t.is(agent.ended?.code, 0);
  t.is(core.counters.reports, 2);

  const stubborn = new Http2Peer(t, target).read();
  let goaway: number | undefined;
  stubborn.client.on('goaway', (code: number) => {
    goaway = code;
  });
  stubborn.stream.write(framed(helloBytes('stubborn')));
  await until(() => stubborn.client.destroyed, 'the cut');
  t.is(goaway, constants.NGHTTP2_NO_ERROR);
  t.is(exceeded.connection_age, 2);
});
