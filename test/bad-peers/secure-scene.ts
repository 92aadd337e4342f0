import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Issued, TestAuthority } from '../certificates/certificates.ts';
import type { Scene } from './attack-table.ts';
import { GoodAgent, goodThings } from './good-agent.ts';
import { Victim, victimConfig } from './victim.ts';

/** Whose certificates are taken, and another that nobody knows. */
export const authority = new TestAuthority();
const stranger = new TestAuthority('stranger');

const agentToken = 'planted-token-of-agents-81c2d0';
export const readToken = 'planted-token-of-people-5fa09b';
/** None of these is known. */
export const wrongToken = 'planted-token-that-is-wrong-00e1';
export const longToken = 'planted-token-without-an-end-'.repeat(200);
export const endlessToken = 'planted-token-beyond-a-header-'.repeat(3000);
/** In no answer and no log. */
export const secrets = [agentToken, readToken, 'planted-token'];

/** What clients present. */
export const presented = {
  known: authority.issue({ uris: ['spiffe://example/agent/bad'] }),
  unknown: authority.issue({ uris: ['spiffe://elsewhere/agent/bad'] }),
  withoutName: authority.issue({}),
  unverified: stranger.issue({ uris: ['spiffe://example/agent/good'] }),
  expired: authority.issue({
    uris: ['spiffe://example/agent/good'],
    validFrom: new Date('2020-01-01'),
    validTo: new Date('2020-01-02'),
  }),
};
export type Presented = keyof typeof presented;

/** How agents of this member come in. */
export const bearer = (token = agentToken): string => `Bearer ${token}`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-secure-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
}

/** A collector whose ports have TLS, ask for client certificates but for the one that people read, and for tokens; its agent has both. */
export async function secureScene(): Promise<Scene> {
  const server = authority.issue();
  const tls = { cert_file: file('server.crt', server.cert), key_file: file('server.key', server.key) };
  const mutual = { ...tls, client_ca_file: file('ca.crt', authority.cert) };
  const { grpc, http, admin } = victimConfig;
  const limits = { handshake_timeout: '1s' };
  const victim = await Victim.start({
    grpc: { ...grpc, limits: { ...grpc.limits, ...limits }, tls: mutual },
    http: { ...http, limits: { ...http.limits, ...limits }, tls },
    admin: { ...admin, limits: { ...admin.limits, ...limits }, tls: mutual },
    auth: {
      clients: [{ name: 'spiffe://example/agent/*', agents: ['{1}'], permissions: ['stream', 'admin'] }],
      tokens: [
        { name: 'agents', token_file: file('agents.token', agentToken), permissions: ['stream', 'otlp'] },
        { name: 'people', token_file: file('people.token', readToken), permissions: ['read'] },
      ],
    },
  });
  const own = authority.issue({ uris: ['spiffe://example/agent/good'] });
  const agent = new GoodAgent(victim.addresses.grpc.replace(/.*:/, 'localhost:'), 'good', {
    credentials: channelCredentials(own),
    metadata: { authorization: bearer() },
  });
  return { victim, agent, secrets, shownCount: () => shown(victim.port('http')) };
}

function channelCredentials({ cert, key }: Issued) {
  return credentials.createSsl(Buffer.from(authority.cert), Buffer.from(key), Buffer.from(cert));
}

function shown(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: bearer(readToken) };
    const options = { host: 'localhost', port, path: '/metrics', ca: authority.cert, headers, agent: false };
    request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(goodThings(text)));
    })
      .on('error', reject)
      .end();
  });
}
