import { createServer, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { deflateSync, gunzip, gzipSync } from 'node:zlib';
import test from 'ava';
import { Http2Call } from '../../../collector/receivers/http2-call.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { until } from '../../interop/until.ts';
import { framed, Http2Peer, helloBytes } from './http2-peer.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const hello = helloBytes();
const goodbye = encodeAgentMessage({ type: 'goodbye', lastReport: 0 });
const gzipped = framed(gzipSync(hello), 1);

interface Scenario {
  readonly headers?: OutgoingHttpHeaders;
  /** What the peer sends; in one piece each. */
  readonly writes?: readonly Buffer[];
  readonly isHalfClosed?: boolean;
  readonly maxMessageBytes?: number;
  readonly before?: (receiver: Receiver) => Promise<unknown>;
  /** `grpc-status grpc-message`. */
  readonly status: string;
  readonly welcomed?: number;
}

// The oracle is grpc-js, which serves the same method where its HTTP/2 servers cannot be had.
const same = test.macro<[Scenario]>({
  async exec(
    t,
    { headers, writes = [], isHalfClosed = false, maxMessageBytes, before, status, welcomed = 0 },
  ) {
    const seen: object[] = [];
    for (const isGrpcJs of [false, true]) {
      const limits = maxMessageBytes === undefined ? {} : { maxMessageBytes };
      const receiver = await startReceiver(t, { isGrpcJs, limits });
      const { core, target } = receiver;
      await before?.(receiver);
      const peer = new Http2Peer(t, target, headers).read();
      for (const bytes of writes) peer.stream.write(bytes);
      if (isHalfClosed) peer.stream.end();
      t.is(await peer.status(), status, isGrpcJs ? 'grpc-js' : 'ours');
      await until(() => core.sessions.size === 0, 'the session to be gone');
      t.is(core.counters.streamsWelcomed, welcomed);
      const { ':status': http, 'content-type': type, 'grpc-encoding': encoding } = peer.headers ?? {};
      seen.push({ http, type, isWelcomed: peer.received > 0, isTrailersOnly: peer.trailers === undefined });
      if (peer.trailers !== undefined) t.is(encoding, 'identity');
    }
    t.deepEqual(seen[0], seen[1]);
  },
  title: (name) => `as grpc-js does: ${name}`,
});

const ok = '0 OK';

test('a conversation', same, { writes: [framed(hello), framed(goodbye)], status: ok, welcomed: 1 });
test('messages in one piece', same, {
  writes: [Buffer.concat([framed(hello), framed(goodbye)])],
  status: ok,
  welcomed: 1,
});
test('a message byte by byte', same, {
  writes: [...framed(hello)].map((byte) => Buffer.from([byte])),
  isHalfClosed: true,
  status: ok,
  welcomed: 1,
});
test('gzip, and what follows at once is read after it', same, {
  headers: { 'grpc-encoding': 'gzip' },
  writes: [Buffer.concat([gzipped, framed(goodbye)])],
  status: ok,
  welcomed: 1,
});
test('gzip, and a half-close at once', same, {
  headers: { 'grpc-encoding': 'gzip' },
  writes: [gzipped],
  isHalfClosed: true,
  status: ok,
  welcomed: 1,
});
test('gzip twice', same, {
  headers: { 'grpc-encoding': 'gzip' },
  writes: [Buffer.concat([gzipped, framed(gzipSync(goodbye), 1)])],
  status: ok,
  welcomed: 1,
});
test('gzip twice, in two pieces', same, {
  headers: { 'grpc-encoding': 'gzip' },
  writes: [gzipped, framed(gzipSync(goodbye), 1)],
  status: ok,
  welcomed: 1,
});
test('deflate', same, {
  headers: { 'grpc-encoding': 'deflate' },
  writes: [framed(deflateSync(hello), 1), framed(goodbye)],
  status: ok,
  welcomed: 1,
});
test('a compressed message without an encoding is as it is', same, {
  writes: [framed(hello, 1), framed(goodbye)],
  status: ok,
  welcomed: 1,
});
test('an encoding that is not known', same, {
  headers: { 'grpc-encoding': 'snappy' },
  writes: [framed(hello, 1)],
  status: '12 Received%20message%20compressed%20with%20unsupported%20encoding%20%22snappy%22',
});
test('an encoding that is not known and not used', same, {
  headers: { 'grpc-encoding': 'snappy' },
  writes: [framed(hello)],
  isHalfClosed: true,
  status: ok,
  welcomed: 1,
});
test('what is no gzip', same, {
  headers: { 'grpc-encoding': 'gzip' },
  writes: [framed(hello, 1)],
  status: '13 Failed%20to%20decompress%20message',
});
test('a message as long as allowed', same, {
  maxMessageBytes: hello.length,
  writes: [framed(hello), framed(goodbye)],
  status: ok,
  welcomed: 1,
});
test('a message longer than allowed', same, {
  maxMessageBytes: hello.length - 1,
  writes: [framed(hello)],
  status: `8 Received%20message%20larger%20than%20max%20(${hello.length}%20vs%20${hello.length - 1})`,
});
test('a message as long as allowed once it is unpacked', same, {
  headers: { 'grpc-encoding': 'gzip' },
  maxMessageBytes: 10_000,
  writes: [framed(gzipSync(Buffer.alloc(10_000, 0xff)), 1)],
  // It was unpacked and read, and is nonsense.
  status: '3 the%20varint%20at%20byte%200%20is%20longer%20than%2010%20bytes',
});
test('a message longer than allowed once it is unpacked', same, {
  headers: { 'grpc-encoding': 'gzip' },
  maxMessageBytes: 10_000,
  writes: [framed(gzipSync(Buffer.alloc(10_001, 0xff)), 1)],
  status: '8 Received%20message%20that%20decompresses%20to%20a%20size%20larger%20than%2010000',
});
test('half-close within a message', same, {
  writes: [framed(hello), framed(goodbye).subarray(0, 6)],
  isHalfClosed: true,
  status: ok,
  welcomed: 1,
});
test('half-close at once', same, { isHalfClosed: true, status: ok });
test('a deadline', same, {
  headers: { 'grpc-timeout': '50m' },
  writes: [framed(hello)],
  status: '4 Deadline%20exceeded',
  welcomed: 1,
});
test('a deadline that cannot be read', same, {
  headers: { 'grpc-timeout': 'soon' },
  status: '13 Invalid%20grpc-timeout%20value%20%22soon%22',
});
test('a stream that is refused', same, {
  before: ({ core }) => core.sessions.drain(0),
  writes: [framed(hello)],
  status: '14 the%20collector%20is%20stopping;%20connect%20again%20later',
});
test('another method', same, {
  headers: { ':path': '/streamgauge.v1.TelemetryStream/Other' },
  writes: [framed(hello)],
  status: '12 The server does not implement the method /streamgauge.v1.TelemetryStream/Other',
});
test('what is no gRPC', same, { headers: { 'content-type': 'text/html' }, status: 'undefined undefined' });

test('a message that is unpacked when its stream is gone is not given', async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const told: string[] = [];
  server.on('stream', (stream, headers) => {
    const call = new Http2Call(stream, headers, { maxMessageBytes: 10_000_000, lingerMs: 1000 });
    call.listen({
      message: (bytes) => told.push(`message of ${bytes.length}`),
      halfClosed: () => told.push('half-close'),
      closed: () => told.push('closed'),
    });
    // After the call has seen the bytes.
    stream.on('data', () => stream.destroy());
  });
  const packed = gzipSync(Buffer.alloc(1_000_000));
  const { port } = server.address() as AddressInfo;
  const { stream } = new Http2Peer(t, `127.0.0.1:${port}`, { 'grpc-encoding': 'gzip' }).read();
  stream.end(framed(packed, 1));
  await until(() => told.length > 0, 'the end of the call');
  // It takes as long as the one that was begun before.
  await promisify(gunzip)(packed);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(told, ['closed']);
});
