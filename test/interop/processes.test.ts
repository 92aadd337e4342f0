import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { runStreamgauge, startAgentProcess, startCollectorProcess } from '../process/streamgauge.ts';
import { parseOtlpJson } from '../sinks/otlp-json.ts';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';
import { identity, type Row, receivedRows } from './rows.ts';
import { until } from './until.ts';

const hostScope = /^system\./;

/** What `agent --once` reads of this machine, now. */
async function readOnce(): Promise<Row[]> {
  const printed = await runStreamgauge(['agent', '--once', '--log-level', 'error'], 20_000);
  return receivedRows([parseOtlpJson(printed)]).filter(({ name }) => hostScope.test(name));
}

test("this machine's host metrics go from an agent process through a collector process and a real Collector that dies", async (t) => {
  const { otelcol, sink } = await otelcolWithSink(t);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'interop-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const config = path.join(folder, 'collector.yaml');
  // JSON is YAML.
  const exporter = { endpoint: `http://127.0.0.1:${otelcol.grpcPort}`, compression: 'gzip' };
  const readers = [{ periodic: { interval: 500, timeout: 500, exporter: { otlp_grpc: exporter } } }];
  await writeFile(config, JSON.stringify({ file_format: '1.0', meter_provider: { readers } }));

  const before = await readOnce();
  const collector = await startCollectorProcess(['--config', config]);
  t.teardown(() => collector.child.kill());
  const agent = startAgentProcess(collector.grpcPort, ['--agent-id', 'interop']);
  t.teardown(() => agent.kill());
  const rows = (): Row[] => receivedRows(sink.requests).filter(({ name }) => hostScope.test(name));
  const newRows = async (): Promise<void> => {
    const since = BigInt(Date.now()) * 1_000_000n;
    await until(() => rows().some((row) => row.time > since), 'newer host metrics are in the sink');
  };
  await newRows();
  await otelcol.kill();
  const requests = sink.requests.length;
  const { child, httpPort } = collector;
  const failures = async (): Promise<boolean> => {
    const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`, {
      signal: AbortSignal.timeout(30_000),
    });
    return /UNAVAILABLE/.test(await response.text());
  };
  await until(failures, 'the collector counts that its backend is unavailable');
  await otelcol.restart();
  await newRows();
  t.true(sink.requests.length > requests);
  t.false(child.ended || agent.ended);
  t.is(await agent.stop(), 0);
  t.is(await child.stop(), 0);
  const after = await readOnce();

  const described = (row: Row) => ({ ...row, start: undefined, time: undefined, value: typeof row.value });
  const last = new Map(rows().map((row) => [identity(row), row]));
  const ends = new Map(after.map((row) => [identity(row), row]));
  let compared = 0;
  for (const first of before) {
    const received = last.get(identity(first));
    const end = ends.get(identity(first));
    // Some come and go: a state that no process is in, an interface.
    if (received === undefined || end === undefined) continue;
    compared++;
    t.deepEqual(described(received), described(first));
    t.is(received.start, first.start);
    if (!first.monotonic) continue;
    const value = Number(received.value);
    t.true(Number(first.value) <= value && value <= Number(end.value), `${identity(first)} is ${value}`);
  }
  t.true(compared > 0.9 * before.length && compared > 30, `${compared} of ${before.length} series`);
});
