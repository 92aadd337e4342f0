import { ConfigError } from '../../otel/config/config-error.ts';
import { parseKeyValueList } from '../../otel/config/key-value-list.ts';
import { stateDirectoryPath } from '../../otel/config/state-directory.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { type AgentConfig, agentDefaults } from './agent-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The configuration without a file: the defaults, with the attributes of OTEL_RESOURCE_ATTRIBUTES and the state directory that
 * {@link stateDirectoryPath} finds. Loads neither a YAML nor a schema library. Throws {@link ConfigError}.
 */
export function environmentConfig(environment: Environment): AgentConfig {
  const pairs = parseKeyValueList(environment.OTEL_RESOURCE_ATTRIBUTES ?? '');
  if (typeof pairs === 'string') {
    throw ConfigError.of(
      'environment',
      `found a value that is not shown; ${pairs}`,
      'OTEL_RESOURCE_ATTRIBUTES',
    );
  }
  return {
    ...agentDefaults,
    resource: attributes(pairs),
    stateDir: stateDirectoryPath('streamgauge-agent', undefined, environment),
  };
}
