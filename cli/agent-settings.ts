import type { AgentConfig, CollectorAddress } from '../agent/config/agent-config.ts';
import { collectorEndpoint, usesTls } from '../agent/config/collector-endpoint.ts';
import { ConfigError } from '../otel/config/config-error.ts';
import type { LogLevel } from '../otel/config/log-level.ts';
import { stateDirectoryPath } from '../otel/config/state-directory.ts';
import type { Environment } from '../otel/config/substitution.ts';
import { quoted } from '../otel/config/value-text.ts';
import type { ChannelTls } from '../otel/stream/channel-tls.ts';

export interface AgentFlags {
  readonly config?: string;
  readonly endpoint?: string;
  readonly insecure?: boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly serverName?: string;
  readonly tokenFile?: string;
  readonly agentId?: string;
  readonly stateDir?: string;
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
  return {
    ...base,
    collector: { ...base.collector, ...connection(flags, base.collector) },
    agentId: flags.agentId === undefined ? base.agentId : agentId(flags.agentId),
    stateDir:
      flags.stateDir === undefined
        ? base.stateDir
        : stateDirectoryPath('streamgauge-agent', flags.stateDir, environment),
    log: flags.logLevel === undefined ? base.log : { level: flags.logLevel },
  };
}

type Connection = Pick<CollectorAddress, 'endpoint' | 'insecure' | 'tls' | 'tokenFile'>;

/** Where to send and how, where the command line says anything of it. */
function connection(flags: AgentFlags, base: CollectorAddress): Connection {
  const { endpoint, insecure, caFile, certFile, keyFile, serverName } = flags;
  const tokenFile = flags.tokenFile ?? base.tokenFile;
  const given = { caFile, certFile, keyFile, serverName };
  const isTlsGiven = Object.values(given).some((value) => value !== undefined);
  if (endpoint === undefined && insecure === undefined && !isTlsGiven) return { ...base, tokenFile };
  const text = endpoint ?? base.endpoint;
  const parsed = collectorEndpoint(text);
  if ('problem' in parsed) throw endpointError(text, parsed.problem);
  // Without TLS on the command line is without that of the file, too.
  const file = insecure === true ? {} : definedOf(base.tls ?? {});
  const tls: ChannelTls = { ...file, ...definedOf(given) };
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    throw ConfigError.of('command line', 'allowed: both, or neither', '--cert-file and --key-file');
  const isInsecure = insecure ?? base.insecure;
  const hasTls =
    Object.keys(tls).length > 0 || (endpoint === undefined && base.tls !== undefined && !isInsecure);
  const isTls = usesTls(parsed, { insecure: isInsecure, hasTls });
  if (typeof isTls === 'object')
    throw endpointError(text, isTls.problem.replace('insecure: true', '--insecure'));
  return { endpoint: parsed.endpoint, insecure: isInsecure, tls: isTls ? tls : undefined, tokenFile };
}

function definedOf(tls: ChannelTls): ChannelTls {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

function endpointError(text: string, problem: string): ConfigError {
  return ConfigError.of('command line', `found ${quoted(text)}; ${problem}`, '--endpoint');
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
