import { setTimeout as delay } from 'node:timers/promises';
import type { Attack, Attacked, PortName } from './attack.ts';

const ports: readonly PortName[] = ['http', 'admin', 'prometheus'];
const pathOf = { http: '/healthz', admin: '/status', prometheus: '/metrics', grpc: '/' };

async function answer({ connect }: Attacked, text: string): Promise<string> {
  const peer = connect().send(text);
  await peer.ended();
  return peer.statusLine;
}

function head(attacked: Attacked, lines: readonly string[], path: string = pathOf[attacked.port]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n');
}

function row(title: string, run: Attack['run'], expected: string | RegExp): Attack {
  return { title, ports, run, answer: expected };
}

const bad = 'HTTP/1.1 400 Bad Request';

export const http1Attacks: readonly Attack[] = [
  row(
    'one byte in a while: the head never ends',
    async ({ connect }) => {
      const peer = connect().send('GET / HTTP/1.1\r\nX-A: ');
      for (let i = 0; i < 100 && !peer.closed; i++) {
        peer.send('a');
        await delay(100);
      }
      await peer.ended();
      return peer.statusLine;
    },
    // Its next byte may cut off the answer.
    /^(HTTP\/1\.1 408 Request Timeout|)$/,
  ),
  row(
    'header fields without an end',
    async ({ connect }) => {
      const peer = connect().send('GET / HTTP/1.1\r\nHost: localhost\r\n');
      await peer.flood(`X-More: ${'x'.repeat(200)}\r\n`, 10_000);
      await peer.ended();
      return peer.statusLine;
    },
    // Who goes on sending may be cut off before it has read the answer.
    /^(HTTP\/1\.1 431 .*|)$/,
  ),
  row(
    'both kinds of length',
    (a) => answer(a, head(a, ['Content-Length: 5', 'Transfer-Encoding: chunked'])),
    bad,
  ),
  row('two lengths', (a) => answer(a, head(a, ['Content-Length: 5', 'Content-Length: 6'])), bad),
  row('a length that is none', (a) => answer(a, head(a, ['Content-Length: -1'])), bad),
  row(
    'a chunk with an endless extension',
    async ({ connect, port }) => {
      const peer = connect().send(
        `POST ${pathOf[port]} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;`,
      );
      await peer.flood('x'.repeat(1000), 1000);
      await peer.ended();
      return peer.statusLine;
    },
    /^(HTTP\/1\.1 4(05|13) .*|)$/,
  ),
  row('a name with control characters', (a) => answer(a, head(a, ['X-\u0001: a'])), bad),
  row(
    'another host, as after DNS rebinding',
    (a) => answer(a, head(a, []).replace('localhost', 'evil.example')),
    'HTTP/1.1 403 Forbidden',
  ),
  row(
    'a page of another site',
    (a) => answer(a, head(a, ['Origin: http://evil.example'])),
    'HTTP/1.1 403 Forbidden',
  ),
  row(
    'a path that leaves the folder',
    (a) => answer(a, head(a, [], '/../../etc/passwd')),
    'HTTP/1.1 404 Not Found',
  ),
  row(
    'a path with an escape of zero',
    (a) => answer(a, head(a, [], '/%00%2e%2e/')),
    'HTTP/1.1 404 Not Found',
  ),
  row('names of Object as a path', (a) => answer(a, head(a, [], '/__proto__')), 'HTTP/1.1 404 Not Found'),
  row(
    'another method',
    (a) => answer(a, head(a, []).replace('GET', 'DELETE')),
    'HTTP/1.1 405 Method Not Allowed',
  ),
  row(
    'a body that nobody asked for, and that never ends',
    async ({ connect, port }) => {
      const peer = connect().send(
        `GET ${pathOf[port]} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n`,
      );
      for (let i = 0; i < 100 && !peer.closed; i++) {
        peer.send('x'.repeat(1000));
        await delay(50);
      }
      await peer.ended();
      return peer.statusLine;
    },
    'HTTP/1.1 200 OK',
  ),
  row(
    'many requests at once, whose answers are not read',
    async ({ connect, port }) => {
      const peer = connect();
      peer.socket.pause();
      await peer.flood(`GET ${pathOf[port]} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 3000);
      peer.socket.resume();
      peer.socket.end();
      await peer.ended(30_000);
      return peer.statusLine;
    },
    /^(HTTP\/1\.1 200 OK|)$/,
  ),
];
