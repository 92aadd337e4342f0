import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { receiveWindowBytes } from '../../../collector/receivers/receive-window.ts';
import { TestFiles } from '../../certificates/certificate-files.ts';
import { type CertificateOptions, TestAuthority } from '../../certificates/certificates.ts';
import { until } from '../../interop/until.ts';
import { TcpProxy } from '../../proxy/tcp-proxy.ts';
import { framed, Http2Peer, helloBytes } from './http2-peer.ts';
import { startReceiver } from './receiver.ts';
import { security } from './tls-receiver.ts';

const authority = new TestAuthority();
const stranger = new TestAuthority();

/** A receiver with TLS, which asks clients for certificates of the authority unless told otherwise. */
async function tlsReceiver(
  t: ExecutionContext,
  options: Parameters<typeof security>[1] & { isMutual?: boolean; grpc?: object } = {},
) {
  const files = new TestFiles(t);
  const { isMutual = true, grpc = {} } = options;
  const tls = {
    ...files.writeIssued('server', authority.issue()),
    clientCaFile: isMutual ? files.write('ca.crt', authority.cert) : undefined,
    ...options.tls,
  };
  const parts = security(t, { ...options, tls });
  const started = await startReceiver(t, { security: parts.options, grpc });
  return { files, ...parts, ...started };
}

/** What a client with a certificate presents; without options one without. */
function presents(options?: CertificateOptions, by = authority) {
  return { ca: authority.cert, ...(options !== undefined && by.issue(options)) };
}

const known = { uris: ['spiffe://example/agent/a'] };

test('a stream over TLS: window, pings and bytes as without', async (t) => {
  const { target, receiver, core, bugs } = await tlsReceiver(t, {
    isMutual: false,
    grpc: { keepaliveTimeMs: 50, keepaliveTimeoutMs: 5000 },
  });
  const proxy = new TcpProxy(Number(target.split(':')[1]));
  const port = await proxy.listen();
  t.teardown(() => proxy.close());
  const peer = new Http2Peer(t, `127.0.0.1:${port}`, {}, presents()).read();
  let pings = 0;
  peer.client.on('ping', () => pings++);
  peer.stream.write(framed(helloBytes()));
  await until(() => peer.received > 0, 'the welcome');
  t.is(peer.client.remoteSettings.initialWindowSize, receiveWindowBytes);
  const hello = framed(helloBytes()).length;
  await until(
    () => (peer.client.state.remoteWindowSize ?? 0) >= receiveWindowBytes - hello,
    'the window of the connection',
  );
  await until(() => pings > 1, 'pings of a quiet connection');
  peer.client.destroy();
  await until(() => receiver.bytes.connections === 0, 'the end of the connection');
  // What TCP carried, TLS and its handshake included.
  t.is(receiver.bytes.total, proxy.bytesUp + proxy.bytesDown);
  t.true(receiver.bytes.total > 2000);
  t.is(core.counters.streamsWelcomed, 1);
  t.deepEqual(bugs, []);
});

const isRefused = test.macro<[client: () => object, status: RegExp, cause: string]>({
  title: (title) => `refused: ${title}`,
  async exec(t, client, status, cause) {
    const clients = [
      {
        name: 'spiffe://example/agent/*',
        permissions: ['stream' as const],
        agents: ['{1}'],
        forced: [],
        forbidden: [],
      },
    ];
    const { target, counters, core, log } = await tlsReceiver(t, { auth: { clients } });
    const peer = new Http2Peer(t, target, {}, client()).read();
    peer.stream.write(framed(helloBytes('a')));
    t.regex(decodeURI(await peer.status()), status);
    t.like(counters, { [cause]: 1 });
    t.is(core.counters.streamsWelcomed, 0);
    t.is(core.store.members.size, 0);
    const lines = log.lines.filter(({ message }) => message === 'a peer was not let in');
    t.is(lines.length, 1);
    t.like(lines[0]!.fields, { port: 'grpc', cause });
  },
});
test(
  'no certificate',
  isRefused,
  () => presents(),
  /^16 a client certificate is asked for/,
  'certificate_missing',
);
test(
  'the right name from another authority is no identity',
  isRefused,
  () => presents(known, stranger),
  /^16 the client certificate does not verify \(\w+\)/,
  'certificate_invalid',
);
test(
  'an expired certificate',
  isRefused,
  () => presents({ ...known, validTo: new Date(Date.now() - 1000) }),
  /^16 the client certificate expired at \d{4}-/,
  'certificate_expired',
);
test(
  'a certificate that is not valid yet',
  isRefused,
  () => presents({ ...known, validFrom: new Date(Date.now() + 60_000) }),
  /^16 the client certificate does not verify \(CERT_NOT_YET_VALID\)/,
  'certificate_invalid',
);
test(
  'another name',
  isRefused,
  () => presents({ uris: ['spiffe://other/agent/a'] }),
  /^7 no entry of auth\.clients is for a name/,
  'certificate_unknown',
);
test(
  'the name as a DNS name',
  isRefused,
  () => presents({ dns: ['spiffe://example/agent/a'] }),
  /^7 no entry of auth\.clients is for a name/,
  'certificate_unknown',
);
test(
  'a name that speaks for another member',
  isRefused,
  () => presents({ uris: ['spiffe://example/agent/b'] }),
  /^7 hello\.member_id: these credentials do not permit to speak for "a"/,
  'agent_id',
);
test(
  'a name with a wildcard of its own',
  isRefused,
  () => presents({ uris: ['spiffe://example/agent/*'] }),
  /^7 hello\.member_id: these credentials/,
  'agent_id',
);

