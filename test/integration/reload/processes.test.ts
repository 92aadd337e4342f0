import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { counter, SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { until } from '../../interop/until.ts';
import { runStreamgauge, startCollectorProcess } from '../../process/streamgauge.ts';
import { startHttpSink } from '../../sinks/http-sink.ts';
import { CountingSource, counts } from '../counting-source.ts';
import { startAgent } from '../in-process.ts';
import { folder } from './reloaded.ts';

const hangingDisk = pathToFileURL(
  fileURLToPath(new URL('../fixtures/hanging-disk.mjs', import.meta.url)),
).href;

/** A configuration file of the test's own, which is replaced whole. JSON is YAML. */
class ConfigFile {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async of(t: ExecutionContext, content: object): Promise<ConfigFile> {
    const file = new ConfigFile(path.join(await folder(t), 'collector.yaml'));
    await file.write(content);
    return file;
  }

  async write(content: object | string): Promise<void> {
    await writeFile(`${this.name}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    await rename(`${this.name}.new`, this.name);
  }
}

const merged = (name: string, keys: string[] | undefined) => ({
  selector: { instrument_name: 'jobs.done' },
  stream: {
    name,
    ...(keys === undefined ? {} : { attribute_keys: { included: keys } }),
    streamgauge: { resource_keys: [] },
  },
});

/** A killed process loses nothing, and a busy disk takes its time. */
const journal = { sync: 'never' };

const config = (views: object[], more: object = {}) => ({
  file_format: '1.0',
  meter_provider: { views },
  streamgauge: { journal, ...more },
});

/** What /metrics shows of the outputs of jobs, without their times. */
async function jobs(httpPort: number): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => /^(fleet|jobs)\S*(_total|_created)/.test(line))
    .sort();
}

test('kill -9 right after a reload, before its checkpoint: the same state again', async (t) => {
  const file = await ConfigFile.of(
    t,
    config([merged('fleet.done', undefined), merged('fleet.kinds', ['kind'])]),
  );
  const directory = await folder(t);
  const args = ['--config', file.name, '--data-dir', directory];
  const first = await startCollectorProcess(args);
  t.teardown(() => first.child.kill());
  const source = new CountingSource();
  const done = source.add(counts, { kind: 'a', user: 'u' });
  const agent = await startAgent(t, `127.0.0.1:${first.grpcPort}`, {
    id: 'a',
    sources: [source.definition()],
  });
  const shows = (line: RegExp) =>
    until(async () => (await jobs(first.httpPort)).some((one) => line.test(one)), `${line}`);
  await shows(/^fleet_done\S*_total\S* 0/);
  done.value = 7;
  await shows(/^fleet_done\S*_total\S* 7/);
  await file.write(config([merged('fleet.done', undefined), merged('fleet.users', ['user'])]));
  const printed = await runStreamgauge(['reload', '--admin-port', `${first.adminPort}`], 20_000);
  t.regex(printed, /^meter_provider\.views\[1\]: .*fleet\.kinds.* -> .*fleet\.users.*\n$/);
  done.value = 9;
  await shows(/^fleet_users\S*_total\S* 2/);
  await agent.stop();
  const before = await jobs(first.httpPort);
  t.true(before.some((line) => /^fleet_done\S*_total\S* 9/.test(line)));
  await first.child.kill();
  t.false(/checkpoint could not/.test(first.child.output));
  const { grpcPort, httpPort, adminPort } = first;
  const second = await startCollectorProcess(args, { grpcPort, httpPort, adminPort });
  t.teardown(() => second.child.kill());
  t.deepEqual(await jobs(httpPort), before);
});

test('SIGHUP puts the file in force, with mistakes it changes nothing, and both are in the log', async (t) => {
  const file = await ConfigFile.of(t, config([merged('fleet.done', undefined)]));
  const { child, adminPort } = await startCollectorProcess(['--config', file.name, '--memory']);
  t.teardown(() => child.kill());
  await file.write(
    config([merged('fleet.jobs', undefined)], {
      log: { level: 'debug' },
      shutdown_timeout: '2s',
    }),
  );
  process.kill(child.pid, 'SIGHUP');
  const [line] = await child.waitForOutput(/^\{.*"msg":"configuration read again and put in force"\}$/m);
  const keys = JSON.parse(line).changes.map(({ key }: { key: string }) => key);
  t.deepEqual(keys, ['meter_provider.views[0]', 'streamgauge.shutdown_timeout', 'streamgauge.log.level']);
  await file.write('grpc:\n  prot: 1\nstreamgauge:\n  staleness: never\n');
  process.kill(child.pid, 'SIGHUP');
  const [told] = await child.waitForOutput(/^\{.*"msg":"the configuration cannot be used.*\}$/m);
  const { problems } = JSON.parse(told);
  t.regex(problems[0], /collector\.yaml:2:3: grpc\.prot: unknown key, did you mean port\?/);
  t.regex(problems[1], /streamgauge\.staleness: found "never"/);
  const failed = await t.throwsAsync(runStreamgauge(['reload', '--admin-port', `${adminPort}`], 20_000));
  t.regex(failed.message, /says: .*grpc\.prot: unknown key/);
  t.is(await child.stop(), 0);
  t.regex(child.output, /"deadlineMs":2000/);
});

test('a drain ends in time with a backend that hangs and an agent that does not leave; what waits is kept, and delivered after the next start', async (t) => {
  const sink = await startHttpSink();
  t.teardown(() => sink.stop());
  sink.plan = () => 'hang';
  const exporter = {
    otlp_http: { endpoint: `${sink.url}/v1/metrics`, temporality_preference: 'delta', timeout: 60_000 },
  };
  const readers = [{ periodic: { interval: 100, exporter } }];
  const file = await ConfigFile.of(t, {
    ...{ file_format: '1.0', meter_provider: { readers } },
    streamgauge: { journal, shutdown_timeout: '1500ms' },
  });
  const args = ['--config', file.name, '--data-dir', await folder(t)];
  const first = await startCollectorProcess(args);
  t.teardown(() => first.child.kill());
  const deaf = new SyntheticAgent({ memberId: 'deaf' });
  t.teardown(() => deaf.cut());
  await deaf.connect(`127.0.0.1:${first.grpcPort}`);
  deaf.define([{ metric: counter('things'), epoch: 'e', beganUs: 1 }]);
  await deaf.sums(5);
  const waiting = async () => {
    const status = (await (await fetch(`http://127.0.0.1:${first.adminPort}/status`)).json()) as {
      exports: [{ queue: { points: number } }];
    };
    return status.exports[0].queue.points;
  };
  await until(async () => (await waiting()) > 0, 'an interval waits');
  const beganMs = performance.now();
  t.is(await first.child.stop(), 0);
  t.true(performance.now() - beganMs < 6000);
  const [line] = /^\{.*"msg":"collector drained, and not everything was delivered"\}$/m.exec(
    first.child.output,
  )!;
  const { drained } = JSON.parse(line);
  t.like(drained, { delivered: false, agents: { left: 0, cutOff: 1 } });
  t.is(drained.storageError, undefined);
  t.like(drained.readers[0], { name: 'otlp_http', delivered: false });
  t.true(drained.readers[0].pointsKept > 0);
  sink.plan = () => 'ok';
  const { grpcPort, httpPort, adminPort } = first;
  const second = await startCollectorProcess(args, { grpcPort, httpPort, adminPort });
  t.teardown(() => second.child.kill());
  await until(
    () => sink.points.some(({ name, value }) => name === 'things' && value === 5n),
    'what was kept',
  );
  t.is(await second.child.stop(), 0);
  const [end] = /^\{.*"msg":"collector drained"\}$/m.exec(second.child.output)!;
  t.like(JSON.parse(end).drained, { delivered: true, checkpoint: true });
  const third = await startCollectorProcess(args, { grpcPort, httpPort, adminPort });
  t.teardown(() => third.child.kill());
  const [began] = /^\{.*"msg":"goes on where it was left"\}$/m.exec(third.child.output)!;
  t.true(JSON.parse(began).checkpoint > 0, 'that of the drain');
});

