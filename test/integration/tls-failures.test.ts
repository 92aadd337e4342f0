import test from 'ava';
import type { CollectorAddress } from '../../agent/config/agent-config.ts';
import type { CollectorConfig } from '../../collector/config/collector-config.ts';
import { collectorDefaults } from '../../collector/config/collector-config.ts';
import { serverTlsDefaults } from '../../otel/config/server-tls.ts';
import { recordedLog } from '../agent/recorded-log.ts';
import { TestFiles } from '../certificates/certificate-files.ts';
import { type CertificateOptions, TestAuthority } from '../certificates/certificates.ts';
import { until } from '../interop/until.ts';
import { startAgent, startCollector } from './in-process.ts';

const authority = new TestAuthority();
const other = new TestAuthority();

interface Case {
  /** The collector's certificate; `undefined`: no TLS. */
  readonly server?: CertificateOptions;
  readonly asksClients?: boolean;
  readonly agent: (files: TestFiles) => Partial<CollectorAddress>;
  /** What the agent says; `undefined`: it connects. */
  readonly says?: RegExp;
}

const loopback = { dns: ['localhost'], ips: ['127.0.0.1'] };
const trusting = (files: TestFiles) => ({ tls: { caFile: files.write('ca', authority.cert) } });

const tells = test.macro<[Case]>({
  title: (title, { says }) => (says === undefined ? `connects: ${title}` : `is told: ${title}`),
  async exec(t, { server, asksClients = false, agent: agentOf, says }) {
    const files = new TestFiles(t);
    const { grpc } = collectorDefaults;
    const tls = server && {
      ...serverTlsDefaults,
      ...files.writeIssued('server', authority.issue(server)),
      clientCaFile: asksClients ? files.write('clients', authority.cert) : undefined,
    };
    const config: Partial<CollectorConfig> = { grpc: { ...grpc, port: 0, tls } };
    const collector = await startCollector(t, config);
    const log = recordedLog();
    const agent = await startAgent(t, collector.addresses.grpc, {
      id: 'a',
      sources: [],
      collector: agentOf(files),
      log,
    });
    if (says === undefined) {
      await until(() => agent.status().connected, 'the stream');
      t.is(agent.status().lastError, '');
      return;
    }
    await until(() => agent.status().reconnects >= 2, 'two tries');
    const warnings = log.lines.filter(({ level }) => level === 'warn');
    t.is(warnings.length, 1);
    t.regex(warnings[0]!.message, says);
    t.false(agent.status().connected);
  },
});

test('an authority that is known', tells, { server: loopback, agent: trusting });
test('a name beside the address', tells, {
  server: { dns: ['collector.example'] },
  agent: (files) => ({ tls: { ...trusting(files).tls, serverName: 'collector.example' } }),
});
test('a certificate that is asked for', tells, {
  server: loopback,
  asksClients: true,
  agent: (files) => ({ tls: { ...trusting(files).tls, ...files.writeIssued('own', authority.issue({})) } }),
});
test('an authority that is not known', tells, {
  server: loopback,
  agent: (files) => ({ tls: { caFile: files.write('ca', other.cert) } }),
  says: /^no TLS connection to .*; no authority that is known here .* collector\.tls\.ca_file; retrying$/,
});
test("the system's authorities", tells, {
  server: loopback,
  agent: () => ({ tls: {} }),
  says: /name the right one in collector\.tls\.ca_file; retrying$/,
});
test('another name', tells, {
  server: { dns: ['collector.example'] },
  agent: trusting,
  says: /certificate is for another name: .*collector\.tls\.server_name; retrying$/,
});
test('a certificate of the collector that has expired', tells, {
  server: { ...loopback, validTo: new Date(Date.now() - 1000) },
  agent: trusting,
  says: /the collector's certificate has expired: renew it there; retrying$/,
});
test('no TLS at the collector', tells, { agent: trusting, says: /the collector speaks no TLS there/ });
test('no TLS at the agent', tells, {
  server: loopback,
  agent: () => ({}),
  says: /cannot be reached: .*; if it speaks TLS, put https:\/\/ before the endpoint; retrying$/,
});
test('no certificate where one is asked for', tells, {
  server: loopback,
  asksClients: true,
  agent: trusting,
  says: /does not accept this agent's credentials: a client certificate is asked for, and none came/,
});
test('a file that is not there', tells, {
  server: loopback,
  agent: (files) => ({ tls: { caFile: files.path('none') } }),
  says: /^cannot connect to .*: collector\.tls\.ca_file .*none cannot be read: there is no such file; retrying$/,
});
test('a key of another certificate', tells, {
  server: loopback,
  agent: (files) => ({
    tls: {
      certFile: files.writeIssued('a', authority.issue({})).certFile,
      keyFile: files.writeIssued('b', authority.issue({})).keyFile,
    },
  }),
  says: /collector\.tls\.key_file .*b\.key holds the private key of another certificate; retrying$/,
});
test('a token that is none', tells, {
  agent: (files) => ({ tokenFile: files.write('token', 'a b c d e f g h i j k') }),
  says: /collector\.token_file .*token holds in line 1 what is no bearer token: .*; retrying$/,
});
