import test from 'ava';
import { silentLog } from '../../agent/log.ts';
import { Collector } from '../../collector/collector.ts';
import { authDefaults } from '../../collector/config/auth-config.ts';
import { collectorDefaults } from '../../collector/config/collector-config.ts';
import { serverTlsDefaults } from '../../otel/config/server-tls.ts';
import { TestFiles } from '../certificates/certificate-files.ts';
import { TestAuthority } from '../certificates/certificates.ts';
import { startPrometheus } from './prometheus/prometheus-server.ts';
import { until } from './until.ts';

test('a real Prometheus scrapes over mutual TLS with a token, sees new ones of both, and is told what is wrong', async (t) => {
  t.timeout(5 * 60_000);
  const files = new TestFiles(t);
  const [first, second] = ['token-of-prometheus-0001', 'token-of-prometheus-0002'] as const;
  const [old, next] = [new TestAuthority('old'), new TestAuthority('next')];
  const own = (authority: TestAuthority) => authority.issue({ dns: ['prometheus.example'] });
  const client = files.writeIssued('client', own(old));
  const caFile = files.write('ca.crt', old.cert);
  const tokenFile = files.write('token', first);
  const tls = {
    ...serverTlsDefaults,
    ...files.writeIssued('server', old.issue({ dns: ['collector.example'] })),
    clientCaFile: caFile,
    reloadIntervalMs: 100,
  };
  const grant = { permissions: ['read' as const], agents: [], forced: [], forbidden: [] };
  const { grpc, http, admin } = collectorDefaults;
  const collector = new Collector(
    {
      ...collectorDefaults,
      grpc: { ...grpc, port: 0 },
      http: { ...http, port: 0, tls },
      admin: { ...admin, port: 0 },
      auth: {
        ...authDefaults,
        clients: [{ name: '*.example', ...grant }],
        tokens: [{ name: 'prometheus', tokenFile, ...grant }],
        reloadIntervalMs: 100,
      },
    },
    { log: silentLog },
  );
  await collector.start();
  t.teardown(() => collector.stop());
  const credentials = files.write('credentials', first);
  const prometheus = await startPrometheus(collector.addresses.http, {
    scheme: 'https',
    tls_config: {
      ca_file: caFile,
      cert_file: client.certFile,
      key_file: client.keyFile,
      server_name: 'collector.example',
    },
    authorization: { credentials_file: credentials },
  });
  t.teardown(() => prometheus.stop());
  const target = async () => (await prometheus.target()) ?? { health: 'unknown', lastError: '' };
  await until(async () => (await target()).health === 'up', 'the first scrape');

  files.write('token', second);
  await until(async () => /401/.test((await target()).lastError), 'the old token is refused');
  files.write('credentials', second);
  await until(async () => (await target()).health === 'up', 'the new token');

  files.write('ca.crt', next.cert);
  files.writeIssued('server', next.issue({ dns: ['collector.example'] }));
  files.writeIssued('client', own(next));
  // What it shows has been scraped since then: its time is later than now.
  const since = Date.now() / 1000 + 2;
  await until(async () => {
    const [sample] = await prometheus.query('timestamp(streamgauge_collector_scrape_request_total)');
    return Number(sample?.value) > since && (await target()).health === 'up';
  }, 'the new certificates');
  const [denied] = await prometheus.query(
    'streamgauge_collector_access_denied_total{streamgauge_cause="token_invalid"}',
  );
  t.true(Number(denied!.value) > 0);
});
