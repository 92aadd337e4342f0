import { setTimeout as delay } from 'node:timers/promises';
import {
  type Build,
  buildPackage,
  startAgentProcess,
  startCollectorProcess,
} from '../process/streamgauge.ts';
import { secondsArgument } from './host/arguments.ts';
import { cpuSeconds, residentMemory } from './host/process-usage.ts';
import { betweenReports, stopAndCheck } from './host/streams.ts';
import type { Figures } from './main.ts';

export const summary =
  '[SECONDS=60]  CPU share and resident memory of an agent that reports host metrics each second';

const intervalMs = 1000;

/** The figures in the order of the table, with what they are and, for the package, what they shall be. */
const lines: readonly [figure: string, what: string, target: string][] = [
  ['cpu_percent', 'CPU, percent of one core', 'at most 0.5'],
  ['resident_mib', 'resident memory, MiB', 'at most 90'],
  ['peak_resident_mib', 'most resident memory, MiB', ''],
  ['cpu_start_seconds', 'CPU until the window, s', ''],
  ['points_per_report', 'points per report', ''],
  ['reports_sent', 'reports sent', ''],
  ['reports_merged', 'reports merged', 'as many'],
];

/**
 * Real agent processes, as they come, each of which reports to a real collector process: one of the built package, which is what
 * users run, and one of a clone's sources, whose types are stripped unless a cache has them compiled.
 */
export async function run(args: readonly string[]): Promise<Figures> {
  const seconds = secondsArgument(args, 60);
  await buildPackage();
  const [built, sources] = await Promise.all([measure('package', seconds), measure('sources', seconds)]);
  console.log(`agent, ${seconds} s at ${intervalMs} ms`);
  console.log(`  ${''.padEnd(28)} ${'package'.padStart(10)} ${'sources'.padStart(10)}`);
  for (const [figure, what, target] of lines) {
    const cells = [built[figure], sources[figure]].map((value) => String(Math.round(value * 1e3) / 1e3));
    console.log(`  ${what.padEnd(28)} ${cells.map((cell) => cell.padStart(10)).join(' ')}  ${target}`);
  }
  const named = Object.entries(sources).map(([figure, value]) => [`sources_${figure}`, value]);
  return { seconds, ...built, ...Object.fromEntries(named) };
}

/** What it takes to start is not in the share of the CPU. */
async function measure(build: Build, seconds: number): Promise<Record<string, number>> {
  const collector = await startCollectorProcess();
  const agent = startAgentProcess(collector.grpcPort, ['--agent-id', `bench-${build}`], build);
  try {
    // Once the first reports are out, whatever is made at first use has been made.
    await betweenReports(collector.httpPort, intervalMs);
    const before = await betweenReports(collector.httpPort, intervalMs);
    const cpuBefore = cpuSeconds(agent.pid);
    const beganMs = performance.now();
    await delay(seconds * 1000);
    const tookS = (performance.now() - beganMs) / 1000;
    const cpuS = cpuSeconds(agent.pid) - cpuBefore;
    const memory = residentMemory(agent.pid);
    const after = await betweenReports(collector.httpPort, intervalMs);
    const { sent, counts } = await stopAndCheck(agent, collector.httpPort);
    return {
      cpu_percent: (100 * cpuS) / tookS,
      resident_mib: memory.nowMiB,
      peak_resident_mib: memory.peakMiB,
      cpu_start_seconds: cpuBefore,
      points_per_report: (after.points - before.points) / (after.reports - before.reports),
      reports_sent: sent,
      reports_merged: counts.reports,
    };
  } finally {
    await agent.kill();
    await collector.child.stop();
  }
}
