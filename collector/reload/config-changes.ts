import { ConfigError } from '../../otel/config/config-error.ts';
import type { CollectorConfig } from '../config/collector-config.ts';
import { configKeys } from './config-keys.ts';

/** One key of the configuration that holds something else. */
export interface ConfigChange {
  readonly key: string;
  /** For people; `null`: it was not there. Secrets are not shown. */
  readonly before: string | null;
  /** `null`: it is not there any more. */
  readonly after: string | null;
}

/** What the state is kept in cannot be another while it is in use. */
const fixed = ['streamgauge.memory', 'streamgauge.data_dir', 'streamgauge.journal.'];

/** What differs between two configurations, key by key, in the order of the file's sections. */
export function configChanges(before: CollectorConfig, after: CollectorConfig): ConfigChange[] {
  const [from, to] = [configKeys(before), configKeys(after)];
  const changes: ConfigChange[] = [];
  for (const key of new Set([...from.keys(), ...to.keys()])) {
    const [was, is] = [from.get(key), to.get(key)];
    if (was?.compared === is?.compared) continue;
    changes.push({ key, before: was?.shown ?? null, after: is?.shown ?? null });
  }
  return changes;
}

/** @throws ConfigError naming each key that is another and cannot be changed while the collector runs */
export function refuseFixed(changes: readonly ConfigChange[]): void {
  const problems = changes
    .filter(({ key }) => fixed.some((one) => key === one || (one.endsWith('.') && key.startsWith(one))))
    .map(({ key, before, after }) => ({
      ...{ file: 'reload', line: 0, column: 0, path: key },
      message: `found ${quotedOrNone(after)} in place of ${quotedOrNone(before)}, which cannot be changed while the collector runs; restart it, or put back what was there`,
    }));
  if (problems.length > 0) throw new ConfigError(problems);
}

function quotedOrNone(value: string | null): string {
  return value === null ? 'nothing' : JSON.stringify(value);
}
