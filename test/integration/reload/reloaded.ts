import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { Collector } from '../../../collector/collector.ts';
import { type CollectorConfig, directoryDefaults } from '../../../collector/config/collector-config.ts';
import type { PeriodicReaderConfig } from '../../../otel/config/metric-readers.ts';
import { type ModelPoint, readCollection } from '../../model/read-collection.ts';
import { collectorConfig } from '../in-process.ts';

export interface Logged {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A folder of the test's own. */
export async function folder(t: ExecutionContext): Promise<string> {
  const name = await mkdtemp(path.join(tmpdir(), 'streamgauge-reload-'));
  t.teardown(() => rm(name, { recursive: true, force: true }));
  return name;
}

/** A collector that keeps its state in a folder, whose configuration a test changes piece by piece. */
export class ReloadedCollector {
  readonly collector: Collector;
  readonly logged: Logged[] = [];
  config: CollectorConfig;

  constructor(t: ExecutionContext, config: CollectorConfig) {
    this.config = config;
    const write =
      (level: string) =>
      (fields: object, message: string): void =>
        void this.logged.push({ level, fields: fields as Logged['fields'], message });
    const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    this.collector = new Collector(config, { log, version: '1.0.0', readConfig: async () => this.config });
    t.teardown(() => this.collector.stop());
  }

  /** On free ports, with a data directory. */
  static async start(
    t: ExecutionContext,
    more: Partial<CollectorConfig> = {},
    directory?: string,
  ): Promise<ReloadedCollector> {
    // What a disk has synced is not looked at here, and a busy one takes its time.
    const sync = { mode: 'never' } as const;
    const storage = { ...directoryDefaults, sync, path: directory ?? (await folder(t)) };
    const reloaded = new ReloadedCollector(t, collectorConfig({ storage, ...more }));
    await reloaded.collector.start();
    return reloaded;
  }

  /** Puts the configuration with these parts in force. */
  async reload(more: Partial<CollectorConfig>): Promise<string[]> {
    const next = { ...this.config, ...more };
    const changes = await this.collector.reload(next);
    this.config = next;
    return changes.map(({ key }) => key);
  }

  /** The points of one output, by resource and attributes. */
  points(name: string): Map<string, ModelPoint> {
    const found = new Map<string, ModelPoint>();
    for (const [key, points] of readCollection(this.collector.collect()))
      if (key.startsWith(`${name} `)) for (const point of points) found.set(key, point);
    return found;
  }

  /** The one point of an output. @throws Error when there is none, or more */
  point(name: string): ModelPoint {
    const found = [...this.points(name).values()];
    if (found.length !== 1) throw new Error(`${name} has ${found.length} points`);
    return found[0]!;
  }

  said(message: string): Logged | undefined {
    return this.logged.find((one) => one.message.startsWith(message));
  }
}

/** A reader of the same backend with something else. */
export function other(
  reader: PeriodicReaderConfig,
  more: object,
  exporter: object = {},
): PeriodicReaderConfig {
  return { ...reader, ...more, exporter: { ...reader.exporter, ...exporter } } as PeriodicReaderConfig;
}
