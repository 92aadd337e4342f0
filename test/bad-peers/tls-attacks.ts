import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { until } from '../interop/until.ts';
import type { Attack, Attacked, PortName } from './attack.ts';
import { clientHello, serverName, tlsAnswer } from './client-hello.ts';
import { clientPreface, settings } from './http2-frames.ts';
import { randomBytesOf } from './random-bytes.ts';
import type { RawPeer } from './raw-peer.ts';
import { authority, presented } from './secure-scene.ts';

// What breaks TLS, before any request.

const ports: readonly PortName[] = ['grpc', 'http', 'admin'];

function row(title: string, run: Attack['run'], answer: string | RegExp): Attack {
  return { title: `TLS: ${title}`, ports, run, answer };
}

/** A client that would be let in, as far as TLS goes. */
function secure({ port }: Attacked, more: ConnectionOptions = {}): ConnectionOptions {
  return {
    ca: authority.cert,
    servername: 'localhost',
    ALPNProtocols: [port === 'grpc' ? 'h2' : 'http/1.1'],
    ...presented.known,
    ...more,
  };
}

async function answerTo({ connect }: Attacked, ...parts: readonly (Uint8Array | string)[]): Promise<string> {
  const peer = connect().send(...parts);
  await until(() => peer.closed || peer.reply.length > 0, 'an answer');
  return tlsAnswer(peer.reply);
}

/** With a name, which is looked at by nobody: there is one certificate. */
function named(title: string, extension: Buffer, answer: string | RegExp): Attack {
  return row(title, (attacked) => answerTo(attacked, clientHello(extension)), answer);
}

/** Of a connection that is to be cut off while it is in its handshake. */
async function cutOff(peer: RawPeer): Promise<string> {
  const fromMs = performance.now();
  await peer.ended();
  return performance.now() - fromMs < 8000 ? 'cut off' : 'cut off late';
}

const helloAnswers = 'server hello';
/** decode_error, illegal_parameter, unrecognized_name, or no word. */
const noHandshake = /^(alert (10|22|40|47|50|70|112)|nothing)$/;

export const tlsAttacks: readonly Attack[] = [
  row('a request without it', (a) => answerTo(a, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), noHandshake),
  row('HTTP/2 without it', (a) => answerTo(a, clientPreface, settings()), noHandshake),
  row(
    'random bytes',
    async ({ connect }) => {
      const answers = new Set<string>();
      for (let seed = 1; seed <= 20; seed++) {
        const peer = connect().send(randomBytesOf(seed, seed * 97));
        peer.socket.end();
        answers.add(tlsAnswer((await peer.ended()).reply));
      }
      return [...answers].find((answer) => !noHandshake.test(answer)) ?? 'no handshake';
    },
    'no handshake',
  ),
  row('half a handshake', ({ connect }) => cutOff(connect().send(clientHello().subarray(0, 40))), 'cut off'),
  row(
    'a handshake that stops after its first message',
    ({ connect }) => cutOff(connect().send(clientHello())),
    'cut off',
  ),
  row(
    'a handshake of one byte in a while',
    async ({ connect }) => {
      const peer = connect();
      const sending = (async () => {
        for (const byte of clientHello()) {
          if (peer.closed) break;
          peer.send(Buffer.from([byte]));
          await delay(100);
        }
      })();
      const said = await cutOff(peer);
      await sending;
      return said;
    },
    'cut off',
  ),
  row(
    'many handshakes that nobody goes on with',
    async ({ connect }) => {
      const peers = Array.from({ length: 60 }, () => connect().send(clientHello()));
      await Promise.all(peers.map((peer) => peer.ended()));
      return 'cut off';
    },
    'cut off',
  ),
  row(
    'messages of the handshake without an end',
    async ({ connect }) => {
      const peer = connect();
      // Each says that it is a part of a first message of 16 MB.
      const part = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(16_384, 1)]);
      await peer.flood(part, 2000);
      await peer.ended();
      return tlsAnswer(peer.reply);
    },
    noHandshake,
  ),
  named('the name of another server', serverName('other.example'), helloAnswers),
  named('a name with terminal escapes', serverName('\u001b[2J\u0007\r\nX: y'), helloAnswers),
  named('a name that is a path', serverName('../../etc/passwd'), helloAnswers),
  named('a name that is longer than names may be', serverName('x'.repeat(300)), noHandshake),
  named('a name of sixteen thousand characters', serverName('x'.repeat(15_900)), noHandshake),
  named('a name with a zero in it', serverName('localhost\0.example'), noHandshake),
  named('a name whose length lies', serverName('localhost', 60_000), noHandshake),
  named('no name where one is said to be', serverName(''), helloAnswers),
  row(
    'two names',
    (a) => answerTo(a, clientHello(serverName('localhost'), serverName('other.example'))),
    noHandshake,
  ),
  row(
    'an older version',
    async (attacked) => {
      const { connect } = attacked;
      const old = secure(attacked, {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'ALL:@SECLEVEL=0',
      });
      const peer = connect(old);
      let isSecure = false;
      peer.socket.once('secureConnect', () => {
        isSecure = true;
      });
      await peer.ended();
      return isSecure ? 'let in' : 'turned away';
    },
    'turned away',
  ),
  row(
    'random bytes within it',
    async (attacked) => {
      const peer = attacked.connect(secure(attacked)).send(randomBytesOf(9, 5000));
      peer.socket.end();
      await peer.ended();
      return peer.reply.toString('latin1').startsWith('HTTP/1.1 ') ? peer.statusLine : 'closed';
    },
    /^(closed|HTTP\/1\.1 4\d\d .*)$/,
  ),
  row(
    'random bytes instead of records, after a handshake',
    async (attacked) => {
      const { victim, port, address } = attacked;
      const tcp = connectTcp({ port: victim.port(port), host: '127.0.0.1', localAddress: address });
      tcp.on('error', () => {});
      const closed = once(tcp, 'close');
      const socket = connectTls({ socket: tcp, ...secure(attacked) });
      socket.on('error', () => {});
      await once(socket, 'secureConnect');
      tcp.write(randomBytesOf(10, 5000));
      socket.resume();
      await closed;
      return 'closed';
    },
    'closed',
  ),
  row(
    'renegotiation',
    async (attacked) => {
      const peer = attacked.connect(secure(attacked, { maxVersion: 'TLSv1.2' }));
      const socket = peer.socket as TLSSocket;
      await once(socket, 'secureConnect');
      return new Promise<string>((resolve) => {
        socket.once('close', () => resolve('refused'));
        socket.renegotiate({ rejectUnauthorized: false }, (error) =>
          resolve(error === null ? 'renegotiated' : 'refused'),
        );
      });
    },
    'refused',
  ),
];
