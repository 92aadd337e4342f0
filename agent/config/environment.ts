import { ConfigError } from '../../otel/config/config-error.ts';
import { parseKeyValueList } from '../../otel/config/key-value-list.ts';
import { attributes } from '../../otel/model/attributes.ts';
import { type AgentConfig, agentDefaults } from './agent-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The configuration without a file: the defaults, with the attributes of OTEL_RESOURCE_ATTRIBUTES and the directory of
 * STATE_DIRECTORY. Loads neither a YAML nor a schema library. Throws {@link ConfigError}.
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
  return { ...agentDefaults, resource: attributes(pairs), stateDir: stateDirectory(environment) };
}

/** The directory that systemd made for the service: the first of STATE_DIRECTORY's, which are separated by colons. */
export function stateDirectory(environment: Environment): string | undefined {
  const first = environment.STATE_DIRECTORY?.split(':', 1)[0];
  return first === '' ? undefined : first;
}
