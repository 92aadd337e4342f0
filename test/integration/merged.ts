import type { Agent } from '../../agent/agent.ts';
import { until } from '../interop/until.ts';

/** What tests need of a collector, in this process or in another, to know what it has merged. Acks come seconds later. */
export interface MergingCollector {
  agents(): readonly { readonly session: string | null; readonly lastReport: number }[];
}

/** The number of the last report of an agent that the collector has merged; 0 while the agent has no stream. */
export function mergedReport(collector: MergingCollector, agent: Agent): number {
  const { session } = agent.status();
  if (session === '') return 0;
  return collector.agents().find((one) => one.session === session)?.lastReport ?? 0;
}

/** Waits until the collector has merged values that the agent collected after this call. */
export async function mergesAnew(collector: MergingCollector, agent: Agent): Promise<void> {
  const { lastReport, memberId } = agent.status();
  // The next one may hold what was collected before.
  await until(
    () => mergedReport(collector, agent) >= lastReport + 2,
    `a new report of ${memberId} is merged`,
  );
}
