import test from 'ava';
import { agentDefaults } from '../../../agent/config/agent-config.ts';
import { collectorEndpoint } from '../../../agent/config/collector-endpoint.ts';
import { environmentConfig } from '../../../agent/config/environment.ts';
import { parseAgentConfig } from '../../../agent/config/load.ts';
import { ConfigError } from '../../../otel/config/config-error.ts';
import { stateDirectoryPath } from '../../../otel/config/state-directory.ts';

const isRefused = test.macro({
  exec(t, text: string, ...expected: string[]) {
    const error = t.throws(() => parseAgentConfig(text, 'a.yaml', {}), { instanceOf: ConfigError });
    t.deepEqual(
      error.message.split('\n'),
      expected.map((line) => `a.yaml:${line}`),
    );
  },
  title: (name) => `refused: ${name}`,
});

test('an empty file is the defaults', (t) => {
  const defaults = { ...agentDefaults, stateDir: stateDirectoryPath('streamgauge-agent', undefined, {}) };
  t.deepEqual(parseAgentConfig('', 'a.yaml', {}), defaults);
  t.deepEqual(parseAgentConfig('collector: {reconnect: }\nhost: {cpu: }\n', 'a.yaml', {}), defaults);
});

test(
  'all problems together',
  isRefused,
  `
collector: {endpoint: "host:99999", insecur: true, reconnect: {initial_delay: 1m}}
agent_id: ""
resource: {attributes: {a: [x], b: 18014398509481984}}
host:
  root_path: host
  disk: {interval: 10, devices: {includ: [sda]}}
  network: {interfaces: {include: eth0}}
log: {level: loud}
`,
  '2:23: collector.endpoint: found "host:99999"; allowed: HOST:PORT, https://HOST:PORT or http://HOST:PORT, like 127.0.0.1:4317',
  '2:37: collector.insecur: unknown key, did you mean insecure? allowed: endpoint, insecure, tls, token_file, connect_timeout, keepalive_time, keepalive_timeout, reconnect',
  '2:63: collector.reconnect.max_delay: missing; allowed: not less than initial_delay',
  '3:11: agent_id: found ""; allowed: text of 1 to 256 bytes without control characters',
  '4:28: resource.attributes.a: found a list of 1; allowed: text, a number, true or false',
  '4:36: resource.attributes.b: found 18014398509481984; allowed: whole numbers to ±2^53',
  '6:14: host.root_path: found "host"; allowed: an absolute path',
  '7:20: host.disk.interval: found 10; allowed: a duration from 100ms to 24d: milliseconds, or text like 500ms, 10s, 5m, 1h',
  '7:34: host.disk.devices.includ: unknown key, did you mean include? allowed: include, exclude',
  '8:35: host.network.interfaces.include: found "eth0"; allowed: a list of names; * and ? are wildcards',
  '9:14: log.level: found "loud"; allowed: trace, debug, info, warn, error, fatal or silent',
);

test(
  'another machine without insecure',
  isRefused,
  'collector: {endpoint: "grpc://collector:4317"}\n',
  '1:23: collector.endpoint: found "grpc://collector:4317"; not on this machine, and it asks for no TLS; allowed: https://HOST:PORT, or insecure: true beside it',
);

test(
  'TLS and no TLS at once',
  isRefused,
  'collector: {endpoint: "https://collector:4317", insecure: true}\n',
  '1:23: collector.endpoint: found "https://collector:4317"; insecure: true asks for no TLS; allowed: either of the two',
);

test(
  'a certificate without its key, a variable that is not set as the authority',
  isRefused,
  `collector: {tls: {cert_file: c, ca_file: "\${NOT_SET}"}}\n`,
  '1:18: collector.tls: found a mapping; allowed: cert_file and key_file both, or neither',
  `1:42: collector.tls.ca_file: found "" (from \${NOT_SET}); allowed: the path of a file`,
);

const connectsWith = test.macro<[collector: string, tls: unknown]>({
  title: (_, collector, tls) => `${tls === undefined ? 'no TLS' : 'TLS'} for ${collector}`,
  exec(t, collector, tls) {
    t.deepEqual(parseAgentConfig(`collector: ${collector}`, 'a.yaml', {}).collector.tls, tls as never);
  },
});
const system = { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined };
test(connectsWith, '{}', undefined);
test(connectsWith, '{endpoint: "127.0.0.1:1"}', undefined);
test(connectsWith, '{endpoint: "https://127.0.0.1:1"}', system);
test(connectsWith, '{endpoint: "grpcs://localhost"}', system);
test(connectsWith, '{endpoint: "127.0.0.1:1", tls: {ca_file: ca}}', { ...system, caFile: 'ca' });
test(connectsWith, '{endpoint: other}', system);
test(connectsWith, '{endpoint: other, insecure: true}', undefined);
test(connectsWith, '{endpoint: "grpc://other", insecure: true}', undefined);

