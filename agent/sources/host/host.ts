import { emptyScope } from '../../../otel/model/scope.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { readBoot } from './boot.ts';
import { ConnectionsSource } from './connections.ts';
import { CpuSource } from './cpu.ts';
import { DiskSource } from './disk.ts';
import { FilesystemSource } from './filesystem.ts';
import type { HostClock, HostContext, HostLog } from './host-context.ts';
import type { HostOptions } from './host-options.ts';
import { LoadSource } from './load.ts';
import { MemorySource } from './memory.ts';
import { NetworkSource } from './network.ts';
import { PagingSource } from './paging.ts';
import { ProcText } from './proc-text.ts';
import { ProcessesSource } from './processes.ts';
import { UptimeSource } from './uptime.ts';

export interface HostSourcesOptions {
  readonly options: HostOptions;
  /** The group that is sampled at an interval; the same for the same interval. */
  readonly groupFor: (intervalMs: number) => SeriesCells;
  readonly log: HostLog;
  /** Stands before /proc, /sys and mount points: where the host's root is mounted when the agent runs in a container. Default ''. */
  readonly root?: string;
  /** The version in the instrumentation scope. Default ''. */
  readonly version?: string;
  /** Default: the process's own. */
  readonly clock?: HostClock;
  /** Default: `process.platform`. */
  readonly platform?: string;
}

const processClock: HostClock = {
  nowUs: () => Date.now() * 1000,
  monotonicMs: () => performance.now(),
};

/** The groups of host metrics, those that tick most first. */
export const hostGroups = [
  'cpu',
  'memory',
  'paging',
  'network',
  'disk',
  'load',
  'uptime',
  'filesystem',
  'connections',
  'processes',
] as const satisfies readonly (keyof HostOptions)[];

/**
 * The sources of this host's metrics, named after version 1.44.0 of OpenTelemetry's semantic conventions for systems: one for each group
 * that is enabled. Those that tick most stand first. None on a system other than Linux, which is logged.
 */
export function hostSources(from: HostSourcesOptions): Source[] {
  const { options, groupFor, log, version = '', clock = processClock } = from;
  const platform = from.platform ?? process.platform;
  if (platform !== 'linux') {
    log.info(
      { platform },
      `host metrics are read on Linux only so far: on ${platform} they come in a later version`,
    );
    return [];
  }
  const root = (from.root ?? '').replace(/\/+$/, '');
  const shared: Omit<HostContext, 'onStop'> = {
    root,
    scope: {
      ...emptyScope,
      name: 'streamgauge.host',
      version,
      schemaUrl: 'https://opentelemetry.io/schemas/1.44.0',
    },
    boot: readBoot(root, clock, log),
    clock,
    log,
    text: new ProcText(),
  };
  const make: Record<keyof HostOptions, (context: HostContext, group: SeriesCells) => Source> = {
    cpu: (context, group) => new CpuSource(context, group),
    memory: (context, group) => new MemorySource(context, group),
    paging: (context, group) => new PagingSource(context, group),
    network: (context, group) => new NetworkSource(context, group, options.network),
    disk: (context, group) => new DiskSource(context, group, options.disk),
    load: (context, group) => new LoadSource(context, group),
    uptime: (context, group) => new UptimeSource(context, group),
    filesystem: (context, group) => new FilesystemSource(context, group, options.filesystem),
    connections: (context, group) => new ConnectionsSource(context, group),
    processes: (context, group) => new ProcessesSource(context, group),
  };
  return hostGroups
    .filter((name) => options[name].enabled)
    .map((name) => stoppable(make[name], shared, groupFor(options[name].intervalMs)));
}

/** The source with a context of its own, by which it is stopped. */
function stoppable(
  make: (context: HostContext, cells: SeriesCells) => Source,
  shared: Omit<HostContext, 'onStop'>,
  cells: SeriesCells,
): Source {
  const closes: (() => void)[] = [];
  const source = make({ ...shared, onStop: (close) => void closes.push(close) }, cells);
  source.stop = () => {
    for (const close of closes) close();
  };
  return source;
}
