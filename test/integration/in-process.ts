import type { ExecutionContext } from 'ava';
import { Agent } from '../../agent/agent.ts';
import { agentDefaults, type CollectorAddress } from '../../agent/config/agent-config.ts';
import { type AgentLog, silentLog } from '../../agent/log.ts';
import type { SourceDefinition } from '../../agent/source-groups.ts';
import { Collector, type CollectorLog } from '../../collector/collector.ts';
import { type CollectorConfig, collectorDefaults } from '../../collector/config/collector-config.ts';
import type { PeriodicReaderConfig } from '../../otel/config/metric-readers.ts';
import type { ViewConfig, ViewStream } from '../../otel/config/metric-views.ts';
import { type Attributes, attributes } from '../../otel/model/attributes.ts';
import type { Temporality } from '../../otel/model/metric.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';

export interface ReaderOptions {
  readonly name?: string;
  readonly compression?: 'gzip' | 'none';
  readonly temporality?: Temporality;
  readonly intervalMs?: number;
  /** Of one try. */
  readonly timeoutMs?: number;
  readonly maxRequestBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A reader that sends to a sink. */
export function otlpReader(
  kind: 'otlp_grpc' | 'otlp_http',
  { url }: OtlpSink,
  options: ReaderOptions = {},
): PeriodicReaderConfig {
  const {
    name = kind,
    compression = 'none',
    temporality = 'cumulative',
    intervalMs = 100,
    timeoutMs = 2000,
    maxRequestBytes = 3.5 * 1024 * 1024,
    headers = {},
  } = options;
  const endpoint = kind === 'otlp_grpc' ? url : `${url}/v1/metrics`;
  const exporter = { kind, endpoint, headers, compression, timeoutMs, temporality, tls: {} };
  return { kind: 'periodic', name, intervalMs, timeoutMs, maxRequestBytes, exporter };
}

/** A view of one metric, or of those that a pattern names. */
export function view(instrumentName: string, stream: Partial<ViewStream> = {}): ViewConfig {
  return { selector: { instrumentName }, stream: { aggregation: 'default', ...stream } };
}

/** A configuration on free ports. */
export function collectorConfig(more: Partial<CollectorConfig> = {}): CollectorConfig {
  const { grpc, http, admin } = collectorDefaults;
  return {
    ...collectorDefaults,
    grpc: { ...grpc, port: 0 },
    http: { ...http, port: 0 },
    admin: { ...admin, port: 0 },
    ...more,
  };
}

/** A collector that listens on free ports and is stopped at the test's end. */
export async function startCollector(
  t: ExecutionContext,
  more: Partial<CollectorConfig> = {},
  log: CollectorLog = silentLog,
): Promise<Collector> {
  const collector = new Collector(collectorConfig(more), { log, version: '9.8.7' });
  t.teardown(() => collector.stop());
  await collector.start();
  return collector;
}

export interface AgentOptions {
  readonly id: string;
  readonly sources: readonly SourceDefinition[];
  readonly resource?: Attributes;
  readonly collector?: Partial<CollectorAddress>;
  readonly log?: AgentLog;
  /** Where it keeps its state. Default: nowhere. */
  readonly stateDir?: string;
}

/** An agent without host metrics that comes back fast, not started. */
export function makeAgent(endpoint: string, options: AgentOptions): Agent {
  const { id, sources, resource, collector, log, stateDir } = options;
  return new Agent(
    {
      ...agentDefaults,
      agentId: id,
      stateDir,
      resource: resource ?? attributes({ 'service.name': 'integration', 'service.instance.id': id }),
      host: { ...agentDefaults.host, enabled: false },
      collector: {
        ...agentDefaults.collector,
        endpoint,
        backOff: { initialMs: 20, maxMs: 200 },
        ...collector,
      },
    },
    { log: log ?? silentLog, sources },
  );
}

/** The same, started, and stopped at the test's end. */
export async function startAgent(
  t: ExecutionContext,
  endpoint: string,
  options: AgentOptions,
): Promise<Agent> {
  const agent = makeAgent(endpoint, options);
  t.teardown(() => agent.stop());
  await agent.start();
  return agent;
}
