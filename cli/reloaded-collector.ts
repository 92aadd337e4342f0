import type { Logger } from 'pino';
import { Collector } from '../collector/collector.ts';
import type { CollectorConfig } from '../collector/config/collector-config.ts';
import { type CollectorFlags, collectorSettings } from './collector-settings.ts';
import { version } from './version.ts';

/** A collector that can read its configuration again: the same file, command line and environment as at its start. */
export interface ReloadedCollector {
  readonly collector: Collector;
  /** What is in force. */
  readonly config: CollectorConfig;
  /** For SIGHUP. Never rejects: the log says what is wrong. */
  reload(): Promise<void>;
}

export function reloadedCollector(
  config: CollectorConfig,
  flags: CollectorFlags,
  log: Logger,
): ReloadedCollector {
  let inForce = config;
  const collector = new Collector(config, {
    log,
    version: version(),
    readConfig: () => collectorSettings(flags, process.env),
    onReloaded: (next) => {
      inForce = next;
      log.level = next.log.level;
    },
  });
  return {
    collector,
    get config() {
      return inForce;
    },
    async reload() {
      try {
        await collector.reload();
      } catch {
        // It has told so itself.
      }
    },
  };
}
