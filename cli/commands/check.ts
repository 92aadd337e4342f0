import type { AgentConfig } from '../../agent/config/agent-config.ts';
import type { CollectorConfig } from '../../collector/config/collector-config.ts';
import { hostPort } from '../../otel/config/addresses.ts';
import { ConfigError } from '../../otel/config/config-error.ts';
import { durationText } from '../../otel/config/fields.ts';
import { readConfigFile } from '../../otel/config/load-config.ts';
import { readYaml } from '../../otel/config/yaml-document.ts';
import { accessSummary } from '../access-summary.ts';

export interface CheckFlags {
  readonly agent?: boolean;
  readonly collector?: boolean;
}

/** `streamgauge check FILE`: prints a summary of a valid configuration; throws ConfigError with the problems of another. */
export async function runCheck(file: string, flags: CheckFlags): Promise<void> {
  const text = await readConfigFile(file);
  const kind = flags.agent === true ? 'agent' : flags.collector === true ? 'collector' : kindOf(text, file);
  const lines =
    kind === 'agent'
      ? agentSummary((await import('../../agent/config/load.ts')).parseAgentConfig(text, file, process.env))
      : collectorSummary(
          (await import('../../collector/config/load.ts')).parseCollectorConfig(text, file, process.env),
        );
  process.stdout.write(
    `${file}: ok, a configuration for the ${kind}\n${lines.map((line) => `  ${line}\n`).join('')}`,
  );
}

const agentKeys = ['collector', 'agent_id', 'state_dir', 'host', 'log', 'shutdown_timeout'];
const collectorKeys = ['file_format', 'grpc', 'http', 'admin', 'meter_provider', 'streamgauge'];

/** Whose configuration it is, by its top-level keys: the kind that more of them belong to. */
function kindOf(text: string, file: string): 'agent' | 'collector' {
  const { value, problems } = readYaml(text, file, process.env);
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const count = (known: readonly string[]) => keys.filter((key) => known.includes(key)).length;
  const [forAgent, forCollector] = [count(agentKeys), count(collectorKeys)];
  if (forAgent !== forCollector) return forAgent > forCollector ? 'agent' : 'collector';
  // What is not YAML has no keys to tell by.
  if (problems.length > 0) throw new ConfigError(problems);
  throw ConfigError.of(
    file,
    'its keys do not tell whether it is for the agent or the collector; say which with --agent or --collector',
  );
}

function agentSummary({ collector, host, agentId }: AgentConfig): string[] {
  const { enabled, rootPath, ...groups } = host;
  const on = Object.entries(groups).filter(([, group]) => group.enabled);
  const sampled = on.map(([name, group]) => `${name} ${durationText(group.intervalMs)}`).join(', ');
  return [
    `sends to ${collector.endpoint}${collector.tls !== undefined ? ' with TLS' : collector.insecure ? ' without TLS' : ''}`,
    ...(agentId === undefined ? [] : [`agent id ${agentId}`]),
    enabled && on.length > 0 ? `host metrics of ${rootPath || '/'}: ${sampled}` : 'no host metrics',
  ];
}

function collectorSummary(config: CollectorConfig): string[] {
  const listeners = (['grpc', 'http', 'admin'] as const).map(
    (name) =>
      `${name} ${hostPort(config[name].host, config[name].port)}${config[name].tls === undefined ? '' : ' with TLS'}`,
  );
  const readers = config.readers.map((reader) => {
    if (reader.kind === 'prometheus')
      return `reader ${reader.name}: serves ${hostPort(reader.host, reader.port)}`;
    const { exporter, intervalMs } = reader;
    const target =
      exporter.kind === 'console' ? 'the standard output' : exporter.endpoint.replace(/\?.*$/, '');
    return `reader ${reader.name}: every ${durationText(intervalMs)} to ${target}, ${exporter.temporality}`;
  });
  const merging = config.views.filter(({ stream }) => stream.resourceKeys !== undefined).length;
  return [
    `listens: ${listeners.join(', ')}`,
    ...accessSummary(config),
    ...(readers.length > 0 ? readers : ['no readers: metrics are served at /metrics of the http port only']),
    `views: ${config.views.length}, of which ${merging} merge members`,
    ...(merging > 0
      ? [
          'note: merged outputs have one writer, and this release keeps its state in memory: after a restart, or on another collector, they begin anew with a new start time; fail-over of merging views is exact only with the data directory, which a later release brings',
        ]
      : []),
  ];
}
