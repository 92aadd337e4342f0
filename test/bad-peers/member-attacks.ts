import { existsSync } from 'node:fs';
import { until } from '../interop/until.ts';
import { define, goodbye, hello } from './agent-messages.ts';
import type { Attack, Attacked } from './attack.ts';
import { GrpcClient, grpcFrame } from './grpc-peer.ts';
import {
  clientPreface,
  data,
  flag,
  frame,
  framesIn,
  frameType,
  headerBlock,
  openStream,
  settings,
  settingsAck,
} from './http2-frames.ts';
import { RawPeer } from './raw-peer.ts';

// Members that are others, or very many, on a protocol that is in order.

function row(title: string, run: Attack['run'], answer: string | RegExp): Attack {
  return { title, ports: ['grpc'], run, answer };
}

/** The end of a call on a raw connection: `0`, the status in its trailers, as far as they can be read. */
async function statusOf(peer: RawPeer): Promise<string> {
  const ends = (): boolean =>
    framesIn(peer.reply).some(
      ({ type, flags }) =>
        (type === frameType.headers && (flags & flag.endStream) !== 0) || type === frameType.rstStream,
    );
  await until(() => peer.closed || ends(), 'the end of the call');
  return ends() ? 'ended' : 'closed';
}

/** A whole session, as bytes: with goodbye at its end. */
const session = (): Buffer =>
  Buffer.concat([
    clientPreface,
    settings(),
    settingsAck,
    openStream(1),
    data(1, Buffer.concat([grpcFrame(hello()), grpcFrame(define()), grpcFrame(goodbye)]), flag.endStream),
  ]);

async function clones({ victim, address }: Attacked, count: number): Promise<string> {
  const client = new GrpcClient(victim.port('grpc'), address);
  const memberId = 'cloned';
  try {
    const first = client.open().send(hello({ memberId, bootId: 'first' }));
    await until(() => first.received.includes('welcome'), 'the first one to be welcome');
    const others = Array.from({ length: count }, (_, i) =>
      client.open().send(hello({ memberId, bootId: `boot-${i}`, incarnation: Buffer.alloc(16, i + 2) })),
    );
    const ends = new Set<string>();
    for (const other of others) ends.add((await other.end()).slice(0, 2));
    first.send(goodbye);
    return `${[...ends].join()}; the first one: ${(await first.end()).slice(0, 1)}`;
  } finally {
    client.destroy();
  }
}

export const memberAttacks: readonly Attack[] = [
  row(
    'frames that are split at each byte',
    async ({ connect }) => {
      const peer = connect();
      peer.socket.setNoDelay(true);
      for (const byte of session()) {
        peer.send(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return statusOf(peer);
    },
    'ended',
  ),
  row(
    'a session in two parts, split at each of its bytes',
    async ({ connect }) => {
      const length = session().length;
      const ends = new Set<string>();
      // Some at a time, since each is a connection.
      for (let at = 1; at < length; at += 20)
        await Promise.all(
          Array.from({ length: 2 }, async (_, i) => {
            const bytes = session();
            const peer = connect().send(bytes.subarray(0, at + 7 * i));
            await new Promise((resolve) => setTimeout(resolve, 5));
            ends.add(await statusOf(peer.send(bytes.subarray(at + 7 * i))));
            peer.destroy();
          }),
        );
      return [...ends].join();
    },
    'ended',
  ),
  row(
    'trailers without an end',
    async ({ connect }) => {
      const peer = connect()
        .greet()
        .send(settingsAck, openStream(1), data(1, grpcFrame(hello())));
      peer.send(frame(frameType.headers, flag.endStream, 1, headerBlock({ 'x-first': 'x' })));
      const more = frame(frameType.continuation, 0, 1, headerBlock({ 'x-more': 'x'.repeat(1000) }));
      await peer.flood(more, 20_000);
      await peer.ended();
      return 'closed';
    },
    'closed',
  ),
  row('clones of a member', (attacked) => clones(attacked, 20), '6 ; the first one: 0'),
  row(
    'a member whose id is a path',
    async ({ victim, address }) => {
      const client = new GrpcClient(victim.port('grpc'), address);
      const place = '/tmp/streamgauge-member-escaped';
      try {
        const ends = [];
        for (const memberId of [`../../../../../..${place}`, place, `${place}\0`, '..', 'con', '__proto__']) {
          const peer = client
            .open()
            .send(hello({ memberId }), define([{ [memberId]: memberId }], memberId), goodbye);
          ends.push((await peer.end()).slice(0, 1));
        }
        return existsSync(place) ? 'a file was written' : [...new Set(ends)].toSorted().join();
      } finally {
        client.destroy();
      }
    },
    /^(0|0,3)$/,
  ),
  row(
    'two thousand idle connections, of many addresses',
    async ({ victim }) => {
      const peers: RawPeer[] = [];
      try {
        // Some at a time, so that none waits for longer than a handshake may take.
        while (peers.length < 2000) {
          const some = Array.from(
            { length: 100 },
            (_, i) => new RawPeer(victim.port('grpc'), `127.2.${i % 10}.1`),
          );
          peers.push(...some);
          for (const peer of some) peer.greet().send(settingsAck);
          await until(() => some.every(({ reply, closed }) => closed || reply.length > 0), 'their settings');
        }
        return `${peers.filter(({ closed }) => !closed).length} are held`;
      } finally {
        for (const peer of peers) peer.destroy();
      }
    },
    '2000 are held',
  ),
];
