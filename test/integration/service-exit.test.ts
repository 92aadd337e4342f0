import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { TestFiles } from '../certificates/certificate-files.ts';
import { TestAuthority } from '../certificates/certificates.ts';
import { Child } from '../process/child.ts';
import { startStreamgauge, testEnvironment } from '../process/streamgauge.ts';
import { startCollector } from './in-process.ts';
import { RecordingService } from './recording-service.ts';

const fixture = path.join(import.meta.dirname, 'fixtures/short-service.ts');

/** Runs the service to its end, which has to come by itself, and soon. */
async function runService(t: ExecutionContext, endpoint: string, what: 'flush' | 'leave') {
  const child = new Child(process.execPath, [fixture, endpoint, what], { env: testEnvironment });
  t.teardown(() => child.kill());
  await child.waitForOutput(/done\n/);
  const doneMs = performance.now();
  const { code } = await child.wait();
  return { code, output: child.output, tookMs: performance.now() - doneMs };
}

/** Takes connections, and never says a word. */
async function silence(t: ExecutionContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}

test('a service with an open stream and nothing left to do ends by itself', async (t) => {
  const collector = await startCollector(t);
  const { code, output, tookMs } = await runService(t, `http://${collector.addresses.grpc}`, 'flush');
  t.is(code, 0, output);
  t.regex(output, /acknowledged [1-9]/);
  t.true(tookMs < 5000, `${tookMs} ms`);
});

test('neither a collector that is away nor one that never answers keeps a service alive', async (t) => {
  for (const endpoint of ['http://127.0.0.1:9', await silence(t)]) {
    const { code, output, tookMs } = await runService(t, endpoint, 'leave');
    t.is(code, 0, output);
    t.true(tookMs < 5000, `${endpoint}: ${tookMs} ms`);
  }
});

test('TLS with a certificate and a token of its own, and what is said when they are wrong', async (t) => {
  const files = new TestFiles(t);
  const authority = new TestAuthority('ours');
  const server = files.writeIssued('server', authority.issue());
  const client = files.writeIssued('client', authority.issue({ uris: ['spiffe://example/service/a'] }));
  const caFile = files.write('ca.crt', authority.cert);
  const tokenFile = files.write('services.token', 'planted-token-of-services-11aa');
  const otherFile = files.write('other.token', 'another-token-of-services-22bb');
  const config = files.write(
    'collector.yaml',
    JSON.stringify({
      grpc: { tls: { cert_file: server.certFile, key_file: server.keyFile, client_ca_file: caFile } },
      auth: {
        clients: [{ name: 'spiffe://example/service/*' }],
        tokens: [{ name: 'services', token_file: tokenFile }],
      },
    }),
  );
  const ports = ['--grpc-port', '0', '--http-port', '0', '--admin-port', '0', '--memory'];
  const collector = startStreamgauge(['collector', '--config', config, ...ports]);
  t.teardown(() => collector.kill());
  const [line] = await collector.waitForOutput(/^\{.*"msg":"collector started"\}$/m);
  const endpoint = `https://localhost:${JSON.parse(line).grpc.split(':').at(-1)}`;
  const tls = { caFile, certFile: client.certFile, keyFile: client.keyFile };
  const service = (more: object) => {
    const made = new RecordingService('', 'a', { endpoint, tls, tokenFile, timeoutMs: 5000, ...more });
    t.teardown(() => made.exporter.shutdown().catch(() => {}));
    made.work(3);
    return made;
  };
  await t.notThrowsAsync(service({}).flush());
  const short = { timeoutMs: 1500 };
  await t.throwsAsync(service({ ...short, tokenFile: otherFile }).flush(), {
    message: /does not accept this service's credentials|does not permit this service/,
  });
  await t.throwsAsync(
    service({ ...short, tls: { certFile: client.certFile, keyFile: client.keyFile } }).flush(),
    {
      message: /name the right one in tls\.caFile/,
    },
  );
  await t.throwsAsync(service({ ...short, tls: { ...tls, caFile: '/nowhere/ca.pem' } }).flush(), {
    message: /tls\.caFile \/nowhere\/ca\.pem cannot be read: there is no such file/,
  });
});

for (const [options, message] of [
  [{ endpoint: 'ftp://a' }, /endpoint ftp:\/\/a is none/],
  [{ endpoint: 'http://a:1', tls: { caFile: '/ca' } }, /write https:\/\/a:1/],
  [{ endpoint: 'https://a', tls: { certFile: '/c' } }, /certFile and tls\.keyFile are given together/],
  [{ token: 'a b' }, /token is empty or holds blanks/],
  [{ token: 'a', tokenFile: '/t' }, /token and tokenFile are both given/],
  [{ headers: { 'Grpc-X': '1' } }, /headers has the name "Grpc-X"/],
  [{ memberId: '' }, /memberId has 0 bytes; 1 to 256/],
  [{ timeoutMs: 0.5 }, /timeoutMs is 0\.5; whole numbers from 1/],
  [{ maxSeries: 0 }, /maxSeries is 0; whole numbers from 1/],
] as const)
  test(`options that cannot be are refused at once: ${JSON.stringify(options)}`, (t) => {
    t.throws(() => new RecordingService('localhost:1', 'a', { endpoint: undefined, ...options }), {
      message,
    });
  });
