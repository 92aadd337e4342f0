import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../interop/until.ts';
import type { Attack, Attacked } from './attack.ts';
import {
  clientPreface,
  connectFields,
  data,
  flag,
  frame,
  frameType,
  headerBlock,
  initialWindowSize,
  openStream,
  settings,
  settingsAck,
  uint32,
} from './http2-frames.ts';
import type { RawPeer } from './raw-peer.ts';

// What breaks HTTP/2 itself, below any call.

/** How a connection came to its end. */
async function end(peer: RawPeer): Promise<string> {
  await peer.ended();
  return peer.goaway ?? 'closed';
}

function sent(...parts: readonly Uint8Array[]) {
  return ({ connect }: Attacked) =>
    end(
      connect()
        .greet()
        .send(settingsAck, ...parts),
    );
}

const noError = 'no_error';
const goaway = (code: number) => new RegExp(`^GOAWAY ${code}( |$)`);
const protocolError = goaway(1);

function row(title: string, run: Attack['run'], answer: string | RegExp): Attack {
  return { title, ports: ['grpc'], run, answer };
}

export const http2Attacks: readonly Attack[] = [
  row(
    'rapid reset: streams that are opened and reset',
    async ({ connect }) => {
      const peer = connect().greet().send(settingsAck);
      for (let stream = 1; stream < 40_000 && !peer.closed; stream += 2) {
        const pair = [openStream(stream), frame(frameType.rstStream, 0, stream, uint32(8))];
        await peer.flood(Buffer.concat(pair), 1);
        if (stream % 401 === 0) await delay(0);
      }
      return end(peer);
    },
    /^(GOAWAY (2|11)|closed)/,
  ),
  row(
    'continuation flood: header fields without an end',
    async ({ connect }) => {
      const peer = connect().greet().send(settingsAck);
      peer.send(frame(frameType.headers, 0, 1, headerBlock(connectFields)));
      const more = frame(frameType.continuation, 0, 1, headerBlock({ 'x-more': 'x'.repeat(1000) }));
      await peer.flood(more, 100_000);
      return end(peer);
    },
    /^(GOAWAY|closed)/,
  ),
  ...(['ping', 'settings'] as const).map((kind) =>
    row(
      `${kind} flood of one that reads nothing`,
      async ({ connect }) => {
        const peer = connect().greet().send(settingsAck);
        peer.socket.pause();
        const payload = kind === 'ping' ? Buffer.alloc(8) : new Uint8Array();
        await peer.flood(frame(frameType[kind], 0, 0, payload), 50_000);
        peer.socket.resume();
        await peer.ended();
        return 'closed';
      },
      'closed',
    ),
  ),
  row(
    'empty DATA frames without end, on a stream that never says hello',
    async ({ connect }) => {
      const peer = connect().greet().send(settingsAck, openStream(1));
      await peer.flood(Buffer.concat(Array.from({ length: 100 }, () => data(1, new Uint8Array()))), 1000);
      // The stream ends as any that says no hello, its connection may stay.
      await peer.flood(data(1, new Uint8Array()), 1);
      return noError;
    },
    noError,
  ),
  row(
    'priority frames for streams that do not exist',
    async ({ connect }) => {
      const peer = connect().greet().send(settingsAck);
      const payload = Buffer.concat([uint32(0), Buffer.from([1])]);
      for (let stream = 1; stream < 20_000; stream += 2)
        await peer.flood(frame(frameType.priority, 0, stream, payload), 1);
      return noError;
    },
    noError,
  ),
  row(
    'window update overflow of a connection',
    sent(frame(8, 0, 0, uint32(2 ** 31 - 1)), frame(8, 0, 0, uint32(2 ** 31 - 1))),
    goaway(3),
  ),
  row(
    'window update overflow of a stream',
    sent(openStream(1), frame(8, 0, 1, uint32(2 ** 31 - 1)), frame(8, 0, 1, uint32(2 ** 31 - 1))),
    goaway(3),
  ),
  row('a window update of zero', sent(frame(8, 0, 0, uint32(0))), protocolError),
  row(
    'a window that becomes too large by settings',
    sent(settings({ [initialWindowSize]: 2 ** 31 })),
    goaway(3),
  ),
  row('settings of an odd length', sent(frame(frameType.settings, 0, 0, Buffer.alloc(5))), goaway(6)),
  row('a ping of the wrong length', sent(frame(frameType.ping, 0, 0, Buffer.alloc(7))), goaway(6)),
  row(
    'a frame that is larger than allowed',
    sent(frame(frameType.data, 0, 1, Buffer.alloc(20_000))),
    goaway(6),
  ),
  row('a stream with an even number', sent(openStream(2)), protocolError),
  row(
    'a stream number that was used',
    async ({ connect }) => {
      const peer = connect().greet().send(settingsAck, openStream(5), openStream(3));
      // The first one ends as it would have.
      await until(() => peer.answered(5), 'the end of the first one');
      return peer.answered(3) ? 'opened' : 'passed over';
    },
    'passed over',
  ),
  row('data on a stream that was never opened', sent(data(7, Buffer.alloc(10))), protocolError),
  row('data on stream zero', sent(data(0, Buffer.alloc(10))), protocolError),
  row('continuation of nothing', sent(frame(frameType.continuation, 4, 1, Buffer.alloc(3))), protocolError),
  row(
    'a header block that is no HPACK',
    sent(frame(frameType.headers, flag.endHeaders, 1, Buffer.alloc(20, 0xff))),
    goaway(9),
  ),
  row(
    'data after GOAWAY goes on as it was, and nothing new is opened',
    async ({ connect }) => {
      const peer = connect()
        .greet()
        .send(settingsAck, openStream(1), frame(frameType.goaway, 0, 0, Buffer.alloc(8)));
      peer.send(data(1, Buffer.alloc(100)));
      await until(() => peer.answered(1), 'an answer to the stream that was open');
      peer.send(openStream(3), frame(frameType.rstStream, 0, 1, uint32(8)));
      await peer.ended();
      return peer.answered(3) ? 'opened' : end(peer);
    },
    /^(GOAWAY 0|closed)/,
  ),
  row(
    'one byte in a while: the preface never ends',
    async ({ connect }) => {
      const peer = connect();
      for (const byte of clientPreface) {
        peer.send(Buffer.from([byte]));
        await delay(100);
        if (peer.closed) break;
      }
      return end(peer);
    },
    /^(GOAWAY 0|closed)/,
  ),
  row(
    'a header without path and method',
    sent(
      frame(frameType.headers, flag.endHeaders, 1, headerBlock({ 'x-a': 'b' })),
      frame(8, 0, 0, uint32(0)),
    ),
    protocolError,
  ),
];
