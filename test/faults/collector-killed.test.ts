import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import {
  cumulativeFaults,
  numbersOf,
  type ReceivedSeries,
  receivedSeries,
} from '../integration/conservation/exports.ts';
import { KnownHost } from '../integration/conservation/known-host.ts';
import { Random } from '../integration/conservation/random.ts';
import { diskIo, requests } from '../integration/conservation/truth.ts';
import type { MergingCollector } from '../integration/merged.ts';
import { plain } from '../interop/rows.ts';
import { startCollectorProcess } from '../process/streamgauge.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';

const metrics = [diskIo, requests];
const rounds = 3;
const fleet = (name: string): string => `${name}.fleet`;

interface Killed {
  readonly hosts: readonly KnownHost[];
  readonly sink: OtlpSink;
  /** What stood on the counters when each collector first saw them, and when it was killed, by the metric. */
  readonly seen: Readonly<Record<string, readonly { readonly from: number; readonly to: number }[]>>;
}

/** Kills a collector some times while hosts count, and starts it again. */
async function killAgainAndAgain(t: ExecutionContext, storage: readonly string[]): Promise<Killed> {
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const sink = await startGrpcSink();
  t.teardown(() => sink.stop());
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const config = path.join(folder, 'collector.yaml');
  // JSON is YAML.
  await writeFile(
    config,
    JSON.stringify({
      file_format: '1.0',
      meter_provider: {
        readers: [
          { periodic: { interval: 50, timeout: 50, exporter: { otlp_grpc: { endpoint: sink.url } } } },
        ],
        views: metrics.flatMap(({ name }) => [
          { selector: { instrument_name: name }, stream: {} },
          {
            selector: { instrument_name: name },
            stream: {
              name: fleet(name),
              attribute_keys: { excluded: ['device', 'code'] },
              streamgauge: { resource_keys: [] },
            },
          },
        ]),
      },
    }),
  );
  const args = ['--config', config, ...storage.map((arg) => arg.replace('FOLDER', folder))];
  let collector = await startCollectorProcess(args);
  t.teardown(() => collector.child.kill());
  const { grpcPort, httpPort, adminPort } = collector;
  // What begins from here on is younger than the collector, whatever the way there takes.
  await delay(1000);
  const view = new RemoteAgents(adminPort);
  t.teardown(() => view.stop());
  const hosts = Array.from({ length: 3 }, (_, i) => new KnownHost(`host-${i}`, grpcPort, view));
  t.teardown(() => Promise.all(hosts.map((host) => host.close())));
  for (const host of hosts) await host.proxy.listen();
  for (const host of hosts) await host.start();
  const settled = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.settle()));
  };
  const count = async (durationMs: number): Promise<void> => {
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs) {
      for (const host of hosts) host.count(random);
      await delay(5);
    }
  };
  const counters = () => hosts.flatMap((host) => host.counters);
  const standing = (name: string): number =>
    counters()
      .filter(({ metric }) => metric.name === name)
      .reduce((sum, { life }) => sum + life.value, 0);

  await settled();
  const seen: Record<string, { from: number; to: number }[]> = {};
  for (const { name } of metrics) {
    const of = counters().filter(({ metric }) => metric.name === name);
    seen[name] = [{ from: of.reduce((sum, { life }) => sum + life.baseline, 0), to: 0 }];
  }
  for (let round = 0; round < rounds; round++) {
    await count(random.int(300, 1000));
    await collector.child.kill();
    view.forget();
    for (const { name } of metrics) seen[name]!.at(-1)!.to = standing(name);
    // The agents count on while nobody listens.
    await count(random.int(100, 500));
    collector = await startCollectorProcess(args, { grpcPort, httpPort, adminPort });
    await settled();
    for (const { name } of metrics) seen[name]!.push({ from: standing(name), to: 0 });
  }
  await count(500);
  await settled();
  for (const { name } of metrics) seen[name]!.at(-1)!.to = standing(name);
  t.is(await collector.child.stop(), 0);
  return { hosts, sink, seen };
}

