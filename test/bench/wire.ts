import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../process/child.ts';
import { startAgentProcess, startCollectorProcess } from '../process/streamgauge.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { secondsArgument } from './host/arguments.ts';
import { betweenReports, type StreamCounts, stopAndCheck } from './host/streams.ts';
import type { Figures } from './main.ts';

export const summary =
  "[SECONDS=60]  bytes on the wire for this machine's host metrics each second, quiet and loaded";

const intervalMs = 1000;
const targets = { quiet: 0.5, loaded: 1 };

/** What had been counted by a moment between two reports. */
interface Moment extends StreamCounts {
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * A real agent process reports to a real collector process through a proxy that counts all TCP payload, both ways. One stream
 * carries it all: set-up with the definitions and the first report, a quiet window, and one under load.
 */
export async function run(args: readonly string[]): Promise<Figures> {
  const seconds = secondsArgument(args, 60);
  const collector = await startCollectorProcess();
  const proxy = new TcpProxy(collector.grpcPort);
  const agent = startAgentProcess(await proxy.listen(), ['--agent-id', 'bench']);
  const moment = async (): Promise<Moment> => {
    const counts = await betweenReports(collector.httpPort, intervalMs);
    return { ...counts, bytesUp: proxy.bytesUp, bytesDown: proxy.bytesDown };
  };
  try {
    // Series that appear late, such as rates that need two readings, are defined with the second report.
    await moment();
    const setUp = await moment();
    await delay(seconds * 1000);
    const quiet = await moment();
    const loaded = await underLoad(seconds, moment);
    await stopAndCheck(agent, collector.httpPort);
    if (proxy.connections !== 1)
      throw new Error(`${proxy.connections} connections were made; one was expected`);
    const figures = {
      seconds,
      ...figuresOf('quiet', setUp, setUp, quiet),
      ...figuresOf('loaded', setUp, quiet, loaded),
    };
    print(figures, seconds);
    return figures;
  } finally {
    await agent.kill();
    await collector.child.stop();
    await proxy.close();
  }
}

/** Gives the moment at the end of a window in which the machine is kept busy. */
async function underLoad(seconds: number, moment: () => Promise<Moment>): Promise<Moment> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-load-'));
  const load = new Child(process.execPath, [
    path.join(import.meta.dirname, 'host', 'load.ts'),
    folder,
    String(seconds + 5),
  ]);
  try {
    await delay(seconds * 1000);
    if (load.ended) throw new Error(`the load ended early:\n${load.output}`);
    return await moment();
  } finally {
    await load.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf<Name extends string>(name: Name, setUp: Moment, from: Moment, to: Moment) {
  const between = (key: keyof Moment): number => to[key] - from[key];
  const bytesUp = between('bytesUp');
  const bytesDown = between('bytesDown');
  const bytes = bytesUp + bytesDown;
  const points = between('points');
  const withSetUp = bytes + setUp.bytesUp + setUp.bytesDown;
  const figures = {
    bytes_per_point: bytes / points,
    bytes_per_point_with_set_up: withSetUp / (points + setUp.points),
    bytes_per_report: bytes / between('reports'),
    bytes_per_report_with_set_up: withSetUp / (between('reports') + setUp.reports),
    bytes_per_changed_value: bytes / between('changedValues'),
    bytes_per_changed_value_with_set_up: withSetUp / (between('changedValues') + setUp.changedValues),
    bytes_up: bytesUp,
    bytes_down: bytesDown,
    reports: between('reports'),
    points,
    changed_values: between('changedValues'),
    set_up_bytes: setUp.bytesUp + setUp.bytesDown,
  };
  return Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [`${name}_${key}`, value]),
  ) as Record<`${Name}_${keyof typeof figures}`, number>;
}

function print(figures: Readonly<Record<string, number>>, seconds: number): void {
  console.log(
    `wire, twice ${seconds} s at ${intervalMs} ms; with set-up: definitions and first reports included`,
  );
  console.log(`  ${''.padEnd(36)} ${'quiet'.padStart(12)} ${'loaded'.padStart(12)}`);
  for (const key of Object.keys(figures)) {
    if (!key.startsWith('quiet_')) continue;
    const name = key.slice('quiet_'.length);
    const values = [figures[key], figures[`loaded_${name}`]].map((value) =>
      (Number.isInteger(value) ? String(value) : value.toFixed(3)).padStart(12),
    );
    console.log(`  ${name.replaceAll('_', ' ').padEnd(36)} ${values.join(' ')}`);
  }
  console.log(
    `  ${'target, bytes per point, at most'.padEnd(36)} ${String(targets.quiet).padStart(12)} ${String(targets.loaded).padStart(12)}`,
  );
}
