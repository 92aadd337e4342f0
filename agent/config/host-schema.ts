import { z } from 'zod';
import { duration, durationText, optional, section, text, withDefault } from '../../otel/config/fields.ts';
import {
  type GroupOptions,
  type HostOptions,
  hostDefaults,
  type NameFilterOptions,
} from '../sources/host/host-options.ts';
import { agentDefaults, type HostConfig } from './agent-config.ts';

const minIntervalMs = 100;

function group<T extends z.core.$ZodShape>(defaults: GroupOptions, what: string, more: T) {
  const isSlow = defaults.intervalMs !== hostDefaults.cpu.intervalMs;
  const interval = isSlow
    ? `${durationText(defaults.intervalMs)}, or \`host.interval\` when that is longer`
    : '`host.interval`';
  return section({
    enabled: withDefault(z.boolean(), defaults.enabled).describe('Whether they are collected.'),
    interval: optional(duration(minIntervalMs))
      .describe('Time between two collections.')
      .meta({ defaultText: interval }),
    ...more,
  }).describe(what);
}

const names = z.array(text()).max(1024).meta({ allowed: 'a list of names; * and ? are wildcards' });

function filter(defaults: NameFilterOptions, what: string) {
  const excluded =
    defaults.exclude.length === 0 ? 'none' : defaults.exclude.map((name) => `\`${name}\``).join(' ');
  return section({
    include: withDefault(names, [...defaults.include])
      .describe(`${what} that are reported.`)
      .meta({ defaultText: 'all' }),
    exclude: withDefault(names, [...defaults.exclude])
      .describe(`${what} that are not, even if they are included.`)
      .meta({ defaultText: excluded }),
  }).describe(`${what} by name; \`*\` and \`?\` are wildcards.`);
}

const { disk, filesystem, network } = hostDefaults;

const rootPath = z
  .string()
  .startsWith('/')
  .transform((path) => path.replace(/\/+$/, ''))
  .meta({ allowed: 'an absolute path' });

/** `host`: what the host source reads and how often. */
export const hostSchema = section({
  enabled: withDefault(z.boolean(), true).describe('Whether metrics of the host are collected at all.'),
  interval: withDefault(duration(minIntervalMs), hostDefaults.cpu.intervalMs)
    .describe('Time between two collections, of the groups that do not say otherwise.')
    .meta({ defaultText: durationText(hostDefaults.cpu.intervalMs) }),
  root_path: withDefault(rootPath, agentDefaults.host.rootPath)
    .describe("Where the host's root directory is: in a container the place it is mounted at.")
    .meta({ defaultText: '/' }),
  cpu: group(hostDefaults.cpu, 'system.cpu.time and the numbers of CPUs.', {}),
  memory: group(hostDefaults.memory, 'system.memory.*.', {}),
  paging: group(hostDefaults.paging, 'system.paging.*.', {}),
  load: group(hostDefaults.load, 'system.cpu.load_average.*.', {}),
  disk: group(disk, 'system.disk.* of whole disks.', { devices: filter(disk.devices, 'Disks') }),
  filesystem: group(filesystem, 'system.filesystem.*.', {
    mount_points: filter(filesystem.mountPoints, 'Mount points'),
    fs_types: filter(filesystem.fsTypes, 'Types of file systems'),
  }),
  network: group(network, 'system.network.* of interfaces.', {
    interfaces: filter(network.interfaces, 'Interfaces'),
  }),
  connections: group(hostDefaults.connections, 'system.network.connection.count.', {}),
  processes: group(hostDefaults.processes, 'system.process.*.', {}),
  uptime: group(hostDefaults.uptime, 'system.uptime.', {}),
}).describe('Metrics of the host.');

type HostFile = z.output<typeof hostSchema>;

/** The host source's options. A group without an interval has the common one; the slow groups keep theirs unless the common one is longer. */
export function hostConfig(file: HostFile): HostConfig {
  const of = (name: keyof HostOptions): GroupOptions => {
    const { enabled, interval } = file[name];
    const own = hostDefaults[name].intervalMs;
    const isSlow = own !== hostDefaults.cpu.intervalMs;
    return { enabled, intervalMs: interval ?? (isSlow ? Math.max(own, file.interval) : file.interval) };
  };
  return {
    enabled: file.enabled,
    rootPath: file.root_path,
    cpu: of('cpu'),
    memory: of('memory'),
    paging: of('paging'),
    load: of('load'),
    disk: { ...of('disk'), devices: file.disk.devices },
    filesystem: {
      ...of('filesystem'),
      mountPoints: file.filesystem.mount_points,
      fsTypes: file.filesystem.fs_types,
    },
    network: { ...of('network'), interfaces: file.network.interfaces },
    connections: of('connections'),
    processes: of('processes'),
    uptime: of('uptime'),
  };
}
