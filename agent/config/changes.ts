import { isDeepStrictEqual } from 'node:util';
import type { AgentConfig } from './agent-config.ts';

/** Keys whose names in the file are not those of the typed configuration. */
const renamed: Readonly<Record<string, string>> = {
  'collector.backOff.initialMs': 'collector.reconnect.initial_delay',
  'collector.backOff.maxMs': 'collector.reconnect.max_delay',
  resource: 'resource.attributes',
};

/** What differs between two configurations, by the keys of the file, in their order. Values are not shown: some are secrets. */
export function changedKeys(before: AgentConfig, after: AgentConfig): string[] {
  const keys: string[] = [];
  collect('', before, after, keys);
  return keys;
}

function collect(path: string, before: unknown, after: unknown, into: string[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isMapping(before) && isMapping(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      collect(path === '' ? key : `${path}.${key}`, before[key], after[key], into);
    return;
  }
  into.push(renamed[path] ?? fileKey(path));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `collector.connectTimeoutMs` is `collector.connect_timeout` in the file. */
function fileKey(path: string): string {
  return path.replace(/Ms(?=\.|$)/g, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
