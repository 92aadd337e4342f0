import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../../process/child.ts';

/** What a collector has counted since its start. */
export interface StreamCounts {
  readonly reports: number;
  readonly points: number;
  readonly changedValues: number;
}

/** Reads them off /metrics. @throws Error when one is missing */
export async function streamCounts(httpPort: number): Promise<StreamCounts> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`, {
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  const value = (name: string): number => {
    const found = new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`/metrics of the collector has no ${name}`);
    return Number(found);
  };
  return {
    reports: value('streamgauge_collector_report_received_total'),
    points: value('streamgauge_collector_point_received_total'),
    changedValues: value('streamgauge_collector_value_changed_total'),
  };
}

/**
 * Waits for the next report and then for half an interval more: a moment at which nothing is on its way, so that what is counted
 * between two such moments is whole reports with their acknowledgements.
 */
export async function betweenReports(httpPort: number, intervalMs: number): Promise<StreamCounts> {
  const { reports } = await streamCounts(httpPort);
  const deadline = performance.now() + 20_000;
  for (;;) {
    const counts = await streamCounts(httpPort);
    if (counts.reports > reports) break;
    if (performance.now() > deadline) throw new Error('the collector got no report within 20 s');
    await delay(20);
  }
  await delay(intervalMs / 2);
  return streamCounts(httpPort);
}

/**
 * Ends an agent as an operator would, and holds the collector to account.
 *
 * @returns how many reports the agent sent by its own account, and what the collector has counted
 * @throws Error unless the agent delivered everything and the collector has merged as many reports as it sent
 */
export async function stopAndCheck(
  agent: Child,
  httpPort: number,
): Promise<{ readonly sent: number; readonly counts: StreamCounts }> {
  const code = await agent.stop();
  if (code !== 0) throw new Error(`the agent ended with ${code}. It wrote:\n${agent.output.slice(-4000)}`);
  const drained = /"drained":(\{[^}]*\})/.exec(agent.output)?.[1];
  if (drained === undefined)
    throw new Error(`the agent said nothing of its drain:\n${agent.output.slice(-4000)}`);
  const { delivered, lastReport } = JSON.parse(drained) as { delivered: boolean; lastReport: number };
  const counts = await streamCounts(httpPort);
  if (!delivered || counts.reports !== lastReport) {
    throw new Error(
      `the agent sent ${lastReport} reports, all delivered: ${delivered}; the collector merged ${counts.reports}`,
    );
  }
  return { sent: lastReport, counts };
}
