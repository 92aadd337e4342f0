import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import {
  cumulativeFaults,
  deltaFaults,
  numbersOf,
  receivedSeries,
  total,
} from '../integration/conservation/exports.ts';
import { Random } from '../integration/conservation/random.ts';
import type { KernelFile } from '../integration/fixtures/kernel-agent.ts';
import { otlpReader, startCollector, view } from '../integration/in-process.ts';
import { until } from '../interop/until.ts';
import { Child } from '../process/child.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';

const program = fileURLToPath(new URL('../integration/fixtures/kernel-agent.ts', import.meta.url));
const names = new Set(['kernel.io', 'fleet.io', 'collections', 'fleet.collections']);
const kills = 8;
const hosts = 2;

/** A file that counts, read by agents that come and go. */
class Kernel {
  readonly id: string;
  readonly file: string;
  readonly startTimeUs = Date.now() * 1000;
  readonly counters = [0, 0, 0];

  constructor(id: string, folder: string) {
    this.id = id;
    this.file = path.join(folder, `${id}.json`);
  }

  async count(random: Random): Promise<void> {
    for (const i of this.counters.keys()) if (random.chance(0.7)) this.counters[i]! += random.int(0, 1000);
    await this.write();
  }

  /** At once, so that nobody reads half of it. */
  async write(): Promise<void> {
    const { startTimeUs, counters } = this;
    await writeFile(`${this.file}.new`, JSON.stringify({ startTimeUs, counters } satisfies KernelFile));
    await rename(`${this.file}.new`, this.file);
  }
}

test('an agent that is killed and started again goes on counting where the kernel is', async (t) => {
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const sinks = { cumulative: await startGrpcSink(), delta: await startHttpSink() };
  for (const sink of Object.values(sinks)) t.teardown(() => sink.stop());
  const merged = { resourceKeys: [], attributeKeys: { excluded: ['device'] } };
  const collector = await startCollector(t, {
    readers: [
      otlpReader('otlp_grpc', sinks.cumulative, { intervalMs: 50 }),
      otlpReader('otlp_http', sinks.delta, { intervalMs: 50, temporality: 'delta' }),
    ],
    views: [
      view('kernel.io'),
      view('kernel.io', { ...merged, name: 'fleet.io' }),
      view('collections'),
      view('collections', { ...merged, name: 'fleet.collections' }),
    ],
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-'));
  t.teardown(() => rm(folder, { recursive: true }));
  // Epochs that begin before the collector would be baselines; the sending of Welcome makes them look a little older.
  await delay(1000);
  const kernels = Array.from({ length: hosts }, (_, i) => new Kernel(`host-${i}`, folder));
  for (const kernel of kernels) await kernel.write();
  const agents = new Map<string, Child>();
  t.teardown(() => Promise.all([...agents.values()].map((agent) => agent.kill())));
  const start = ({ id, file }: Kernel): void => {
    agents.set(id, new Child(process.execPath, [program, collector.addresses.grpc, id, file]));
  };
  const welcomed = (): number =>
    collector.agents().reduce((sum, { reports }) => sum + (reports > 0 ? 1 : 0), 0);
  for (const kernel of kernels) start(kernel);
  await until(() => welcomed() === hosts, 'both agents report');
  for (let kill = 0; kill < kills; kill++) {
    const kernel = kernels[kill % hosts]!;
    const endMs = performance.now() + random.int(100, 700);
    while (performance.now() < endMs) for (const each of kernels) await each.count(random);
    await agents.get(kernel.id)!.kill();
    const incarnation = collector.agents().find(({ memberId }) => memberId === kernel.id)?.incarnation;
    for (let i = 0; i < random.int(0, 20); i++) for (const each of kernels) await each.count(random);
    start(kernel);
    await until(
      () =>
        collector
          .agents()
          .some(
            (agent) => agent.memberId === kernel.id && agent.reports > 0 && agent.incarnation !== incarnation,
          ),
      `${kernel.id} reports again`,
    );
  }
  for (const agent of agents.values()) t.is(await agent.stop(), 0, 'the last value is delivered');
  const { readers } = await collector.drain(30_000);
  t.true(readers.every(({ delivered }) => delivered));

  const expected = new Map(kernels.map(({ id, counters }) => [id, counters]));
  const grandTotal = kernels.flatMap(({ counters }) => counters).reduce((sum, value) => sum + value, 0);
  t.true(grandTotal > 10_000);
  const cumulative = receivedSeries(sinks.cumulative, names);
  t.is(cumulative.length, hosts * 4 + 2);
  for (const series of cumulative) {
    const { name, instance, attributes, points } = series;
    t.deepEqual(cumulativeFaults(series), [], `${name} of ${instance}`);
    const last = numbersOf(points.at(-1)!)[0]!;
    const starts = new Set(points.map(({ start }) => start));
    if (name === 'collections') t.true(starts.size > 1, 'what the process counts begins anew');
    else t.is(starts.size, 1, `${name} of ${instance} keeps its start`);
    if (name === 'kernel.io') {
      t.deepEqual([...starts], [BigInt(kernels.find(({ id }) => id === instance)!.startTimeUs) * 1000n]);
      t.is(last, expected.get(instance)![Number(attributes.device)]!);
    } else if (name === 'fleet.io') t.is(last, grandTotal);
  }
  for (const series of receivedSeries(sinks.delta, names)) {
    const { name, instance, attributes } = series;
    t.deepEqual(deltaFaults(series, !name.startsWith('fleet')), [], `${name} of ${instance}`);
    if (name === 'kernel.io')
      t.deepEqual(total(series), [expected.get(instance)![Number(attributes.device)]!]);
    else if (name === 'fleet.io') t.deepEqual(total(series), [grandTotal]);
  }
  const lastOf = (name: string): number =>
    numbersOf(cumulative.find((one) => one.name === name)!.points.at(-1)!)[0]!;
  const collections = receivedSeries(sinks.delta, new Set(['collections'])).reduce(
    (sum, one) => sum + total(one)[0]!,
    0,
  );
  t.is(lastOf('fleet.collections'), collections);
});
