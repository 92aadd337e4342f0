import { setTimeout as delay } from 'node:timers/promises';
import { startAgentProcess, startCollectorProcess } from '../process/streamgauge.ts';
import { secondsArgument } from './host/arguments.ts';
import { cpuSeconds, residentMemory } from './host/process-usage.ts';
import { betweenReports, stopAndCheck } from './host/streams.ts';
import type { Figures } from './main.ts';

export const summary =
  '[SECONDS=60]  CPU share and resident memory of an agent that reports host metrics each second';

const intervalMs = 1000;
const target = { cpuPercent: 0.5, residentMiB: 90 };

/** A real agent process, as it comes, reports to a real collector process. What it takes to start is not in the share of the CPU. */
export async function run(args: readonly string[]): Promise<Figures> {
  const seconds = secondsArgument(args, 60);
  const collector = await startCollectorProcess();
  const agent = startAgentProcess(collector.grpcPort, ['--agent-id', 'bench']);
  try {
    // Once the first reports are out, whatever is made at first use has been made.
    await betweenReports(collector.httpPort, intervalMs);
    const before = await betweenReports(collector.httpPort, intervalMs);
    const cpuBefore = cpuSeconds(agent.pid);
    const began = performance.now();
    await delay(seconds * 1000);
    const tookS = (performance.now() - began) / 1000;
    const cpuS = cpuSeconds(agent.pid) - cpuBefore;
    const memory = residentMemory(agent.pid);
    const after = await betweenReports(collector.httpPort, intervalMs);
    const startS = cpuBefore;
    const total = await stopAndCheck(agent, collector.httpPort);
    const reports = after.reports - before.reports;
    const cpuPercent = (100 * cpuS) / tookS;
    const series = Math.round(total.points / total.reports);
    const rows: [string, string, string][] = [
      ['CPU, percent of one core', cpuPercent.toFixed(3), `at most ${target.cpuPercent}`],
      ['resident memory, MiB', memory.nowMiB.toFixed(1), `at most ${target.residentMiB}`],
      ['most resident memory, MiB', memory.peakMiB.toFixed(1), ''],
      ['CPU to start, s', startS.toFixed(2), ''],
      ['points per report', String(series), ''],
      ['reports sent = merged', String(total.reports), ''],
    ];
    console.log(`agent, ${seconds} s at ${intervalMs} ms`);
    for (const [what, value, wanted] of rows)
      console.log(`  ${what.padEnd(28)} ${value.padStart(10)}  ${wanted}`);
    return {
      seconds,
      cpu_percent: cpuPercent,
      resident_mib: memory.nowMiB,
      peak_resident_mib: memory.peakMiB,
      cpu_start_seconds: startS,
      points_per_report: series,
      reports_in_window: reports,
      reports_sent: total.reports,
      reports_merged: total.reports,
    };
  } finally {
    await agent.kill();
    await collector.child.stop();
  }
}
