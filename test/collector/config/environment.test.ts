import test from 'ava';
import { collectorDefaults, directoryDefaults } from '../../../collector/config/collector-config.ts';
import { environmentConfig } from '../../../collector/config/environment.ts';
import { ConfigError } from '../../../otel/config/config-error.ts';

const otlp = { headers: {}, compression: 'none', timeoutMs: 10_000, temporality: 'cumulative' } as const;
const noTls = { caFile: undefined, keyFile: undefined, certFile: undefined };
const periodic = {
  kind: 'periodic',
  intervalMs: 60_000,
  timeoutMs: 30_000,
  maxRequestBytes: 3_670_016,
} as const;

const readersOf = test.macro({
  exec(t, environment: Record<string, string>, expected: unknown[]) {
    t.deepEqual(environmentConfig(environment).readers as unknown[], expected);
  },
  title: (_, environment) => `readers of ${JSON.stringify(environment)}`,
});

test('nothing set is the defaults', (t) => {
  t.deepEqual(environmentConfig({}), { ...collectorDefaults, storage: directoryDefaults });
  t.deepEqual(environmentConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_RESOURCE_ATTRIBUTES: '' }), {
    ...collectorDefaults,
    storage: directoryDefaults,
  });
});

test(readersOf, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, []);
test(readersOf, { OTEL_METRICS_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b:4318' }, []);
test(readersOf, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b:4318/base/' }, [
  {
    ...periodic,
    name: 'otlp_http',
    exporter: { ...otlp, kind: 'otlp_http', endpoint: 'http://b:4318/base/v1/metrics', tls: noTls },
  },
]);
test(
  readersOf,
  { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b:4318/own', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' },
  [
    {
      ...periodic,
      name: 'otlp_http',
      exporter: { ...otlp, kind: 'otlp_http', endpoint: 'http://b:4318/own', tls: noTls },
    },
  ],
);
test(
  readersOf,
  {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://b',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'A=1, b = x%2Cy',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    OTEL_METRIC_EXPORT_TIMEOUT: '9000',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'Delta',
  },
  [
    {
      ...periodic,
      name: 'otlp_grpc',
      intervalMs: 5000,
      timeoutMs: 5000,
      exporter: {
        kind: 'otlp_grpc',
        endpoint: 'https://b:443',
        headers: { a: '1', b: 'x,y' },
        compression: 'gzip',
        timeoutMs: 2000,
        temporality: 'delta',
        tls: { ...noTls, caFile: '/ca.pem' },
      },
    },
  ],
);
test(readersOf, { OTEL_METRICS_EXPORTER: 'console, prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: '0' }, [
  { ...periodic, name: 'console', exporter: { kind: 'console', temporality: 'cumulative' } },
  { kind: 'prometheus', name: 'prometheus', host: 'localhost', port: 0 },
]);

test('the resource: OTEL_SERVICE_NAME goes before OTEL_RESOURCE_ATTRIBUTES', (t) => {
  const { resource } = environmentConfig({
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,deployment.environment.name=x%20y',
    OTEL_SERVICE_NAME: 'b',
  });
  t.deepEqual(resource.attributes, [
    ['deployment.environment.name', 'x y'],
    ['service.name', 'b'],
  ]);
});

test('all problems together, without secrets', (t) => {
  const error = t.throws(
    () =>
      environmentConfig({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'b:4318',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_HEADERS: 'hunter2',
        OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
        OTEL_METRICS_EXPORTER: 'otlp,zipkin',
        OTEL_RESOURCE_ATTRIBUTES: 'a=%zz',
      }),
    { instanceOf: ConfigError },
  );
  t.deepEqual(error.message.split('\n').sort(), [
    'environment: OTEL_EXPORTER_OTLP_ENDPOINT: found "b:4318"; allowed: an http:// or https:// URL without user, like http://localhost:4318/v1/metrics',
    'environment: OTEL_EXPORTER_OTLP_HEADERS: found a value that is not shown; item 1 is not of the form key=value with percent-encoding for , = and %',
    'environment: OTEL_EXPORTER_OTLP_PROTOCOL: found "http/json"; allowed: grpc or http/protobuf',
    'environment: OTEL_EXPORTER_OTLP_TIMEOUT: found "10s"; allowed: a whole number from 1 to 2073600000',
    'environment: OTEL_METRICS_EXPORTER: found "zipkin"; allowed: otlp, console, prometheus and none',
    'environment: OTEL_RESOURCE_ATTRIBUTES: found a value that is not shown; item 1 is not of the form key=value with percent-encoding for , = and %',
  ]);
});

test('an OTLP exporter without an endpoint would be this collector', (t) => {
  const error = t.throws(() => environmentConfig({ OTEL_METRICS_EXPORTER: 'otlp' }), {
    instanceOf: ConfigError,
  });
  t.regex(
    error.message,
    /^environment: OTEL_METRICS_EXPORTER: found otlp without OTEL_EXPORTER_OTLP_ENDPOINT/,
  );
});
