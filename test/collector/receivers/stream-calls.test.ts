import { type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { resetStream } from '../../../collector/receivers/reset-stream.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import { connectPath } from '../../../proto/service.ts';
import { until } from '../../interop/until.ts';
import { startReceiver } from './receiver.ts';

/** A peer that speaks HTTP/2 itself, so that it can leave unread what it is sent. */
function open(t: ExecutionContext, target: string): ClientHttp2Stream {
  const client = connect(`http://${target}`);
  t.teardown(() => client.destroy());
  client.on('error', () => {});
  const stream = client.request({
    ':method': 'POST',
    ':path': connectPath,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  stream.pause();
  return stream;
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

const hello = encodeAgentMessage({
  type: 'hello',
  protocolVersion: 1,
  memberId: 'm',
  incarnation: Buffer.alloc(16),
  bootId: '',
  resource: [],
  resourceSchemaUrl: '',
  capabilities: [],
  clockUs: 0,
  lastAck: undefined,
  userAgent: '',
  ackDelayMs: 5000,
});

test('a peer that reads nothing is cut off, whatever it is sent, and soon', async (t) => {
  const { core, target, bugs } = await startReceiver(t);
  const stream = open(t, target);
  stream.write(framed(hello));
  await until(() => core.counters.streamsWelcomed === 1, 'the welcome');
  const session = [...core.sessions][0];
  // Instructions are what can be sent without an agent's doing. Their bytes and what they cost are far below what a count of messages would bound.
  let sent = 0;
  while (session.state === 'open' && sent < 100_000) {
    session.drain(1000);
    sent++;
    if (sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(session.state, 'ended');
  t.true(sent < 10_000, `cut off after ${sent} messages`);
  t.is(core.counters.streamsEnded.limit, 1);
  stream.resume();
  await until(() => stream.closed, 'the stream to be reset');
  t.is(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  t.deepEqual(bugs, []);
});

test('a peer that does not let go of a stream that was ended is cut off after a while', async (t) => {
  const { core, target } = await startReceiver(t, { lingerMs: 50 });
  const stream = open(t, target);
  stream.resume();
  stream.write(framed(Buffer.from([0xff])));
  await until(() => core.counters.streamsEnded.invalid === 1, 'the end');
  // It neither half-closes nor stops sending.
  await until(() => stream.closed, 'the stream to be reset');
  t.is(core.sessions.size, 0);
});

test('a call that hides its HTTP/2 stream is an error', (t) => {
  t.throws(() => resetStream({} as ServerDuplexStream<Buffer, Buffer>), { message: /does not show/ });
});

test('a failure of the collector itself ends the stream with INTERNAL, and is told', async (t) => {
  const { core, target, bugs } = await startReceiver(t);
  core.store.join = () => {
    throw new TypeError('broken');
  };
  const stream = open(t, target);
  let grpcStatus: unknown;
  stream.on('response', (headers) => {
    grpcStatus ??= headers['grpc-status'];
  });
  stream.on('trailers', (trailers) => {
    grpcStatus ??= trailers['grpc-status'];
  });
  stream.resume();
  stream.write(framed(hello));
  await until(() => grpcStatus !== undefined, 'the status');
  t.is(Number(grpcStatus), 13);
  t.regex(String(bugs[0]), /TypeError: broken/);
  await until(() => core.sessions.size === 0, 'the session to be gone');
});
