import type { Settings } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { until } from '../interop/until.ts';
import { define, field, goodbye, hello, nested, retire, varint } from './agent-messages.ts';
import type { Attack, Attacked } from './attack.ts';
import { GrpcClient, type GrpcPeer, grpcFrame } from './grpc-peer.ts';
import { randomBytesOf } from './random-bytes.ts';

// What breaks gRPC or the protocol of streams, on HTTP/2 that is in order.

/** Opens a stream, does something to it, and gives its end. */
async function onStream(
  { victim, address }: Attacked,
  act: (peer: GrpcPeer, client: GrpcClient) => unknown,
  fields: Readonly<Record<string, string>> = {},
  settings: Settings = {},
): Promise<string> {
  const client = new GrpcClient(victim.port('grpc'), address, settings);
  try {
    const peer = client.open(fields);
    await act(peer, client);
    return await peer.end();
  } finally {
    client.destroy();
  }
}

function row(title: string, run: Attack['run'], answer: string | RegExp): Attack {
  return { title, ports: ['grpc'], run, answer };
}

/** A stream that is sent these messages. */
function sends(title: string, messages: readonly Uint8Array[], answer: string | RegExp): Attack {
  return row(title, (attacked) => onStream(attacked, (peer) => peer.send(...messages)), answer);
}

const mib = 1024 * 1024;
/** Of 64 MiB. Made once: it takes a while, in which no other attacker gets on. */
const bomb = gzipSync(Buffer.alloc(64 * mib));
const gzip = { 'grpc-encoding': 'gzip' };
const invalid = /^3 /;
/** A report of no group with a number. */
const report = (number: number) => Buffer.concat([varint(7 * 8), varint(number)]);

