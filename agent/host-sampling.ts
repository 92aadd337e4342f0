import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../otel/clock.ts';
import type { HostConfig } from './config/agent-config.ts';
import type { AgentLog } from './log.ts';
import type { Sampler } from './sampler.ts';
import type { SourceGroups } from './source-groups.ts';
import { hostGroups, hostSources } from './sources/host/host.ts';
import type { HostOptions } from './sources/host/host-options.ts';
import type { Source } from './sources/source.ts';
import { SourceCells } from './state/series-cells.ts';

export interface HostSamplingOptions {
  readonly groups: SourceGroups;
  readonly sampler: Sampler;
  readonly clock: Clock;
  readonly log: AgentLog;
  /** The agent's software version. */
  readonly version: string;
}

interface Sampled {
  readonly source: Source;
  readonly cells: SourceCells;
}

/** The sources of the host's metrics, as the configuration has them. */
export class HostSampling {
  readonly #options: HostSamplingOptions;
  readonly #sampled = new Map<keyof HostOptions, Sampled>();
  #config: HostConfig | undefined;

  constructor(options: HostSamplingOptions) {
    this.#options = options;
  }

  /**
   * Makes the sources of groups that are new or have other options, and takes out those that they stand for, or that are no longer
   * enabled. All others go on untouched.
   */
  apply(config: HostConfig): void {
    const before = this.#config;
    const isElsewhere = before !== undefined && before.rootPath !== config.rootPath;
    const isOn = (of: HostConfig | undefined, name: keyof HostOptions): boolean =>
      of?.enabled === true && of[name].enabled;
    const changed = hostGroups.filter(
      (name) =>
        isElsewhere ||
        isOn(before, name) !== isOn(config, name) ||
        (isOn(config, name) && !isDeepStrictEqual(before?.[name], config[name])),
    );
    const wanted = changed.filter((name) => isOn(config, name));
    // What fails fails here, before anything is another.
    const made = wanted.length > 0 ? this.#make(config, wanted) : [];
    this.#config = config;
    for (const name of changed) this.#remove(name);
    for (const each of made) {
      this.#sampled.set(each.name, each);
      const added = this.#options.groups.add({ intervalMs: each.intervalMs, make: () => each.source });
      if (added !== undefined) this.#options.sampler.add(added);
    }
  }

  #make(config: HostConfig, wanted: readonly (keyof HostOptions)[]) {
    const { groups, log, version, clock } = this.#options;
    const options = Object.fromEntries(
      hostGroups.map((name) => [name, { ...config[name], enabled: wanted.includes(name) }]),
    ) as unknown as HostOptions;
    const asked: { readonly intervalMs: number; readonly cells: SourceCells }[] = [];
    const groupFor = (intervalMs: number): SourceCells => {
      const cells = new SourceCells(groups.groupOf(intervalMs));
      asked.push({ intervalMs, cells });
      return cells;
    };
    const sources = hostSources({ options, groupFor, log, root: config.rootPath, version, clock });
    // One call for each source, in their order; none on systems without.
    return sources.map((source, i) => ({ name: wanted[i]!, source, ...asked[i]! }));
  }

  #remove(name: keyof HostOptions): void {
    const sampled = this.#sampled.get(name);
    if (sampled === undefined) return;
    this.#sampled.delete(name);
    const { groups, sampler } = this.#options;
    const empty = groups.remove(sampled.source);
    if (empty !== undefined) sampler.remove(empty);
    sampled.cells.close('idle');
    sampled.source.stop?.();
  }
}
