import test from 'ava';
import { registerSettings } from '../../../../otel/sdk/register/environment.ts';

function settingsOf(env: Record<string, string>) {
  const wanted = registerSettings(env);
  if (wanted.kind !== 'stream') throw new Error('nothing is wanted');
  return wanted;
}

test('without variables', (t) => {
  const { settings, warnings } = settingsOf({});
  t.deepEqual(warnings, []);
  t.like(settings, { exportIntervalMs: 60_000, exportTimeoutMs: 30_000 });
  t.deepEqual([...settings.detectors].sort(), ['env', 'host', 'os', 'process', 'serviceinstance']);
  t.like(settings.exporter, { endpoint: undefined, timeoutMs: 10_000, tls: undefined });
});

for (const [env, endpoint] of [
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1' }, 'http://a:1'],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b:1' },
    'http://b:1',
  ],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b:1', STREAMGAUGE_ENDPOINT: 'https://c' }, 'https://c'],
  [{ STREAMGAUGE_ENDPOINT: 'c:1', OTEL_EXPORTER_OTLP_INSECURE: 'true' }, 'http://c:1'],
  [{ STREAMGAUGE_ENDPOINT: ' ' }, undefined],
] as const)
  test(`the endpoint of ${JSON.stringify(env)} is ${endpoint}`, (t) => {
    t.is(settingsOf(env).settings.exporter.endpoint, endpoint);
  });

test('headers, certificates, times and detectors', (t) => {
  const { settings, warnings } = settingsOf({
    OTEL_EXPORTER_OTLP_HEADERS: 'X-Tenant=a%20b, y=2',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
    OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: '/key.pem',
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/cert.pem',
    OTEL_EXPORTER_OTLP_TIMEOUT: '77',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_NODE_RESOURCE_DETECTORS: 'env,os',
    STREAMGAUGE_TOKEN_FILE: '/token',
  });
  t.deepEqual(warnings, []);
  t.deepEqual(settings.exporter, {
    endpoint: undefined,
    timeoutMs: 77,
    headers: { 'x-tenant': 'a b', y: '2' },
    tokenFile: '/token',
    tls: { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' },
  });
  t.like(settings, { exportIntervalMs: 1000, exportTimeoutMs: 1000 });
  t.deepEqual([...settings.detectors].sort(), ['env', 'os']);
});

test('what cannot be is said and passed over', (t) => {
  const { settings, warnings } = settingsOf({
    OTEL_METRIC_EXPORT_INTERVAL: 'soon',
    OTEL_EXPORTER_OTLP_HEADERS: 'nonsense',
    OTEL_NODE_RESOURCE_DETECTORS: 'os,aws',
  });
  t.is(settings.exportIntervalMs, 60_000);
  t.deepEqual(settings.detectors, ['os']);
  t.is(warnings.length, 3);
  t.regex(warnings.join('\n'), /OTEL_METRIC_EXPORT_INTERVAL is soon; whole milliseconds/);
  t.regex(warnings.join('\n'), /aws, which is passed over/);
});

for (const [env, why] of [
  [{ OTEL_METRICS_EXPORTER: 'none' }, undefined],
  [{ OTEL_SDK_DISABLED: 'TRUE' }, undefined],
  [{ OTEL_METRICS_EXPORTER: 'prometheus' }, /is prometheus, and .* nothing is exported/],
] as const)
  test(`nothing is wanted with ${JSON.stringify(env)}`, (t) => {
    const wanted = registerSettings(env);
    t.is(wanted.kind, 'nothing');
    if (wanted.kind !== 'nothing') return;
    if (why === undefined) t.is(wanted.why, undefined);
    else t.regex(wanted.why!, why);
  });
