import '../external-memory.ts';
import { Collector } from '../../collector/collector.ts';
import { type CollectorFlags, collectorSettings } from '../collector-settings.ts';
import { pinoLog } from '../pino-log.ts';
import { serve } from '../serve.ts';
import { version } from '../version.ts';

/** `streamgauge collector`: runs until SIGINT or SIGTERM. */
export async function runCollector(flags: CollectorFlags): Promise<void> {
  const config = await collectorSettings(flags, process.env);
  const log = pinoLog(config.log.level);
  const collector = new Collector(config, { log, version: version() });
  const { shutdownTimeoutMs } = config;
  await serve([{ name: 'collector', service: collector }], { shutdownTimeoutMs, log });
}
