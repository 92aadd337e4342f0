import '../external-memory.ts';
import { type CollectorFlags, collectorSettings } from '../collector-settings.ts';
import { pinoLog } from '../pino-log.ts';
import { reloadedCollector } from '../reloaded-collector.ts';
import { serve } from '../serve.ts';

/** `streamgauge collector`: runs until SIGINT or SIGTERM, and reads its configuration again at SIGHUP. */
export async function runCollector(flags: CollectorFlags): Promise<void> {
  const config = await collectorSettings(flags, process.env);
  const log = pinoLog(config.log.level);
  const reloaded = reloadedCollector(config, flags, log);
  await serve([{ name: 'collector', service: reloaded.collector }], {
    shutdownTimeoutMs: () => reloaded.config.shutdownTimeoutMs,
    log,
    reload: () => reloaded.reload(),
  });
}
