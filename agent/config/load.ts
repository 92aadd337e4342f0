import { parseConfig, readConfigFile } from '../../otel/config/load-config.ts';
import { stateDirectoryPath } from '../../otel/config/state-directory.ts';
import type { AgentConfig } from './agent-config.ts';
import { agentConfig, agentSchema } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads an agent's configuration file. Environment variables act through substitution only, but for those that say where the state
 * directory is: {@link stateDirectoryPath}. Throws ConfigError with all problems there are.
 */
export async function loadAgentConfig(file: string, environment: Environment): Promise<AgentConfig> {
  return parseAgentConfig(await readConfigFile(file), file, environment);
}

/** The same from the file's text. */
export function parseAgentConfig(text: string, file: string, environment: Environment): AgentConfig {
  const config = agentConfig(parseConfig(text, file, agentSchema, environment));
  return { ...config, stateDir: stateDirectoryPath('streamgauge-agent', config.stateDir, environment) };
}