/** Passing outputs go on, whatever the collector keeps: value and start time are the source's. */
function checkPassing(t: ExecutionContext, { hosts, sink }: Killed): void {
  const passing = receivedSeries(sink, new Set(metrics.map(({ name }) => name)));
  t.is(passing.length, hosts.length * 6);
  for (const series of passing) {
    const { name, instance, attributes, points } = series;
    const { life } = hosts
      .find(({ id }) => id === instance)!
      .counters.find((one) => one.metric.name === name && same(plain(one.attributes), attributes))!;
    t.deepEqual(cumulativeFaults(series), [], `${name} of ${instance}`);
    t.deepEqual(new Set(points.map(({ start }) => start)), new Set([BigInt(life.startTimeUs) * 1000n]));
    t.is(numbersOf(points.at(-1)!)[0], life.value);
  }
}

test.serial(
  'a collector with a data directory that is killed and started again: merged outputs go on with the same start time, and hold what was counted meanwhile',
  async (t) => {
    const killed = await killAgainAndAgain(t, ['--data-dir', 'FOLDER/data']);
    checkPassing(t, killed);
    for (const { name } of metrics) {
      const [series, ...others] = receivedSeries(killed.sink, new Set([fleet(name)]));
      t.deepEqual(others, [], 'one writer');
      t.deepEqual(cumulativeFaults(series!), []);
      t.is(new Set(series!.points.map(({ start }) => start)).size, 1);
      const lives = killed.seen[name]!;
      t.is(numbersOf(series!.points.at(-1)!)[0], lives.at(-1)!.to - lives[0]!.from, fleet(name));
    }
  },
);

test.serial(
  'a collector without one that is killed and started again: merged outputs begin anew and count from there',
  async (t) => {
    const killed = await killAgainAndAgain(t, ['--memory']);
    checkPassing(t, killed);
    for (const { name } of metrics) {
      const merged = receivedSeries(killed.sink, new Set([fleet(name)])).sort((a, b) =>
        Number(startOf(a) - startOf(b)),
      );
      // Each collector writes in its own name, from a later start.
      t.is(merged.length, rounds + 1);
      t.is(new Set(merged.map(startOf)).size, rounds + 1);
      for (const [i, series] of merged.entries()) {
        t.deepEqual(cumulativeFaults(series), []);
        t.is(new Set(series.points.map(({ start }) => start)).size, 1);
        const { from, to } = killed.seen[name]![i]!;
        const last = numbersOf(series.points.at(-1)!)[0]!;
        if (i === rounds) t.is(last, to - from, `${fleet(name)} of the last collector`);
        else
          t.true(last > 0 && last <= to - from, `${fleet(name)} of collector ${i}: ${last} of ${to - from}`);
      }
    }
  },
);

/** What another process's collector says of its agents, a few milliseconds late. */
class RemoteAgents implements MergingCollector {
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  #agents: ReturnType<MergingCollector['agents']> = [];
  #generation = 0;

  constructor(adminPort: number) {
    this.#url = `http://127.0.0.1:${adminPort}/agents`;
    this.#timer = setInterval(() => void this.#look(), 50);
  }

  agents(): ReturnType<MergingCollector['agents']> {
    return this.#agents;
  }

  /** Another collector has sessions of its own, under the same names. */
  forget(): void {
    this.#generation++;
    this.#agents = [];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const generation = this.#generation;
    try {
      const response = await fetch(this.#url, { signal: AbortSignal.timeout(5000) });
      const agents = (await response.json()) as ReturnType<MergingCollector['agents']>;
      if (generation === this.#generation) this.#agents = agents;
    } catch {
      // It is down.
    }
  }
}

function startOf({ points }: ReceivedSeries): bigint {
  return points[0]!.start;
}

function same(a: object, b: object): boolean {
  const text = (value: object): string =>
    JSON.stringify(Object.entries(value).map(([key, of]) => [key, String(of)]));
  return text(a) === text(b);
}
