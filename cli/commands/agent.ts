import '../small-young-generation.ts';
import { Agent } from '../../agent/agent.ts';
import type { AgentConfig } from '../../agent/config/agent-config.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import { type AgentFlags, agentSettings } from '../agent-settings.ts';
import { lineLog } from '../line-log.ts';
import { serve } from '../serve.ts';
import { version } from '../version.ts';

/** `streamgauge agent`: runs until SIGINT or SIGTERM, and reads its configuration again at SIGHUP; with `--once` prints one collection and returns. */
export async function runAgent(flags: AgentFlags): Promise<void> {
  let config = await agentSettings(flags, process.env);
  if (flags.once === true) return await printOnce(config);
  const log = lineLog(() => config.log.level);
  const agent = new Agent(config, { log, version: version() });
  await serve([{ name: 'agent', service: agent }], {
    shutdownTimeoutMs: () => config.shutdownTimeoutMs,
    log,
    reload: async () => {
      try {
        const next = await agentSettings(flags, process.env);
        agent.reload(next);
        config = next;
      } catch (thrown) {
        log.error(
          { problems: StreamgaugeError.from(thrown).message.split('\n') },
          'the configuration cannot be used, so the agent goes on with the one it has',
        );
      }
    },
  });
}

/** Writes one collection as OTLP/JSON to the standard output. The log says only what is amiss. */
async function printOnce(config: AgentConfig): Promise<void> {
  const agent = new Agent(config, {
    log: lineLog(() => (config.log.level === 'info' ? 'warn' : config.log.level)),
    version: version(),
  });
  const { toOtlpJson } = await import('../../otel/otlp/json.ts');
  const json = JSON.stringify(toOtlpJson(agent.collectOnce()), undefined, 2);
  await agent.stop();
  process.stdout.write(`${json}\n`);
}
