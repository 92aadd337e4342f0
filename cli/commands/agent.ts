import '../small-young-generation.ts';
import { Agent } from '../../agent/agent.ts';
import type { AgentConfig } from '../../agent/config/agent-config.ts';
import { type AgentFlags, agentSettings } from '../agent-settings.ts';
import { lineLog } from '../line-log.ts';
import { serve } from '../serve.ts';
import { version } from '../version.ts';

/** `streamgauge agent`: runs until SIGINT or SIGTERM; with `--once` prints one collection and returns. */
export async function runAgent(flags: AgentFlags): Promise<void> {
  const config = await agentSettings(flags, process.env);
  if (flags.once === true) return await printOnce(config);
  const log = lineLog(config.log.level);
  const agent = new Agent(config, { log, version: version() });
  const { shutdownTimeoutMs } = config;
  await serve([{ name: 'agent', service: agent }], { shutdownTimeoutMs, log });
}

/** Writes one collection as OTLP/JSON to the standard output. The log says only what is amiss. */
async function printOnce(config: AgentConfig): Promise<void> {
  const agent = new Agent(config, {
    log: lineLog(config.log.level === 'info' ? 'warn' : config.log.level),
    version: version(),
  });
  const { toOtlpJson } = await import('../../otel/otlp/json.ts');
  const json = JSON.stringify(toOtlpJson(agent.collectOnce()), undefined, 2);
  await agent.stop();
  process.stdout.write(`${json}\n`);
}
