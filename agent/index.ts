// What an embedder needs to run an agent in its own process: `streamgauge/agent`.

export { type Clock, systemClock } from '../otel/clock.ts';
export { AttributeMap, type Attributes, type AttributeValue, attributes } from '../otel/model/attributes.ts';
export { type MetricDescription, type MetricKind, metric, type ValueType } from '../otel/model/metric.ts';
export { emptyResource, type Resource } from '../otel/model/resource.ts';
export { emptyScope, type InstrumentationScope } from '../otel/model/scope.ts';
export type { StreamStatus as UplinkStatus } from '../otel/stream/stream-status.ts';
export { type ErrorKind, StreamgaugeError } from '../proto/error.ts';
export { Agent, type AgentDependencies, type AgentStatus } from './agent.ts';
export {
  type AgentConfig,
  agentDefaults,
  type CollectorAddress,
  type HostConfig,
} from './config/agent-config.ts';
export { type AgentLog, silentLog } from './log.ts';
export type { SourceDefinition } from './source-groups.ts';
export type { Source } from './sources/source.ts';
export type { AgentStateStatus } from './state/agent-state.ts';
export { type AgentSeries, type Epoch, type RetireReason, SamplingGroup } from './state/sampling-group.ts';
export type { NotCountedLine } from './state/state-content.ts';
export type { AgentDrainReport } from './uplink/uplink.ts';
