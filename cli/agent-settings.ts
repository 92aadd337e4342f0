import type { AgentConfig } from '../agent/config/agent-config.ts';
import { collectorEndpoint, insecureProblem } from '../agent/config/collector-endpoint.ts';
import { ConfigError } from '../otel/config/config-error.ts';
import type { LogLevel } from '../otel/config/log-level.ts';
import type { Environment } from '../otel/config/substitution.ts';
import { quoted } from '../otel/config/value-text.ts';

export interface AgentFlags {
  readonly config?: string;
  readonly endpoint?: string;
  readonly insecure?: boolean;
  readonly agentId?: string;
  readonly logLevel?: LogLevel;
  readonly once?: boolean;
}

/**
 * The configuration of the file, or without one of the environment, with what the command line says put over it. Without a file neither a YAML
 * nor a schema library is loaded. Throws ConfigError.
 */
export async function agentSettings(flags: AgentFlags, environment: Environment): Promise<AgentConfig> {
  const base =
    flags.config === undefined
      ? (await import('../agent/config/environment.ts')).environmentConfig(environment)
      : await (await import('../agent/config/load.ts')).loadAgentConfig(flags.config, environment);
  const insecure = flags.insecure ?? base.collector.insecure;
  return {
    ...base,
    collector: {
      ...base.collector,
      insecure,
      endpoint: flags.endpoint === undefined ? base.collector.endpoint : endpoint(flags.endpoint, insecure),
    },
    agentId: flags.agentId === undefined ? base.agentId : agentId(flags.agentId),
    log: flags.logLevel === undefined ? base.log : { level: flags.logLevel },
  };
}

function endpoint(text: string, insecure: boolean): string {
  const parsed = collectorEndpoint(text);
  if ('problem' in parsed)
    throw ConfigError.of('command line', `found ${quoted(text)}; ${parsed.problem}`, '--endpoint');
  const problem = insecureProblem(parsed.host, insecure);
  if (problem !== undefined) {
    const message = `found ${quoted(text)}, ${problem}; allowed: an address on this machine, or --insecure with it`;
    throw ConfigError.of('command line', message, '--endpoint');
  }
  return parsed.endpoint;
}

function agentId(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= 256 && !/\p{Cc}/u.test(text)) return text;
  throw ConfigError.of(
    'command line',
    `found ${quoted(text)}; allowed: text of 1 to 256 bytes`,
    '--agent-id',
  );
}
