import { writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ReaderOptions {
  readonly kind: 'otlp_grpc' | 'otlp_http';
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly temporality: 'cumulative' | 'delta';
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
}

/** What stays apart, and what merging views make of all members together. */
export const passing = { kernel: 'kernel.io', kept: 'kept.jobs', level: 'level' } as const;
export const merged = { kernel: 'fleet.io', kept: 'fleet.jobs', level: 'fleet.level' } as const;

/** All monotonic sums among them. */
export const counters: ReadonlySet<string> = new Set([
  passing.kernel,
  passing.kept,
  merged.kernel,
  merged.kept,
]);
/** Sums that are shown as their members have them: without their member there is no point. */
export const passingCounters: ReadonlySet<string> = new Set([passing.kernel, passing.kept]);

/** Writes a configuration of a collector into the folder, and gives its path. @param more further keys of it */
export function writeCollectorFile(
  folder: string,
  readers: readonly ReaderOptions[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  const file = path.join(folder, 'collector.yaml');
  const views = (Object.keys(passing) as (keyof typeof passing)[]).flatMap((of) => {
    const selector = { instrument_name: passing[of] };
    const stream = {
      name: merged[of],
      attribute_keys: { excluded: ['device'] },
      streamgauge: { resource_keys: [], ...(of === 'level' ? { members: 'sum' } : {}) },
    };
    return [
      { selector, stream: {} },
      { selector, stream },
    ];
  });
  const periodic = readers.map(({ kind, url, temporality, intervalMs = 150, timeoutMs = intervalMs }) => ({
    periodic: {
      interval: intervalMs,
      timeout: intervalMs,
      exporter: {
        [kind]: {
          endpoint: kind === 'otlp_grpc' ? url : `${url}/v1/metrics`,
          timeout: timeoutMs,
          temporality_preference: temporality,
        },
      },
    },
  }));
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({ file_format: '1.0', meter_provider: { readers: periodic, views }, ...more }),
  );
  return file;
}
