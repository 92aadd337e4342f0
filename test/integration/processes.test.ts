import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { until } from '../interop/until.ts';
import { Child } from '../process/child.ts';
import {
  runStreamgauge,
  startAgentProcess,
  startCollectorProcess,
  startStreamgauge,
  testEnvironment,
} from '../process/streamgauge.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { parseOtlpJson } from '../sinks/otlp-json.ts';
import { receivedPoints } from '../sinks/received-points.ts';
import { CountingSource, counts } from './counting-source.ts';
import { startAgent } from './in-process.ts';

const program = fileURLToPath(new URL('../../cli/streamgauge.mjs', import.meta.url));
const anyPorts = ['--grpc-port', '0', '--http-port', '0', '--admin-port', '0'];

/** A folder of the test's own with a file in it. JSON is YAML. */
async function fileWith(t: ExecutionContext, name: string, content: unknown): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

test('at SIGTERM a collector process exports a last time, tells its agents, and ends with 0', async (t) => {
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  const never = 3_600_000;
  const config = await fileWith(t, 'collector.yaml', {
    file_format: '1.0',
    meter_provider: {
      readers: [
        { periodic: { interval: never, exporter: { otlp_http: { endpoint: `${sink.url}/v1/metrics` } } } },
        { periodic: { interval: 200, exporter: { console: {} } } },
      ],
    },
  });
  const { child, grpcPort } = await startCollectorProcess(['--config', config]);
  t.teardown(() => child.kill());
  const source = new CountingSource();
  const counter = source.add(counts, { host: 'Grüße' }, 3);
  const agent = await startAgent(t, `127.0.0.1:${grpcPort}`, { id: 'a', sources: [source.definition()] });
  await child.waitForOutput(/"jobs\.done".*"asInt":"3"/);
  counter.value = 41;
  await child.waitForOutput(/"jobs\.done".*"asInt":"41"/);
  t.is(sink.attempts.length, 0);
  t.is(await child.stop(), 0);
  const last = sink.points.filter(({ name }) => name === counts.name);
  t.like(last, [{ value: 41n, unit: '{job}', attributes: { host: 'Grüße' } }]);
  t.regex(child.output, /"msg":"collector drained"/);
  await until(() => !agent.status().connected, 'the agent knows');
  // The console's lines are OTLP/JSON, each a whole collection.
  const lines = child.output.split('\n').filter((line) => line.startsWith('{"resourceMetrics"'));
  const printed = lines.map((line) => receivedPoints([parseOtlpJson(line)]));
  t.true(printed.length >= 2);
  t.is(printed.at(-1)!.find(({ name }) => name === counts.name)?.value, 41n);
});

test('at SIGTERM an agent process reports a last time, says goodbye, and ends with 0', async (t) => {
  const sink = await startGrpcSink();
  t.teardown(() => sink.stop());
  const { child, grpcPort, adminPort } = await startCollectorProcess([
    '--otlp',
    `grpc://127.0.0.1:${sink.port}`,
    '--otlp-interval',
    '200ms',
  ]);
  t.teardown(() => child.kill());
  const agent = startAgentProcess(grpcPort, ['--agent-id', 'tested']);
  t.teardown(() => agent.kill());
  await sink.waitFor(
    ({ points }) => points.some(({ name }) => name === 'system.uptime'),
    'a host metric',
    30_000,
  );
  t.is(await agent.stop(), 0);
  const farewell = agent.output.split('\n').find((line) => line.includes('"agent drained"'))!;
  t.like(JSON.parse(farewell), { drained: { delivered: true, reason: '' } });
  const { drained } = JSON.parse(farewell);
  t.is(drained.acknowledged, drained.lastReport);
  const status = await (await fetch(`http://127.0.0.1:${adminPort}/status`)).json();
  t.like(status, { agents: 0, streams: { streamsEnded: { goodbye: 1 }, reports: drained.lastReport } });
  t.is(await child.stop(), 0);
});

test.serial(
  'up, as it is, has a point of this machine in a backend soon after the start, and logs without a terminal',
  async (t) => {
    const sink = await startHttpSink();
    t.teardown(() => sink.stop());
    const begin = performance.now();
    const child = startStreamgauge(['up', ...anyPorts, '--otlp', sink.url]);
    t.teardown(() => child.kill());
    await sink.waitFor(
      ({ points }) => points.some(({ name }) => name === 'system.uptime'),
      'a point',
      10_000,
    );
    t.log(
      `from the start of the process to the first exported point: ${Math.round(performance.now() - begin)} ms`,
    );
    await child.waitForOutput(/"msg":"1 agent, \d+ series in, \d+ out, .* points\/s, otlp ok"/);
    t.is(await child.stop(), 0);
    t.false(child.output.includes('\u001b'), 'nothing meant for a terminal');
  },
);