export const messageAttacks: readonly Attack[] = [
  row(
    'a message that declares a huge length, with the stream held open',
    (attacked) => onStream(attacked, (peer) => peer.bytes(grpcFrame(Buffer.alloc(10), false, 4 * mib))),
    '4 no hello came within 2000 ms',
  ),
  row(
    'many messages that declare a huge length and never end',
    async ({ victim, address }) => {
      const client = new GrpcClient(victim.port('grpc'), address);
      const peers = Array.from({ length: 30 }, () => client.open());
      for (const peer of peers) peer.bytes(grpcFrame(Buffer.alloc(3 * mib), false, 4 * mib));
      const ends = await Promise.all(peers.map((peer) => peer.end()));
      client.destroy();
      // Which comes first depends on how fast they are read.
      const isTold = (end: string): boolean => /^(4 no hello|8 the streams of this address would)/.test(end);
      return ends.every(isTold) ? 'all were told' : ends.join('\n');
    },
    'all were told',
  ),
  row(
    'a message longer than allowed',
    (attacked) => onStream(attacked, (peer) => peer.bytes(grpcFrame(Buffer.alloc(10), false, 2 ** 32 - 1))),
    `8 Received message larger than max (${2 ** 32 - 1} vs ${4 * mib})`,
  ),
  row(
    'a gzip bomb',
    (attacked) => onStream(attacked, (peer) => peer.bytes(grpcFrame(bomb, true)), gzip),
    `8 Received message that decompresses to a size larger than ${4 * mib}`,
  ),
  row(
    'a gzip bomb within another',
    (attacked) => onStream(attacked, (peer) => peer.bytes(grpcFrame(gzipSync(bomb), true)), gzip),
    invalid,
  ),
  row(
    'many gzip bombs at once',
    async ({ victim, address }) => {
      const client = new GrpcClient(victim.port('grpc'), address);
      const peers = Array.from({ length: 60 }, () => client.open(gzip).bytes(grpcFrame(bomb, true)));
      const ends = new Set(await Promise.all(peers.map((peer) => peer.end())));
      client.destroy();
      // Some are told first that no hello came, while they wait for their turn.
      return [...ends].every((end) => /^[48] /.test(end)) ? 'all were told' : [...ends].join('\n');
    },
    'all were told',
  ),
  row(
    'compressed bytes that are none',
    (attacked) => onStream(attacked, (peer) => peer.bytes(grpcFrame(randomBytesOf(1, 500), true)), gzip),
    '13 Failed to decompress message',
  ),
  row(
    'compressed bytes that break off',
    (attacked) =>
      onStream(attacked, (peer) => peer.bytes(grpcFrame(deflateSync(hello()).subarray(0, 30), true)), {
        'grpc-encoding': 'deflate',
      }),
    '13 Failed to decompress message',
  ),
  row(
    'an encoding that is not known, with escapes in its name',
    (attacked) =>
      onStream(attacked, (peer) => peer.bytes(grpcFrame(hello(), true)), { 'grpc-encoding': '"%1b[2J' }),
    /^12 Received message compressed with unsupported encoding/,
  ),
  row(
    'a window of zero for ever',
    (attacked) =>
      onStream(
        attacked,
        (peer) => {
          const tooLong = Array.from({ length: 2000 }, () => ({ k: 'x'.repeat(5000) }));
          peer.send(hello());
          for (let i = 0; i < 3; i++)
            for (let part = 0; part < 4; part++)
              peer.send(define(tooLong.slice(0, 500), `m${i}`, 1 + 2000 * i + 500 * part));
        },
        {},
        { initialWindowSize: 0 },
      ),
    'RST 11',
  ),
  row(
    'a session byte by byte',
    (attacked) =>
      onStream(attacked, async (peer) => {
        for (const byte of Buffer.concat([grpcFrame(hello()), grpcFrame(define()), grpcFrame(goodbye)])) {
          peer.bytes(Buffer.from([byte]));
          await delay(0);
        }
      }),
    '0 OK',
  ),
  row(
    'streams that break off in the middle of a message',
    async ({ victim, address }) => {
      const whole = Buffer.concat([grpcFrame(hello()), grpcFrame(define())]);
      for (let length = 1; length < whole.length; length += 3) {
        const client = new GrpcClient(victim.port('grpc'), address);
        client.open().bytes(whole.subarray(0, length));
        await until(() => !client.session.connecting, 'the connection');
        client.destroy();
      }
      return 'closed';
    },
    'closed',
  ),
  sends('bytes that are no message', [Buffer.alloc(2000, 0xff)], invalid),
  sends('a varint without an end, in a report', [hello(), Buffer.alloc(2000, 0x80)], invalid),
  sends('a length field that lies', [field(2, Buffer.alloc(10), 2 ** 31)], invalid),
  sends('a length field that lies, in a report', [hello(), field(1, Buffer.alloc(10), 2 ** 40)], invalid),
  sends('groups in one another, as protobuf had them', [Buffer.alloc(10_000, 0x4b)], invalid),
  sends(
    'values nested to ten thousand levels',
    [field(2, field(5, field(2, nested([5, 1], 5000))))],
    invalid,
  ),
  sends(
    'lists nested to ten thousand levels',
    [field(2, field(5, field(2, nested([6, 1, 2], 3300))))],
    invalid,
  ),
  sends(
    'more definitions than a message may hold',
    [hello(), field(3, Buffer.alloc(400_000, field(5, Buffer.alloc(0))))],
    invalid,
  ),
  sends('a report before hello', [report(1)], invalid),
  sends('definitions before hello', [define()], invalid),
  sends('goodbye before hello', [goodbye], invalid),
  sends('hello twice', [hello(), hello()], invalid),
  sends('hello of another version', [hello({ protocolVersion: 0 })], invalid),
  sends('a message after goodbye', [hello(), goodbye, define(), report(1)], '0 OK'),
  sends('numbers that are in use', [hello(), define(), define()], invalid),
  sends('a series that was never defined is retired', [hello(), retire(7)], invalid),
  sends('a series is retired twice', [hello(), define(), retire(1), retire(1)], invalid),
  sends('a report of a group that is not there', [hello(), field(1, Buffer.from([8, 77, 16, 1]))], invalid),
  sends(
    'columns longer than promised',
    [hello(), define(), Buffer.concat([field(1, field(3, Buffer.alloc(50, 5))), report(1)])],
    invalid,
  ),
  sends('a report number that is not above the one before', [hello(), report(5), report(5)], invalid),
  sends('a member id that is too long', [hello({ memberId: 'x'.repeat(257) })], invalid),
  sends('a user agent that is too long', [hello({ userAgent: 'x'.repeat(100_000) })], invalid),
  sends('a boot id that is too long', [hello({ bootId: 'x'.repeat(100_000) })], invalid),
  sends(
    'capabilities without end',
    [hello({ capabilities: Array.from({ length: 10_000 }, () => 'c') })],
    invalid,
  ),
  sends(
    'strings that are no UTF-8',
    [
      field(
        2,
        Buffer.concat([
          Buffer.from([8, 1]),
          field(2, Buffer.from([0xc0, 0xaf, 0xff])),
          field(3, Buffer.alloc(16)),
        ]),
      ),
      goodbye,
    ],
    /^[03] /,
  ),
  row(
    'another method of the service, and another service',
    async (attacked) => {
      const ends = [];
      for (const path of ['/streamgauge.v1.TelemetryStream/Other', '/__proto__/constructor', '/', '/a/../b'])
        ends.push(await onStream(attacked, (peer) => peer.send(hello()), { ':path': path }));
      return ends.every((end) => end.startsWith('12 ')) ? 'unimplemented' : ends.join('\n');
    },
    'unimplemented',
  ),
  row(
    'reflection and health checks with bytes that are no request',
    async (attacked) => {
      const ends = [];
      for (const path of [
        '/grpc.health.v1.Health/Check',
        '/grpc.health.v1.Health/Watch',
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      ])
        ends.push(
          await onStream(attacked, (peer) => peer.send(Buffer.alloc(5000, 0xff)).stream.end(), {
            ':path': path,
          }),
        );
      return ends.every((end) => /^13 /.test(end)) ? 'refused' : ends.join('\n');
    },
    'refused',
  ),
  row(
    'watches of services that there are not, whose names are long',
    async ({ victim, address }) => {
      const client = new GrpcClient(victim.port('grpc'), address);
      for (let i = 0; i < 40; i++) {
        const peer = client.open({ ':path': '/grpc.health.v1.Health/Watch' });
        peer.send(field(1, Buffer.from(`${i}${'x'.repeat(mib)}`))).stream.end();
        await new Promise<void>((resolve) => {
          peer.stream.once('data', () => resolve());
          peer.stream.once('close', () => resolve());
        });
        peer.stream.close();
      }
      client.destroy();
      return 'answered';
    },
    'answered',
  ),
  row(
    'a deadline that is over at once, again and again',
    async (attacked) => {
      const end = () => onStream(attacked, (peer) => peer.send(hello()), { 'grpc-timeout': '1n' });
      return [...new Set(await Promise.all(Array.from({ length: 20 }, end)))].join('\n');
    },
    '4 Deadline exceeded',
  ),
];
