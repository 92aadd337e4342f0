import { parseConfig, readConfigFile } from '../../otel/config/load-config.ts';
import type { Environment } from '../../otel/config/substitution.ts';
import type { CollectorConfig } from './collector-config.ts';
import { collectorChecks, collectorConfig, collectorSchema } from './schema.ts';

/**
 * Reads a collector's configuration file. Environment variables act through substitution only. Throws ConfigError with all
 * problems there are.
 */
export async function loadCollectorConfig(file: string, environment: Environment): Promise<CollectorConfig> {
  return parseCollectorConfig(await readConfigFile(file), file, environment);
}

/** The same from the file's text. */
export function parseCollectorConfig(text: string, file: string, environment: Environment): CollectorConfig {
  return collectorConfig(parseConfig(text, file, collectorSchema, environment, collectorChecks));
}
