import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { version } from '../../cli/version.ts';

const entry = fileURLToPath(new URL('../../cli/streamgauge.mjs', import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), 'streamgauge-cli-'));
test.after.always(() => rmSync(directory, { recursive: true }));

function run(args: readonly string[], env: Record<string, string> = {}, node: readonly string[] = []) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, entry, ...args], {
    encoding: 'utf8',
    timeout: 50_000,
    env: { ...process.env, XDG_STATE_HOME: directory, STATE_DIRECTORY: undefined, ...env },
  });
  return { status, stdout, stderr };
}

function file(name: string, text: string): string {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return place;
}

test('--version and --help', (t) => {
  t.deepEqual(run(['--version']), { status: 0, stdout: `${version()}\n`, stderr: '' });
  const { status, stdout } = run(['agent', '--help']);
  t.is(status, 0);
  t.regex(stdout, /^Usage: streamgauge agent \[options\]\n[\s\S]*\nExamples:\n {2}streamgauge agent\n/);
});

const saysOneSentence = test.macro({
  exec(t, args: readonly string[], sentence: string, env: Record<string, string> = {}) {
    t.deepEqual(run(args, env), { status: 1, stdout: '', stderr: `${sentence}\n` });
  },
  title: (_, args: readonly string[]) => `one sentence: ${args.join(' ')}`,
});

const seeHelp = 'See `streamgauge --help`, or `--help` behind a command.';
test(saysOneSentence, ['agnt'], `streamgauge: unknown command 'agnt' (Did you mean agent?). ${seeHelp}`);
test(
  saysOneSentence,
  ['agent', '--endpont', 'x'],
  `streamgauge: unknown option '--endpont' (Did you mean --endpoint?). ${seeHelp}`,
);
test(
  saysOneSentence,
  ['up', '--grpc-port', '70000'],
  `streamgauge: option '--grpc-port <port>' argument '70000' is invalid. Give a whole number from 0 to 65535; 0 picks a free port. ${seeHelp}`,
);
test(saysOneSentence, ['check', '/nowhere.yaml'], '/nowhere.yaml: cannot be read: there is no such file');
test(
  saysOneSentence,
  ['agent', '--endpoint', 'http://collector:4317'],
  'command line: --endpoint: found "http://collector:4317"; not on this machine, and it asks for no TLS; allowed: https://HOST:PORT, or --insecure beside it',
);
test(
  saysOneSentence,
  ['agent', '--once'],
  'environment: OTEL_RESOURCE_ATTRIBUTES: found a value that is not shown; item 1 is not of the form key=value with percent-encoding for , = and %',
  { OTEL_RESOURCE_ATTRIBUTES: 'x' },
);

test('check tells the two kinds of configuration apart', (t) => {
  const agent = file(
    'agent.yaml',
    'collector: {endpoint: "127.0.0.1:5000"}\nhost: {disk: {enabled: false}}\n',
  );
  const ofAgent = run(['check', agent]);
  t.is(ofAgent.status, 0);
  t.true(
    ofAgent.stdout.startsWith(`${agent}: ok, a configuration for the agent\n  sends to 127.0.0.1:5000\n`),
  );
  t.notRegex(ofAgent.stdout, /disk/);
  const collector = file(
    'collector.yaml',
    `meter_provider:
  readers:
    - periodic: {interval: 10000, exporter: {otlp_http: {endpoint: "http://b:1/v1/metrics?key=hunter2"}}}
  views:
    - selector: {instrument_name: a}
      stream: {streamgauge: {resource_keys: []}}
`,
  );
  const ofCollector = run(['check', collector]);
  t.is(ofCollector.status, 0);
  t.regex(ofCollector.stdout, /: ok, a configuration for the collector\n/);
  t.regex(ofCollector.stdout, /\n {2}reader otlp_http: every 10s to http:\/\/b:1\/v1\/metrics, cumulative\n/);
  t.regex(ofCollector.stdout, /fail-over of merging views is exact only with the data directory/);
  t.deepEqual(run(['check', file('empty.yaml', '')]).status, 1);
  t.deepEqual(run(['check', '--collector', file('empty.yaml', '')]).status, 0);
});

test('check prints every problem on a line of its own', (t) => {
  const faulty = file('faulty.yaml', 'grpc: {port: x}\nhttp: {prt: 1}\n');
  t.deepEqual(run(['check', faulty]), {
    status: 1,
    stdout: '',
    stderr: `${faulty}:1:14: grpc.port: found "x"; allowed: a whole number from 0 to 65535\n${faulty}:2:8: http.prt: unknown key, did you mean port? allowed: host, port, insecure, tls, allowed_hosts, limits\n`,
  });
});

test('check says where a file that is not YAML breaks off', (t) => {
  const broken = file('broken.yaml', 'grpc: [1\nhttp');
  const { status, stderr } = run(['check', broken]);
  t.is(status, 1);
  t.true(stderr.startsWith(`${broken}:2:`), stderr);
});

test('a gRPC port in use is one sentence', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  const free = ['--http-port', '0', '--admin-port', '0'];
  const { status, stderr } = run(['collector', '--log-level', 'error', '--grpc-port', `${port}`, ...free]);
  t.is(status, 1);
  t.is(
    stderr,
    `streamgauge: The gRPC server cannot listen on 127.0.0.1:${port}: another program listens there already. Choose another with --grpc-port or grpc.port.\n`,
  );
});

test('an agent without a file loads neither a schema nor a YAML library', (t) => {
  const hook = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`)}`;
  const { status, stdout, stderr } = run(['agent', '--once'], {}, ['--import', hook]);
  t.is(status, 0);
  t.true(Array.isArray(JSON.parse(stdout).resourceMetrics));
  t.regex(stderr, /\/agent\/agent\.ts$/m);
  t.deepEqual(stderr.match(/node_modules\/(zod|yaml|pino|@opentelemetry)\//g), null);
});
