import fs from 'node:fs';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { FilesystemSeries, unreadableFilesystem } from './filesystem-series.ts';
import { causeOf, type HostContext } from './host-context.ts';
import { hostProcess } from './host-namespace.ts';
import type { FilesystemOptions } from './host-options.ts';
import { type Mount, onePerFilesystem, parseMountInfo } from './mount-table.ts';
import { type NameFilter, nameFilter } from './name-filter.ts';
import { ProcFile, retryAfterMs } from './proc-file.ts';

/** File systems beyond this many are left out, with one warning. */
const maxFilesystems = 1000;

/** Each call holds a thread of Node's pool of four until it answers, and a dead file system never does: the others must stay free. */
const maxCalls = 2;

/** A file system that has not answered for so long is left out until it does. */
const answerWithinMs = 10_000;

interface Filesystem {
  readonly mount: Mount;
  readonly path: Buffer;
  readonly series: FilesystemSeries;
  /** When its call was made, by the monotonic clock; `undefined`: it awaits no answer. */
  calledMs: number | undefined;
  queued: boolean;
  retryAtMs: number;
  warned: boolean;
  gone: boolean;
}

/**
 * system.filesystem.* of what is mounted, from /proc/self/mountinfo and statfs(2). statfs of a file system that hangs does not
 * return, so it is called outside the main thread, at most once at a time for each, and its values are set when they arrive: they
 * are those of the next report.
 */
export class FilesystemSource implements Source {
  readonly name = 'host.filesystem';
  readonly #context: HostContext;
  readonly #group: SeriesCells;
  readonly #file: ProcFile;
  readonly #typePasses: NameFilter;
  readonly #mountPointPasses: NameFilter;
  #filesystems = new Map<string, Filesystem>();
  readonly #queue: Filesystem[] = [];
  #mountInfo: Buffer = Buffer.alloc(0);
  #calls = 0;
  #warned = false;
  #settled: PromiseWithResolvers<void> | undefined;

  constructor(context: HostContext, group: SeriesCells, options: FilesystemOptions) {
    this.#context = context;
    this.#group = group;
    this.#file = new ProcFile(context, `${hostProcess(context.root)}/mountinfo`, 'system.filesystem.* is');
    this.#typePasses = nameFilter(options.fsTypes);
    this.#mountPointPasses = nameFilter(options.mountPoints);
  }

  collect(): void {
    if (!this.#file.read()) {
      for (const filesystem of this.#filesystems.values()) filesystem.series.set.retire('idle');
      return;
    }
    const { text } = this.#context;
    if (text.bytes.compare(this.#mountInfo, 0, this.#mountInfo.length, 0, text.end) !== 0) {
      this.#mountInfo = Buffer.from(text.bytes.subarray(0, text.end));
      this.#mountsChanged();
    }
    const nowMs = this.#context.clock.monotonicMs();
    for (const filesystem of this.#filesystems.values()) this.#ask(filesystem, nowMs);
    this.#call();
  }

  /** Resolves when all calls have been answered: never, while a file system hangs. */
  settled(): Promise<void> {
    if (this.#calls === 0 && this.#queue.length === 0) return Promise.resolve();
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }

  #mountsChanged(): void {
    const mounts = onePerFilesystem(
      parseMountInfo(this.#mountInfo).filter(
        ({ type, mountPoint }) => this.#typePasses(type) && this.#mountPointPasses(mountPoint),
      ),
    );
    if (mounts.length > maxFilesystems) {
      if (!this.#warned)
        this.#context.log.warn(
          { limit: maxFilesystems },
          `${mounts.length} file systems are mounted: system.filesystem.* is reported for the first ${maxFilesystems}; exclude types or mount points to choose`,
        );
      this.#warned = true;
      mounts.length = maxFilesystems;
    }
    const next = new Map<string, Filesystem>();
    for (const mount of mounts) {
      // All that the attributes hold: when one changes, the series do.
      const key = [mount.deviceNumber, mount.mountPoint, mount.device, mount.type, mount.mode].join('\0');
      next.set(key, this.#filesystems.get(key) ?? this.#add(mount));
    }
    for (const [key, filesystem] of this.#filesystems) {
      if (next.has(key)) continue;
      filesystem.gone = true;
      filesystem.series.set.retire('gone');
    }
    this.#filesystems = next;
  }

  #add(mount: Mount): Filesystem {
    return {
      mount,
      path: Buffer.concat([Buffer.from(this.#context.root), mount.mountPointBytes]),
      series: new FilesystemSeries(this.#context, this.#group, mount),
      calledMs: undefined,
      queued: false,
      retryAtMs: Number.NEGATIVE_INFINITY,
      warned: false,
      gone: false,
    };
  }

  #ask(filesystem: Filesystem, nowMs: number): void {
    const { calledMs } = filesystem;
    if (calledMs === undefined) {
      if (filesystem.queued || nowMs < filesystem.retryAtMs) return;
      filesystem.queued = true;
      this.#queue.push(filesystem);
    } else if (nowMs - calledMs >= answerWithinMs) {
      filesystem.series.put(unreadableFilesystem);
      this.#warn(
        filesystem,
        `has not answered for ${answerWithinMs / 1000} s: it is left out until it answers`,
      );
    }
  }

  #call(): void {
    while (this.#calls < maxCalls) {
      const filesystem = this.#queue.shift();
      if (filesystem === undefined) break;
      filesystem.queued = false;
      if (filesystem.gone) continue;
      filesystem.calledMs = this.#context.clock.monotonicMs();
      this.#calls++;
      fs.statfs(filesystem.path, (error, stats) => {
        this.#calls--;
        filesystem.calledMs = undefined;
        this.#answered(filesystem, error, stats);
        this.#call();
      });
    }
    if (this.#calls === 0) {
      this.#settled?.resolve();
      this.#settled = undefined;
    }
  }

  #answered(filesystem: Filesystem, error: Error | null, stats: fs.StatsFs): void {
    if (filesystem.gone) return;
    if (error === null) {
      filesystem.series.put(stats);
      return;
    }
    filesystem.series.put(unreadableFilesystem);
    filesystem.retryAtMs = this.#context.clock.monotonicMs() + retryAfterMs;
    this.#warn(
      filesystem,
      `cannot be asked (${causeOf(error)}): it is left out; tried again every ${retryAfterMs / 1000} s`,
    );
  }

  #warn(filesystem: Filesystem, what: string): void {
    if (filesystem.warned) return;
    filesystem.warned = true;
    const { mountPoint, type } = filesystem.mount;
    this.#context.log.warn(
      { mountPoint, type },
      `the file system at ${this.#context.root}${mountPoint} (${type}) ${what}`,
    );
  }
}