test('a whole file', (t) => {
  const config = parseAgentConfig(
    `
collector: {endpoint: collector, insecure: true, connect_timeout: 2s, reconnect: {initial_delay: 100ms, max_delay: 5000}}
agent_id: web-1
state_dir: /var/lib/x
resource: {attributes: {a: text, b: 5, c: 1.5, d: true, e: }}
host:
  interval: 20s
  root_path: /host/
  cpu: {interval: 1500}
  paging: {enabled: false}
  processes: {interval: 30s}
  disk: {devices: {include: [sd*], exclude: []}}
  filesystem: {fs_types: {include: [ext4]}}
`,
    'a.yaml',
    {},
  );
  t.like(config.collector, {
    endpoint: 'collector:4317',
    insecure: true,
    connectTimeoutMs: 2000,
    backOff: { initialMs: 100, maxMs: 5000 },
  });
  t.like(config, { agentId: 'web-1', stateDir: '/var/lib/x' });
  t.deepEqual(config.resource, [
    ['a', 'text'],
    ['b', 5n],
    ['c', 1.5],
    ['d', true],
  ]);
  t.is(config.host.rootPath, '/host');
  t.deepEqual(config.host.cpu, { enabled: true, intervalMs: 1500 });
  t.deepEqual(config.host.paging, { enabled: false, intervalMs: 20_000 });
  t.deepEqual(config.host.connections, { enabled: true, intervalMs: 20_000 });
  t.deepEqual(config.host.processes, { enabled: true, intervalMs: 30_000 });
  t.deepEqual(config.host.disk.devices, { include: ['sd*'], exclude: [] });
  t.deepEqual(config.host.filesystem.fsTypes, {
    include: ['ext4'],
    exclude: agentDefaults.host.filesystem.fsTypes.exclude,
  });
});

test('slow groups keep their own interval when the common one is shorter', (t) => {
  const { host } = parseAgentConfig('host: {interval: 500ms}', 'a.yaml', {});
  t.is(host.cpu.intervalMs, 500);
  t.is(host.processes.intervalMs, agentDefaults.host.processes.intervalMs);
});

test('without a file', (t) => {
  t.deepEqual(environmentConfig({}), {
    ...agentDefaults,
    stateDir: stateDirectoryPath('streamgauge-agent', undefined, {}),
  });
  const config = environmentConfig({
    OTEL_RESOURCE_ATTRIBUTES: 'team=a%20b',
    STATE_DIRECTORY: '/var/lib/x:/y',
  });
  t.deepEqual(config.resource, [['team', 'a b']]);
  t.is(config.stateDir, '/var/lib/x');
  const error = t.throws(() => environmentConfig({ OTEL_RESOURCE_ATTRIBUTES: 'team' }), {
    instanceOf: ConfigError,
  });
  t.regex(
    error.message,
    /^environment: OTEL_RESOURCE_ATTRIBUTES: found a value that is not shown; item 1 is not/,
  );
});

const endpoints = test.macro({
  exec(t, text: string, expected: string | undefined) {
    const parsed = collectorEndpoint(text);
    t.is('problem' in parsed ? undefined : parsed.endpoint, expected);
  },
  title: (_, text) => `endpoint: ${text}`,
});

test(endpoints, '127.0.0.1:4317', '127.0.0.1:4317');
test(endpoints, 'localhost', 'localhost:4317');
test(endpoints, 'grpc://a.b:1/', 'a.b:1');
test(endpoints, 'HTTP://a:65535', 'a:65535');
test(endpoints, '[::1]:80', '[::1]:80');
test(endpoints, 'a:0', undefined);
test(endpoints, 'a:b', undefined);
test(endpoints, '::1', undefined);
test(endpoints, 'a/b', undefined);
test(endpoints, 'a b', undefined);
test(endpoints, 'https://a', 'a:4317');
test(endpoints, 'ftp://a', undefined);
test(endpoints, '', undefined);
