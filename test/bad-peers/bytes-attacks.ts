import type { Attack, Attacked, PortName } from './attack.ts';
import { clientPreface, openStream, settings } from './http2-frames.ts';
import { randomBytesOf } from './random-bytes.ts';

// Bytes that are no request in a port's protocol.

const everyPort: readonly PortName[] = ['grpc', 'http', 'admin', 'prometheus'];
const httpPorts: readonly PortName[] = ['http', 'admin', 'prometheus'];

async function closed({ connect }: Attacked, ...parts: readonly (Uint8Array | string)[]): Promise<string> {
  const peer = connect().send(...parts);
  peer.socket.end();
  await peer.ended();
  return peer.reply.toString('latin1').startsWith('HTTP/1.1 ') ? peer.statusLine : 'closed';
}

const refused = /^(closed|HTTP\/1\.1 4\d\d .*)$/;

export const bytesAttacks: readonly Attack[] = [
  {
    title: 'random bytes',
    ports: everyPort,
    async run(attacked) {
      const answers = new Set<string>();
      for (let seed = 1; seed <= 30; seed++)
        answers.add(await closed(attacked, randomBytesOf(seed, 1 + seed * 97)));
      return [...answers].find((answer) => !refused.test(answer)) ?? 'closed';
    },
    answer: 'closed',
  },
  {
    title: 'random bytes after a valid preface',
    ports: ['grpc'],
    async run(attacked) {
      for (let seed = 1; seed <= 30; seed++)
        await closed(attacked, clientPreface, settings(), openStream(1), randomBytesOf(seed, 1 + seed * 97));
      return 'closed';
    },
    answer: 'closed',
  },
  {
    title: 'HTTP/1 where HTTP/2 is spoken',
    ports: ['grpc'],
    run: (attacked) => closed(attacked, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    answer: 'closed',
  },
  {
    title: 'HTTP/2 where HTTP/1 is spoken',
    ports: httpPorts,
    run: (attacked) => closed(attacked, clientPreface, settings(), openStream(1)),
    answer: /^HTTP\/1\.1 4\d\d /,
  },
  {
    title: 'a TLS handshake where there is no TLS',
    ports: everyPort,
    run: (attacked) => closed(attacked, Buffer.from('16030100f5010000f10303', 'hex'), Buffer.alloc(234, 7)),
    answer: refused,
  },
  {
    title: 'connections that say nothing, as many as an address may have and more',
    ports: ['grpc'],
    async run({ connect }) {
      const peers = Array.from({ length: 330 }, () => connect());
      await Promise.all(peers.map((peer) => peer.ended()));
      const told = peers.filter(({ goaway }) => goaway?.startsWith('GOAWAY 11 connections are over a limit'));
      return told.length >= 30 ? 'those beyond were told' : `${told.length} were told`;
    },
    answer: 'those beyond were told',
  },
];