test('a certificate that verifies comes in, and speaks for the member that its name has', async (t) => {
  const clients = [
    {
      name: 'spiffe://example/agent/*',
      permissions: ['stream' as const],
      agents: ['{1}'],
      forced: [],
      forbidden: [],
    },
  ];
  const { target, core, counters } = await tlsReceiver(t, { auth: { clients } });
  const peer = new Http2Peer(t, target, {}, presents(known)).read();
  peer.stream.write(framed(helloBytes('a')));
  await until(() => peer.received > 0, 'the welcome');
  t.is(core.counters.streamsWelcomed, 1);
  t.deepEqual(
    Object.values(counters).filter((count) => count > 0),
    [],
  );
});

test('nothing is served on a connection without a certificate, health checks and reflection included', async (t) => {
  const { target, counters } = await tlsReceiver(t);
  for (const path of [
    '/grpc.health.v1.Health/Check',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/x/Y',
  ]) {
    const peer = new Http2Peer(t, target, { ':path': path }, presents()).read();
    peer.stream.end(framed(Buffer.alloc(0)));
    t.regex(await peer.status(), /^16 /, path);
  }
  t.is(counters.certificate_missing, 3);
  const peer = new Http2Peer(t, target, { ':path': '/grpc.health.v1.Health/Check' }, presents(known)).read();
  peer.stream.end(framed(Buffer.alloc(0)));
  t.regex(await peer.status(), /^0 /);
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a session cannot be resumed where certificates are asked for: ${maxVersion}`, async (t) => {
    const { target } = await tlsReceiver(t);
    const [host, port] = target.split(':');
    const ask = async (session?: Buffer) => {
      const socket = connectTls({
        host,
        port: Number(port),
        ...presents(known),
        session,
        maxVersion,
        ALPNProtocols: ['h2'],
      });
      t.teardown(() => socket.destroy());
      let given: Buffer | undefined;
      socket.on('session', (ticket) => {
        given = ticket;
      });
      await once(socket, 'secureConnect');
      const isReused = socket.isSessionReused();
      const client = connect(`https://${target}`, { createConnection: () => socket });
      await once(client, 'remoteSettings');
      client.destroy();
      return { isReused, session: given };
    };
    const { session } = await ask();
    t.false((await ask(session)).isReused);
  });

test('no older TLS than allowed, and no plain text: the handshake fails, is counted and told', async (t) => {
  const { target, counters, log } = await tlsReceiver(t, { isMutual: false, tls: { minVersion: 'TLSv1.3' } });
  const [host, port] = target.split(':');
  const socket = connectTls({
    host,
    port: Number(port),
    ca: authority.cert,
    maxVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
  });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.regex(error.message, /protocol version/i);
  await until(() => counters.handshake === 1, 'the count');
  const plain = connectTcp(Number(port), host);
  plain.on('error', () => {});
  plain.end('GET / HTTP/1.1\r\n\r\n');
  await until(() => counters.handshake === 2, 'the second count');
  const reasons = log.lines.map(({ fields }) => fields.reason);
  t.regex(String(reasons[0]), /older versions of TLS only/);
});

test('new files hold for new connections, and open streams go on; broken ones change nothing', async (t) => {
  const { target, files, core, log } = await tlsReceiver(t);
  const peer = new Http2Peer(t, target, {}, presents(known)).read();
  peer.stream.write(framed(helloBytes('first')));
  await until(() => peer.received > 0, 'the welcome');

  files.write('server.crt', 'no certificate');
  await until(() => log.lines.some(({ level }) => level === 'error'), 'the error');
  const problem = String(log.lines.find(({ level }) => level === 'error')!.fields.problem);
  t.regex(problem, /server\.crt: grpc\.tls\.cert_file: holds no certificate/);

  const next = new TestAuthority('the next one');
  files.writeIssued('server', next.issue());
  files.write('ca.crt', next.cert);
  await until(
    () => log.lines.some(({ message }) => message.startsWith('TLS files were read again')),
    'the news',
  );
  t.is(log.lines.filter(({ level }) => level === 'error').length, 1);

  const newcomer = () => new Http2Peer(t, target, {}, { ca: next.cert, ...next.issue(known) }).read();
  let second = newcomer();
  await until(() => {
    if (second.stream.destroyed) second = newcomer();
    return second.client.connecting === false;
  }, 'the new certificate');
  second.stream.write(framed(helloBytes('second')));
  await until(() => second.received > 0, 'the welcome of the second');
  const old = new Http2Peer(t, target, {}, { ca: next.cert, ...authority.issue(known) }).read();
  t.regex(await old.status(), /^16 /);

  const before = core.counters.receivedBytes;
  peer.stream.end();
  await until(() => core.counters.streamsEnded.half_closed === 1, 'the orderly end of the first');
  t.true(core.counters.receivedBytes >= before);
});

test('without the HTTP/2 servers of grpc-js nobody could be asked, so it does not start', async (t) => {
  const files = new TestFiles(t);
  const tls = {
    ...files.writeIssued('server', authority.issue()),
    clientCaFile: files.write('ca', authority.cert),
  };
  const { options } = security(t, { tls });
  await t.throwsAsync(startReceiver(t, { security: options, isGrpcJs: true }), {
    message: /cannot be asked for/,
  });
});
