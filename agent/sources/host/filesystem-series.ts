import type { StatsFs } from 'node:fs';
import { attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import type { AgentSeries, Changes } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import { sinceBoot } from './boot.ts';
import type { HostContext } from './host-context.ts';
import type { Mount } from './mount-table.ts';
import { SeriesSet } from './series-set.ts';

const usage = metric({
  name: 'system.filesystem.usage',
  unit: 'By',
  description: "Reports a filesystem's space usage across different states.",
  kind: 'sum',
  valueType: 'int',
});
const limit = metric({
  name: 'system.filesystem.limit',
  unit: 'By',
  description: 'The total storage capacity of the filesystem.',
  kind: 'sum',
  valueType: 'int',
});
/** Named as by the OpenTelemetry Collector's hostmetrics receiver: the semantic conventions have no inodes. */
const inodes = metric({
  name: 'system.filesystem.inodes.usage',
  unit: '{inodes}',
  description: 'FileSystem inodes used.',
  kind: 'sum',
  valueType: 'int',
});

/** What the series are made of; NaN where it is not known. */
export type FilesystemNumbers = Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree'> & {
  /** The unit of the counts of blocks, where Node gives it; else they are in units of `bsize`, as on most file systems. */
  readonly frsize?: number;
};

export const unreadableFilesystem: FilesystemNumbers = {
  bsize: Number.NaN,
  blocks: Number.NaN,
  bfree: Number.NaN,
  bavail: Number.NaN,
  files: Number.NaN,
  ffree: Number.NaN,
};

/** The wire's greatest whole number; a larger file system than 8 PiB shows as one of 8 PiB. */
const maxBytes = 2 ** 53;

/** The series of one mounted file system. */
export class FilesystemSeries {
  readonly set: SeriesSet;

  constructor(context: HostContext, group: SeriesCells, mount: Mount) {
    const series = (m: MetricDescription, step: number, state?: string, changes?: Changes): AgentSeries => ({
      scope: context.scope,
      metric: m,
      attributes: attributes({
        'system.device': mount.device,
        'system.filesystem.mode': mount.mode,
        'system.filesystem.mountpoint': mount.mountPoint,
        'system.filesystem.state': state,
        'system.filesystem.type': mount.type,
      }),
      step,
      changes,
      ...sinceBoot(context.boot),
    });
    // Blocks of 4096 bytes are the rule; the step is a hint, and any size is sent exactly.
    const block = 4096;
    this.set = new SeriesSet(group, [
      series(usage, block, 'used'),
      series(usage, block, 'free'),
      series(inodes, 1, 'used'),
      series(inodes, 1, 'free'),
      series(usage, block, 'reserved', 'seldom'),
      series(limit, block, undefined, 'seldom'),
    ]);
  }

  /** Free is what anybody may use, reserved what only root may, so that used, free and reserved are the limit. */
  put(numbers: FilesystemNumbers): void {
    const { blocks, bfree, bavail, files, ffree } = numbers;
    const unit = numbers.frsize || numbers.bsize;
    // Some file systems have no fixed number of inodes and say 0.
    const hasInodes = files > 0;
    this.set.put(0, Math.min((blocks - bfree) * unit, maxBytes));
    this.set.put(1, Math.min(bavail * unit, maxBytes));
    this.set.put(2, hasInodes ? files - ffree : Number.NaN);
    this.set.put(3, hasInodes ? ffree : Number.NaN);
    this.set.put(4, Math.min((bfree - bavail) * unit, maxBytes));
    this.set.put(5, Math.min(blocks * unit, maxBytes));
  }
}
