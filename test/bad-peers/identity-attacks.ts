import { request } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { goodbye, hello } from './agent-messages.ts';
import type { Attack, Attacked, PortName } from './attack.ts';
import { GrpcClient } from './grpc-peer.ts';
import {
  authority,
  bearer,
  endlessToken,
  longToken,
  type Presented,
  presented,
  readToken,
  wrongToken,
} from './secure-scene.ts';

// Certificates and tokens that are somebody else's, or nobody's.

const pathOf = { grpc: '', http: '/metrics', admin: '/status', prometheus: '' };

function secure(certificate: Presented | undefined): ConnectionOptions {
  return {
    ca: authority.cert,
    servername: 'localhost',
    ...(certificate !== undefined && presented[certificate]),
  };
}

/** What a peer presents: the certificate is a known one unless it says otherwise, or `null` for none. */
interface Presents {
  readonly certificate?: Presented | null;
  readonly authorization?: string;
  readonly memberId?: string;
  readonly path?: string;
}

/** The end of a stream, without what differs between certificates. */
async function overGrpc({ victim, address }: Attacked, presents: Presents): Promise<string> {
  const { certificate = 'known', authorization, memberId = 'bad' } = presents;
  const client = new GrpcClient(victim.port('grpc'), address, {}, secure(certificate ?? undefined));
  try {
    const peer = client.open(authorization === undefined ? {} : { authorization });
    peer.send(hello({ memberId }), goodbye);
    return await peer.end();
  } finally {
    client.destroy();
  }
}

/** Status, the challenge, and the body's first line; `closed` when no answer came. */
function overHttp({ victim, address, port }: Attacked, presents: Presents): Promise<string> {
  const { certificate = 'known', authorization, path = pathOf[port] } = presents;
  const headers = { host: 'localhost', ...(authorization !== undefined && { authorization }) };
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: victim.port(port), localAddress: address, agent: false };
    const call = request({ ...options, path, headers, ...secure(certificate ?? undefined) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('close', () =>
        resolve(`${response.statusCode} ${text}${JSON.stringify(response.headers)}`),
      );
    });
    call.on('error', () => resolve('closed'));
    call.end();
  });
}

const everyPort: readonly PortName[] = ['grpc', 'http', 'admin'];
const asksCertificate: readonly PortName[] = ['grpc', 'admin'];

/** A peer that presents something, and is told what is wrong in words that hold nothing of it. */
function row(
  title: string,
  ports: readonly PortName[],
  presents: Presents,
  answer: 'unauthenticated' | 'denied',
  words: string,
): Attack[] {
  const [grpc, http] = answer === 'denied' ? [7, 403] : [16, 401];
  return ports.map((port) => ({
    title: `identity: ${title}`,
    ports: [port],
    async run(attacked) {
      const said = await (port === 'grpc' ? overGrpc : overHttp)(attacked, presents);
      if (/planted|spiffe/.test(said)) return `it echoes what was presented: ${said}`;
      const begin = port === 'grpc' ? `${grpc} ${words}` : `${http} Not let in: ${words}`;
      return said.startsWith(begin) ? 'refused' : said;
    },
    answer: 'refused',
  }));
}

/** One that presents an authorization with a certificate that is known. */
function presentsToken(title: string, authorization: string, words: string): Attack[] {
  return row(title, everyPort, { authorization }, 'unauthenticated', words);
}

/** One that presents a certificate, with the token of agents. */
function presentsCertificate(
  title: string,
  certificate: Presented | null,
  answer: 'unauthenticated' | 'denied',
  words: string,
): Attack[] {
  const presents = { certificate, memberId: 'good', authorization: bearer() };
  return row(title, asksCertificate, presents, answer, words);
}

const unknown = 'the bearer token is not known here';
const noBearer = 'the authorization is no bearer token';
const missing = 'a bearer token is asked for';

export const identityAttacks: readonly Attack[] = [
  ...row('no token', everyPort, {}, 'unauthenticated', missing),
  ...presentsToken('a wrong token', bearer(wrongToken), unknown),
  ...presentsToken('a token of six thousand characters', bearer(longToken), unknown),
  ...presentsToken('the beginning of a token', bearer(readToken.slice(0, -1)), unknown),
  ...presentsToken('a token and more', `${bearer(readToken)} ${wrongToken}`, noBearer),
  ...presentsToken('two tokens', `${bearer(readToken)}, ${bearer(wrongToken)}`, noBearer),
  ...presentsToken('another scheme', `Basic ${wrongToken}`, noBearer),
  ...presentsToken('no token behind the scheme', 'Bearer', noBearer),
  ...presentsToken('the name of a property as a token', bearer('__proto__'), unknown),
  {
    title: 'identity: a token longer than headers may be',
    ports: everyPort,
    async run(attacked) {
      const authorization = bearer(endlessToken);
      const said = await (attacked.port === 'grpc' ? overGrpc : overHttp)(attacked, { authorization });
      return said.includes('planted') ? 'it echoes what was presented' : said.slice(0, 3).trim();
    },
    // HTTP/2 resets such a stream; who goes on sending may be cut off before it has read HTTP/1's answer.
    answer: /^(RST|431|clo)$/,
  },
  ...row(
    'a token where nobody looks for one',
    ['http'],
    { path: `/metrics?access_token=${readToken}&authorization=${encodeURIComponent(bearer(readToken))}` },
    'unauthenticated',
    missing,
  ),
  ...row(
    'a token for something else',
    asksCertificate,
    { authorization: bearer(readToken) },
    'denied',
    'these credentials do not permit',
  ),
  ...presentsCertificate('no certificate', null, 'unauthenticated', 'a client certificate is asked for'),
  ...presentsCertificate(
    'a certificate of an authority that is not known, with the name of another agent',
    'unverified',
    'unauthenticated',
    'the client certificate does not verify',
  ),
  ...presentsCertificate(
    'a certificate that has expired, with the name of another agent',
    'expired',
    'unauthenticated',
    'the client certificate expired at',
  ),
  ...presentsCertificate(
    'a certificate without a name',
    'withoutName',
    'denied',
    'the client certificate has no name',
  ),
  ...presentsCertificate(
    'a name that no entry is for',
    'unknown',
    'denied',
    'no entry of auth.clients is for a name',
  ),
  ...row(
    'the member id of another agent',
    ['grpc'],
    { memberId: 'good', authorization: bearer() },
    'denied',
    'hello.member_id: these credentials do not permit to speak for',
  ),
];
