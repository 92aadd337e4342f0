import test, { type ExecutionContext } from 'ava';
import {
  type CollectorConfig,
  collectorDefaults,
  directoryDefaults,
} from '../../../collector/config/collector-config.ts';
import { type ConfigChange, configChanges, refuseFixed } from '../../../collector/reload/config-changes.ts';
import type { PeriodicReaderConfig } from '../../../otel/config/metric-readers.ts';
import { attributes } from '../../../otel/model/attributes.ts';

const { grpc, http } = collectorDefaults;

function reader(
  name: string,
  more: Partial<PeriodicReaderConfig> & { headers?: Record<string, string>; endpoint?: string } = {},
) {
  const { headers = {}, endpoint = 'http://backend:4318/v1/metrics', ...rest } = more;
  return {
    ...{ kind: 'periodic', name, intervalMs: 60_000, timeoutMs: 30_000, maxRequestBytes: 1024 * 1024 },
    exporter: {
      ...{
        kind: 'otlp_http',
        endpoint,
        headers,
        compression: 'none',
        timeoutMs: 10_000,
        temporality: 'delta',
        tls: {},
      },
    },
    ...rest,
  } as PeriodicReaderConfig;
}

const changes = (from: Partial<CollectorConfig>, to: Partial<CollectorConfig>): ConfigChange[] =>
  configChanges({ ...collectorDefaults, ...from }, { ...collectorDefaults, ...to });

function tells(
  t: ExecutionContext,
  from: Partial<CollectorConfig>,
  to: Partial<CollectorConfig>,
  expected: readonly [string, string | null, string | null][],
): void {
  t.deepEqual(
    changes(from, to).map(({ key, before, after }) => [key, before, after]),
    expected.map((one) => [...one]),
  );
}

test(
  'nothing, of equal configurations',
  tells,
  { readers: [reader('otlp_http')] },
  { readers: [reader('otlp_http')] },
  [],
);
test(
  'limits of agents and of the port, under one key as in the file',
  tells,
  {},
  {
    grpc: {
      ...grpc,
      limits: { ...grpc.limits, maxSeries: 5, maxMessageBytes: 8 * 2 ** 20 },
      portLimits: { ...grpc.portLimits, handshakeTimeoutMs: 2500 },
    },
  },
  [
    ['grpc.limits.max_message_bytes', '4MiB', '8MiB'],
    ['grpc.limits.max_series', '100000', '5'],
    ['grpc.limits.handshake_timeout', '10s', '2500ms'],
  ],
);
test(
  'a section that comes, key by key',
  tells,
  {},
  {
    http: {
      ...http,
      tls: {
        certFile: '/a.crt',
        keyFile: '/a.key',
        clientCaFile: undefined,
        minVersion: 'TLSv1.2',
        reloadIntervalMs: 1000,
      },
    },
  },
  [
    ['http.tls.cert_file', null, '/a.crt'],
    ['http.tls.key_file', null, '/a.key'],
    ['http.tls.min_version', null, 'TLSv1.2'],
    ['http.tls.reload_interval', null, '1s'],
  ],
);
test(
  'times of the collector',
  tells,
  {},
  { stalenessMs: 60_000, shutdownTimeoutMs: 1500, log: { level: 'debug' } },
  [
    ['streamgauge.staleness', '5m', '1m'],
    ['streamgauge.shutdown_timeout', '10s', '1500ms'],
    ['streamgauge.log.level', 'info', 'debug'],
  ],
);
test(
  'readers by their names, one that comes with all its keys',
  tells,
  { readers: [reader('otlp_http')] },
  {
    readers: [
      reader('otlp_http', { intervalMs: 10_000 }),
      { kind: 'prometheus', name: 'prometheus', host: '::1', port: 9464 },
    ],
  },
  [
    ['meter_provider.readers.otlp_http.interval', '1m', '10s'],
    ['meter_provider.readers.prometheus.host', null, '::1'],
    ['meter_provider.readers.prometheus.port', null, '9464'],
  ],
);
test(
  'resource attributes by key',
  tells,
  { resource: { attributes: attributes({ a: 1n, b: 'x' }), schemaUrl: '' } },
  { resource: { attributes: attributes({ a: 2n }), schemaUrl: '' } },
  [
    ['resource.attributes.a', '1', '2'],
    ['resource.attributes.b', 'x', null],
  ],
);

test('values of headers, of queries and of what may be a token are not shown, and their change is told', (t) => {
  const secrets = ['sesame', 'hunter2', 'query-token', 'pasted-token'] as const;
  const from = { readers: [reader('otlp_http', { headers: { authorization: 'Bearer before' } })] };
  const token = { name: 'a', permissions: [], agents: ['*'], forced: [], forbidden: [] };
  const to = {
    readers: [
      reader('otlp_http', {
        headers: { authorization: `Bearer ${secrets[0]}` },
        endpoint: `https://user:${secrets[1]}@backend:4318/v1/metrics?key=${secrets[2]}`,
      }),
    ],
    auth: { ...collectorDefaults.auth, tokens: [{ ...token, tokenFile: secrets[3] }] },
  };
  const told = changes(from, to);
  const keys = told.map(({ key }) => key);
  for (const key of ['exporter.headers.authorization', 'exporter.endpoint'])
    t.true(keys.includes(`meter_provider.readers.otlp_http.${key}`), key);
  t.true(keys.includes('auth.tokens[0].token_file'));
  for (const secret of secrets) t.false(JSON.stringify(told).includes(secret), secret);
  t.false(JSON.stringify(told).includes('Bearer'));
});

function isFixed(t: ExecutionContext, to: CollectorConfig['storage'], key: string): void {
  const from = { storage: { ...directoryDefaults, path: '/var/lib/a' } };
  const error = t.throws(() => refuseFixed(changes(from, { storage: to })));
  t.regex(error.message, new RegExp(`reload: ${key}: found .* cannot be changed while the collector runs`));
}
test(
  'another data directory takes a restart',
  isFixed,
  { ...directoryDefaults, path: '/b' },
  'streamgauge.data_dir',
);
test('so does memory only', isFixed, { kind: 'memory' }, 'streamgauge.memory');
test(
  'and another way to write the journal',
  isFixed,
  { ...directoryDefaults, path: '/var/lib/a', sync: { mode: 'never' } },
  'streamgauge.journal.sync',
);
test('everything else does not', (t) => {
  t.notThrows(() => refuseFixed(changes({}, { stalenessMs: 1000, views: [], readers: [reader('x')] })));
});
