// What an embedder needs to run a collector in its own process: `streamgauge/collector`.
export { StreamgaugeError } from '../proto/error.ts';
export {
  Collector,
  type CollectorDependencies,
  type CollectorDrainReport,
  type CollectorLog,
} from './collector.ts';
export type { AgentView } from './collector-status.ts';
export { type CollectorConfig, collectorDefaults } from './config/collector-config.ts';
