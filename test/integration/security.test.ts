import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { TestFiles } from '../certificates/certificate-files.ts';
import { TestAuthority } from '../certificates/certificates.ts';
import { until } from '../interop/until.ts';
import type { Child } from '../process/child.ts';
import { runStreamgauge, startStreamgauge } from '../process/streamgauge.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';

const firstToken = 'first-planted-token-4c1d5e0b77';
const secondToken = 'second-planted-token-90aa13ffe2';
const adminToken = 'admin-planted-token-55e0c1b2d3';
const wrongToken = 'wrong-planted-token-0f3b7a9c41';
const headerSecret = 'planted-header-value-77aa';
const querySecret = 'planted-query-value-31bd';

interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly admin: number;
}

async function started(t: ExecutionContext, config: string): Promise<{ child: Child; ports: Ports }> {
  const anyPorts = ['--grpc-port', '0', '--http-port', '0', '--admin-port', '0'];
  const child = startStreamgauge(['collector', '--config', config, ...anyPorts], 'sources', {
    OTLP_SECRET: headerSecret,
  });
  t.teardown(() => child.kill());
  const [line] = await child.waitForOutput(/^\{.*"msg":"collector started"\}$/m);
  const { grpc, http, admin } = JSON.parse(line);
  const port = (address: string) => Number(address.split(':').at(-1));
  return { child, ports: { grpc: port(grpc), http: port(http), admin: port(admin) } };
}

function lines(child: Child, message: string): Record<string, unknown>[] {
  return child.output
    .split('\n')
    .filter((line) => line.includes(message))
    .map((line) => JSON.parse(line));
}

test('processes over mutual TLS with tokens: both are replaced under an open stream; a wrong one is told; no secret is', async (t) => {
  const files = new TestFiles(t);
  const [old, next] = [new TestAuthority('old'), new TestAuthority('next')];
  const agentName = { uris: ['spiffe://example/agent/web-1'] };
  const server = files.writeIssued('server', old.issue());
  const client = files.writeIssued('client', old.issue(agentName));
  const reader = files.writeIssued('reader', old.issue({ dns: ['people.example'] }));
  const caFile = files.write('ca.crt', old.cert);
  const tokenFile = files.write('agents.token', firstToken);
  const tls = {
    cert_file: server.certFile,
    key_file: server.keyFile,
    client_ca_file: caFile,
    reload_interval: '100ms',
  };
  const collectorFile = files.write(
    'collector.yaml',
    // JSON is YAML.
    JSON.stringify({
      grpc: { tls: { ...tls, min_version: 1.3 } },
      http: { tls },
      admin: { tls },
      auth: {
        clients: [
          { name: 'spiffe://example/agent/*', agents: ['{1}'] },
          { name: 'people.example', permissions: ['read', 'admin'] },
        ],
        tokens: [
          { name: 'agents', token_file: tokenFile, resource: { forced: { 'tenant.id': 'a' } } },
          {
            name: 'people',
            token_file: files.write('people.token', adminToken),
            permissions: ['admin', 'read'],
          },
        ],
        reload_interval: '100ms',
      },
      meter_provider: {
        readers: [
          {
            periodic: {
              interval: 200,
              exporter: {
                otlp_http: {
                  // Nobody listens there.
                  endpoint: `http://127.0.0.1:9/v1/metrics?key=${querySecret}`,
                  headers: [{ name: 'api-key', value: `\${OTLP_SECRET}` }],
                },
              },
            },
          },
        ],
      },
      // Its backend never takes the last state.
      streamgauge: { shutdown_timeout: '300ms' },
    }),
  );
  const { child: collector, ports } = await started(t, collectorFile);
  const proxy = new TcpProxy(ports.grpc);
  const agentTokenFile = files.write('agent.token', firstToken);
  const port = await proxy.listen();
  t.teardown(() => proxy.close());
  const agentFile = files.write(
    'agent.yaml',
    JSON.stringify({
      agent_id: 'web-1',
      collector: {
        endpoint: `https://localhost:${port}`,
        tls: { ca_file: caFile, cert_file: client.certFile, key_file: client.keyFile },
        token_file: agentTokenFile,
        reconnect: { initial_delay: '50ms', max_delay: '200ms' },
      },
      host: { interval: '100ms' },
    }),
  );
  const agent = startStreamgauge(['agent', '--config', agentFile]);
  t.teardown(() => agent.kill());
  await collector.waitForOutput(/"msg":"agent connected"/);

  const people = ['--ca-file', caFile, '--cert-file', reader.certFile, '--key-file', reader.keyFile];
  const ledger = (token: string) =>
    runStreamgauge(
      ['ledger', '--admin-port', String(ports.admin), ...people, '--token-file', files.path(token), '--json'],
      30_000,
    );
  t.true(JSON.parse(await ledger('people.token')).input.isBalanced);
  const denied = (await t.throwsAsync(ledger('agent.token')))!.message;
  t.regex(denied, /says: Not let in: these credentials do not permit admin/);

  // Everything is replaced while the stream is open: first both are valid, then only the new ones.
  const reloads = (message: string) => lines(collector, message).length;
  files.write('ca.crt', old.cert + next.cert);
  files.write('agents.token', `${firstToken}\n${secondToken}\n`);
  await until(
    () => reloads('TLS files were read again') >= 3 && reloads('files of tokens were') >= 1,
    'both hold',
  );
  files.writeIssued('server', next.issue());
  files.writeIssued('client', next.issue(agentName));
  files.write('agent.token', secondToken);
  files.write('agents.token', secondToken);
  files.write('server.key', 'broken');
  await until(() => reloads('cannot be used; what they held before goes on') >= 3, 'the broken key is told');
  files.writeIssued('server', next.issue());
  await until(
    () => reloads('TLS files were read again') >= 6 && reloads('files of tokens were') >= 2,
    'the new ones hold',
  );
  t.is(proxy.openConnections, 1);
  t.is(lines(agent, 'retrying').length, 0);
  t.is(lines(collector, '"agent connected"').length, 1);
  const before = proxy.bytesUp;
  await until(() => proxy.bytesUp > before + 100, 'reports on the old stream');

  // The next connection presents the new ones.
  proxy.cut();
  await until(() => lines(collector, '"agent connected"').length === 2, 'the new stream');

  // A wrong token: one line on both sides however often it is tried, and the way out.
  files.write('agent.token', wrongToken);
  proxy.cut();
  await agent.waitForOutput(/does not accept this agent's credentials: the bearer token is not known here/);
  const attempts = (): number => proxy.bytesDown;
  let last = attempts();
  for (let tries = 0; tries < 3; tries++) {
    await until(() => attempts() > last, 'another try');
    last = attempts();
  }
  const refused = lines(collector, 'a peer was not let in').filter(({ cause }) => cause === 'token_invalid');
  t.is(refused.length, 1);
  t.like(refused[0], { port: 'grpc', level: 40 });
  t.is(lines(agent, 'does not accept').length, 1);

  files.write('agent.token', secondToken);
  await until(() => lines(collector, '"agent connected"').length === 3, 'the third stream');
  const cmdline = [collector.pid, agent.pid].map((pid) =>
    process.platform === 'linux' ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '',
  );
  t.is(await agent.stop(), 0);
  await collector.waitForOutput(/"msg":"stream ended: goodbye"/);
  const status = await ledger('people.token');
  const pages = await Promise.all(
    ['/status', '/agents', '/ledger', '/metrics'].map((path) =>
      fetchOver(path === '/metrics' ? ports.http : ports.admin, path, files, reader),
    ),
  );
  for (const page of pages) t.is(page.status, 200);
  t.regex(pages[1]!.text, /"tenant\.id": "a"/);
  t.regex(
    pages[3]!.text,
    /streamgauge_collector_access_denied_total\{[^}]*cause="token_invalid"[^}]*\} [1-9]/,
  );
  t.is(await collector.stop(), 0);
  const checks = await Promise.all(
    [collectorFile, agentFile].map((file) => runStreamgauge(['check', file], 30_000)),
  );
  t.regex(checks[0]!, /asks for client certificates: grpc, http, admin; for one of 2 entries/);

  const everything = [
    collector.output,
    agent.output,
    denied,
    status,
    ...cmdline,
    ...pages.map(({ text }) => text),
    ...checks,
  ].join('\n');
  t.true(everything.length > 10_000);
  const secrets = [
    firstToken,
    secondToken,
    adminToken,
    wrongToken,
    headerSecret,
    querySecret,
    ...keyLines(files),
  ];
  for (const secret of secrets) t.false(everything.includes(secret), secret.slice(0, 12));
});