test('a drain ends in time with a disk that hangs, and says what is not kept', async (t) => {
  const file = await ConfigFile.of(t, config([], { shutdown_timeout: '1s', journal: { sync: 'always' } }));
  const args = ['--config', file.name, '--data-dir', await folder(t)];
  const { child, grpcPort } = await startCollectorProcess(
    args,
    {},
    { NODE_OPTIONS: `--import ${hangingDisk}` },
  );
  t.teardown(() => child.kill());
  const agent = new SyntheticAgent({ memberId: 'a' });
  t.teardown(() => agent.cut());
  await agent.connect(`127.0.0.1:${grpcPort}`);
  agent.define([{ metric: counter('things'), epoch: 'e', beganUs: 1 }]);
  await agent.sums(5);
  process.kill(child.pid, 'SIGUSR2');
  agent.report([{ group: 0, timeUs: Date.now() * 1000, sums: Float64Array.of(6) }]);
  const beganMs = performance.now();
  process.kill(child.pid, 'SIGTERM');
  const { code, signal } = await child.wait();
  t.true(code === 0 || signal === 'SIGTERM', `${code} ${signal}`);
  t.true(performance.now() - beganMs < 8000);
  const [line] = /^\{.*"msg":"collector drained, and not everything was delivered"\}$/m.exec(child.output)!;
  t.like(JSON.parse(line).drained, { delivered: false, checkpoint: false });
  t.regex(
    JSON.parse(line).drained.storageError,
    /bytes could not be written to .* in time: the disk does not answer/,
  );
});