test('agent --once prints one collection as OTLP/JSON', async (t) => {
  const points = receivedPoints([parseOtlpJson(await runStreamgauge(['agent', '--once'], 20_000))]);
  const names = new Set(points.map(({ name }) => name));
  for (const name of ['system.cpu.time', 'system.memory.usage', 'system.network.io', 'system.uptime'])
    t.true(names.has(name), name);
  const cpu = points.find(({ name }) => name === 'system.cpu.time')!;
  t.like(cpu, { kind: 'sum', unit: 's', monotonic: true, temporality: 'cumulative' });
  t.is(cpu.resource['host.name'], os.hostname());
  t.true(Number(cpu.start) > 0 && cpu.time > cpu.start);
});

const modulesOf = async (t: ExecutionContext, args: readonly string[]): Promise<string> => {
  const file = await fileWith(t, 'modules', '');
  const trace = pathToFileURL(fileURLToPath(new URL('fixtures/trace-modules.mjs', import.meta.url))).href;
  const agent = new Child(process.execPath, ['--import', trace, program, 'agent', ...args], {
    env: { ...testEnvironment, TRACE_MODULES: file },
  });
  t.teardown(() => agent.kill());
  await agent.waitForOutput(/"msg":"connected/);
  t.is(await agent.stop(), 0);
  return await readFile(file, 'utf8');
};

test('an agent without a file loads neither the metrics SDK nor a YAML or schema library', async (t) => {
  const { child, grpcPort } = await startCollectorProcess();
  t.teardown(() => child.kill());
  const endpoint = `127.0.0.1:${grpcPort}`;
  const plain = await modulesOf(t, ['--endpoint', endpoint]);
  const unneeded = /node_modules\/(@opentelemetry|yaml|zod|pino|@grpc\/reflection)\//g;
  t.deepEqual([...new Set(plain.match(unneeded))], []);
  t.regex(plain, /node_modules\/@grpc\/grpc-js\//);
  // The trace sees what is loaded late, too.
  const config = await fileWith(t, 'agent.yaml', { collector: { endpoint } });
  const configured = await modulesOf(t, ['--config', config]);
  t.deepEqual([...new Set(configured.match(unneeded))].sort(), ['node_modules/yaml/', 'node_modules/zod/']);
});

const fails = test.macro(async (t: ExecutionContext, args: readonly string[], said: RegExp) => {
  const child = startStreamgauge(args);
  t.teardown(() => child.kill());
  t.deepEqual(await child.wait(), { code: 1, signal: null });
  t.regex(child.output, said);
  t.is(child.output.trimEnd().split('\n').length, 1, 'one sentence');
});

test(
  'a URL that is none is one sentence',
  fails,
  ['collector', ...anyPorts, '--otlp', 'localhost:4317'],
  /^command line: --otlp: found "localhost:4317"; allowed: http:\/\/HOST:4318 .*\n$/,
);
test(
  'an endpoint that is none is one sentence',
  fails,
  ['agent', '--endpoint', 'http://[bad'],
  /^command line: --endpoint: found "http:\/\/\[bad"; allowed: HOST:PORT.*\n$/,
);
test(
  'a file that is not there is one sentence',
  fails,
  ['collector', '--config', '/nowhere/collector.yaml'],
  /^\/nowhere\/collector\.yaml: cannot be read: there is no such file\n$/,
);

for (const listener of ['grpc', 'http', 'admin']) {
  test(`the ${listener} port in use is one sentence that says what to do`, async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    t.teardown(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const child = startStreamgauge(['up', ...anyPorts, `--${listener}-port`, String(port)]);
    t.teardown(() => child.kill());
    t.deepEqual(await child.wait(), { code: 1, signal: null });
    t.regex(
      child.output,
      new RegExp(
        `^streamgauge: The .* server cannot listen on 127\\.0\\.0\\.1:${port}: .*--${listener}-port.*\\n$`,
      ),
    );
  });
}

test('every mistake of a configuration is named with its place, and the process ends with 1', async (t) => {
  const config = await fileWith(
    t,
    'collector.yaml',
    'grpc:\n  prot: 4317\nmeter_provider:\n  readers:\n    - periodic:\n        interval: -5\n        exporter: {console: }\n',
  );
  const child = startStreamgauge(['collector', '--config', config]);
  t.teardown(() => child.kill());
  t.deepEqual(await child.wait(), { code: 1, signal: null });
  const [first, second, ...others] = child.output.trimEnd().split('\n');
  t.deepEqual(others, []);
  t.true(first!.startsWith(`${config}:2:3: grpc.prot: unknown key, did you mean port?`), first);
  t.is(
    second,
    `${config}:6:19: meter_provider.readers[0].periodic.interval: found -5; allowed: a whole number of milliseconds, at least 10`,
  );
});