/** The lines of base64 of all private keys that were written. */
function keyLines(files: TestFiles): string[] {
  const keys = ['server', 'client', 'reader'].map((name) => readFileSync(files.path(`${name}.key`), 'utf8'));
  return keys.flatMap((pem) => pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-')));
}

async function fetchOver(
  port: number,
  path: string,
  files: TestFiles,
  reader: { certFile: string; keyFile: string },
) {
  const { request } = await import('node:https');
  return await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const options = {
      host: 'localhost',
      port,
      path,
      agent: false,
      ca: readFileSync(files.path('ca.crt')),
      cert: readFileSync(reader.certFile),
      key: readFileSync(reader.keyFile),
      headers: { authorization: `Bearer ${adminToken}` },
    };
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    call.on('error', reject);
    call.end();
  });
}

const planted = 'S3CRETplantedS3CRETplanted';
const pem = `"-----BEGIN PRIVATE KEY-----\\n${planted}"`;
const mistakes: readonly (readonly [what: string, program: 'agent' | 'collector', config: string])[] = [
  [
    'in every place of a collector',
    'collector',
    `
grpc: {port: "\${MY_TOKEN}", tls: {cert_file: a, key_file: ${pem}}}
http: {host: "http://u:${planted}@h"}
auth:
  tokens:
    - ${planted}
    - {name: a, token: ${planted}, token_file: [${planted}]}
    - {name: a, token_file: "\${${planted}!}"}
    - {name: a, token_file: *${planted}}
meter_provider:
  readers:
    - periodic:
        exporter:
          otlp_http:
            endpoint: "http://u:${planted}@h/"
            headers: [{name: a, value: "${planted}\\n"}]
            headers_list: ${planted}
`,
  ],
  ['a list of tokens that is one', 'collector', `auth: {tokens: ${planted}}`],
  ['a file that is no YAML', 'collector', `auth: {tokens: [{name: a, token_file: ${planted}}`],
  ['a token in the place of its file', 'collector', `auth: {tokens: [{name: a, token_file: ${planted}}]}`],
  [
    'in every place of an agent',
    'agent',
    `collector: {endpoint: "https://user:${planted}@host:1", tls: {cert_file: c, key_file: ${pem}}, token_file: [${planted}]}`,
  ],
];
for (const [what, program, config] of mistakes)
  test(`mistakes are told without the secret: ${what}`, async (t) => {
    const file = new TestFiles(t).write(`${program}.yaml`, `${config}\n`);
    const child = startStreamgauge([program, '--config', file], 'sources', { MY_TOKEN: planted });
    t.teardown(() => child.kill());
    t.deepEqual(await child.wait(), { code: 1, signal: null });
    t.true(child.output.length > 50);
    t.false(child.output.includes('S3CRET'), child.output);
  });
