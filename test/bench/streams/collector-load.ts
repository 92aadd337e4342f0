import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SyntheticAgent } from '../../agents/synthetic-agent.ts';
import { type CollectorProcess, startCollectorProcess } from '../../process/streamgauge.ts';
import { pin } from '../host/pin.ts';
import { cpuAtRest, cpuSeconds, residentMemory } from '../host/process-usage.ts';
import type { ReportScript } from './report-script.ts';
import { type ReportSender, reportSenders } from './report-sender.ts';

export interface CollectorLoad {
  readonly streams: number;
  readonly seconds: number;
  readonly script: ReportScript;
  /** Saturated before: what is compiled at first use has been compiled after a second. */
  readonly warmUpSeconds?: number;
  /** Arguments of the collector. */
  readonly args?: readonly string[];
  /** Looks at the collector after the load; throws when it is not as it should be. */
  readonly verify?: (collector: CollectorProcess, senders: readonly ReportSender[]) => Promise<void>;
}

interface Counters {
  readonly points: number;
  readonly changedValues: number;
  readonly refusedPoints: Readonly<Record<string, number>>;
}

async function counters(collector: CollectorProcess): Promise<Counters> {
  const answer = await fetch(`http://127.0.0.1:${collector.adminPort}/status`);
  const text = await answer.text();
  if (!answer.ok || text === '')
    throw new Error(`/status answered ${answer.status}: ${JSON.stringify(text)}`);
  return (JSON.parse(text) as { streams: Counters }).streams;
}

/**
 * Waits until the collector has merged all points that were sent; their Acks come later, so that one stands for many. Gives how many
 * they were. @throws Error when they do not come to what was sent
 */
export async function settle(collector: CollectorProcess, senders: readonly ReportSender[]): Promise<number> {
  const total = (of: (sender: ReportSender) => number): number => senders.reduce((sum, s) => sum + of(s), 0);
  const expected = total(({ sent, script }) => sent * script.seriesPerReport);
  const deadline = performance.now() + 120_000;
  let merged = await counters(collector);
  while (merged.points < expected && performance.now() < deadline) {
    const ended = senders.find(({ agent }) => agent.ended !== undefined)?.agent;
    if (ended !== undefined)
      throw new Error(`the stream of ${ended.memberId} ended: ${ended.ended!.details}`);
    await delay(100);
    merged = await counters(collector);
  }
  const { points, changedValues, refusedPoints } = merged;
  if (points !== expected) throw new Error(`${expected} points were sent and ${points} merged`);
  const changes = total(({ changed }) => changed);
  if (changedValues !== changes)
    throw new Error(`${changes} values changed and ${changedValues} were merged`);
  if (Object.values(refusedPoints).some((count) => count > 0)) throw new Error('points were refused');
  return points;
}

/** What flooded streams are held to elsewhere would be measured here. */
export const benchGrpc = { limits: { max_report_rate: 1_000_000 } };

/** Runs with a collector in a process of its own, on the first processor; its state is in memory unless `args` say otherwise. Without `--config` with {@link benchGrpc} alone. */
export async function inCollector<T>(
  args: readonly string[],
  run: (collector: CollectorProcess) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-bench-'));
  try {
    const file = path.join(folder, 'collector.yaml');
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ grpc: benchGrpc }));
    const config = args.includes('--config') ? [] : ['--config', file];
    const isKept = args.some((arg) => arg === '--data-dir' || arg === '--memory');
    const storage = isKept ? [] : ['--memory'];
    const collector = await startCollectorProcess(
      ['--log-level', 'warn', ...config, ...storage, ...args],
      {},
      env,
    );
    pin(collector.child.pid, 0);
    try {
      return await run(collector);
    } finally {
      await collector.child.kill();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds of the collector's CPU time for each point, with so many streams that always have something to send. */
export async function saturated({
  streams,
  seconds,
  script,
  warmUpSeconds = 1,
  args = [],
  verify,
}: CollectorLoad): Promise<number> {
  return await inCollector(args, async (collector) => {
    const senders = await reportSenders(collector, streams, script);
    const first = script.prelude.length + 2 * script.groups;
    for (const sender of senders) for (let i = 0; i < first; i++) sender.send();
    await settle(collector, senders);
    const warmMs = performance.now() + warmUpSeconds * 1000;
    await Promise.all(senders.map((sender) => sender.saturate(warmMs)));
    const pointsBefore = await settle(collector, senders);
    const cpuBefore = cpuSeconds(collector.child.pid);
    const until = performance.now() + seconds * 1000;
    await Promise.all(senders.map((sender) => sender.saturate(until)));
    const cpu = (await cpuAtRest(collector.child.pid)) - cpuBefore;
    const points = (await settle(collector, senders)) - pointsBefore;
    await verify?.(collector, senders);
    for (const { agent } of senders) agent.cut();
    return cpu / points;
  });
}

export interface Paced {
  /** CPU time of the collector for each report, microseconds. */
  readonly reportUs: number;
  readonly heldStreamKib: number;
  readonly streamWithSeriesKib: number;
}

/** What is compiled at first use has been compiled after so long. */
const pacedWarmUpSeconds = 3;

/** One report a second of each, evenly spread. */
export async function pace(senders: readonly ReportSender[], seconds: number): Promise<void> {
  const began = performance.now();
  const slices = 100;
  for (let tick = 0; tick < seconds * slices; tick++) {
    for (let i = tick % slices; i < senders.length; i += slices) senders[i]!.send();
    const waitMs = began + ((tick + 1) * 1000) / slices - performance.now();
    if (waitMs > 0) await delay(waitMs);
  }
}

/** Streams that report once a second, evenly spread; and what they take of the collector's memory. */
export async function paced({ streams, seconds, script, args = [], verify }: CollectorLoad): Promise<Paced> {
  return await inCollector(args, async (collector) => {
    const { pid } = collector.child;
    const memory = (): number => residentMemory(pid).nowMiB * 1024;
    const before = memory();
    const idle: SyntheticAgent[] = [];
    for (let i = 0; i < streams; i++) {
      const agent = new SyntheticAgent({ memberId: `idle-${i}` });
      await agent.connect(`127.0.0.1:${collector.grpcPort}`);
      idle.push(agent);
    }
    const heldStreamKib = (memory() - before) / streams;
    for (const agent of idle) agent.cut();
    const senders = await reportSenders(collector, streams, script);
    for (const sender of senders) sender.send();
    await settle(collector, senders);
    const streamWithSeriesKib = (memory() - before) / streams;
    await pace(senders, pacedWarmUpSeconds);
    const pointsBefore = await settle(collector, senders);
    const cpuBefore = await cpuAtRest(pid);
    await pace(senders, seconds);
    const cpu = (await cpuAtRest(pid)) - cpuBefore;
    const points = (await settle(collector, senders)) - pointsBefore;
    await verify?.(collector, senders);
    for (const { agent } of senders) agent.cut();
    return { reportUs: (cpu / (points / script.seriesPerReport)) * 1e6, heldStreamKib, streamWithSeriesKib };
  });
}
