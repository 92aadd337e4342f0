import fs from 'node:fs';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { Changes } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { sinceBoot } from './boot.ts';
import { causeOf, type HostContext } from './host-context.ts';
import { ProcFile } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';

const cpuTime = metric({
  name: 'system.cpu.time',
  unit: 's',
  description: 'Seconds each logical CPU spent on each mode.',
  kind: 'sum',
  isMonotonic: true,
});
const logicalCount = metric({
  name: 'system.cpu.logical.count',
  unit: '{cpu}',
  description:
    'Reports the number of logical (virtual) processor cores created by the operating system to manage multitasking.',
  kind: 'sum',
  valueType: 'int',
});
const physicalCount = metric({
  name: 'system.cpu.physical.count',
  unit: '{cpu}',
  description: 'Reports the number of actual physical processor cores on the hardware.',
  kind: 'sum',
  valueType: 'int',
});

/**
 * The modes in the order of the wire, which puts those that tick each second before those that seldom do, and the fields of
 * /proc/stat that each is the sum of. User holds guest and nice holds guest_nice, as in the kernel.
 */
const modes: readonly (readonly [mode: string, changes: Changes, ...fields: number[]])[] = [
  ['user', 'often', 0],
  ['system', 'often', 2],
  ['idle', 'often', 3],
  ['interrupt', 'sometimes', 5, 6],
  ['iowait', 'sometimes', 4],
  ['nice', 'seldom', 1],
  ['steal', 'seldom', 7],
];
const fieldCount = 8;

/** Clock ticks a second in /proc, whatever the kernel's own HZ. */
const userHz = 100;

/** iowait and idle step backwards a little; node_exporter allows 3 s too. */
const fallToleranceSeconds = 3;

/** A number beyond which /proc/stat is not believed. */
const maxCpus = 8192;

const cpuName = Buffer.from('cpu');

interface LogicalCpu {
  readonly set: SeriesSet;
  readonly ticks: Float64Array;
  /** The collection it was last seen in. */
  seen: number;
  online: boolean;
}

/**
 * system.cpu.time of each logical CPU and the numbers of CPUs, from /proc/stat. A CPU that is switched off is idle, not gone:
 * the kernel keeps its counters, and they go on when it returns.
 */
export class CpuSource implements Source {
  readonly name = 'host.cpu';
  readonly #context: HostContext;
  readonly #group: SeriesCells;
  readonly #file: ProcFile;
  readonly #cpus: (LogicalCpu | undefined)[] = [];
  readonly #counts: SeriesSet;
  #collection = 0;
  #online = 0;
  #cores = Number.NaN;
  #warned = false;

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#group = group;
    this.#file = new ProcFile(context, '/proc/stat', 'system.cpu.time and system.cpu.logical.count are');
    const { scope } = context;
    const boot = sinceBoot(context.boot);
    this.#counts = new SeriesSet(group, [
      { scope, metric: logicalCount, attributes: [], changes: 'seldom', ...boot },
      { scope, metric: physicalCount, attributes: [], changes: 'seldom', ...boot },
    ]);
  }

  collect(): void {
    this.#collection++;
    if (!this.#file.read()) {
      for (const cpu of this.#cpus) if (cpu !== undefined) this.#leave(cpu);
      this.#counts.retire('idle');
      this.#online = 0;
      return;
    }
    const { online, changed } = this.#read();
    for (let mode = 0; mode < modes.length; mode++) this.#putMode(mode);
    if (changed || online !== this.#online) {
      this.#online = online;
      this.#cores = this.#countCores();
    }
    this.#counts.put(0, online);
    this.#counts.put(1, this.#cores);
  }

  #read(): { online: number; changed: boolean } {
    const { text } = this.#context;
    let online = 0;
    let changed = false;
    for (; text.more && text.startsWith(cpuName); text.nextLine()) {
      text.at += cpuName.length;
      // The first line, of all CPUs together, has no number behind its name.
      if (text.bytes[text.at] === 32) continue;
      const number = text.integer();
      if (!(number < maxCpus)) continue;
      let cpu = this.#cpus[number];
      if (cpu === undefined) {
        cpu = this.#add(number);
        this.#cpus[number] = cpu;
      }
      for (let field = 0; field < fieldCount; field++) cpu.ticks[field] = text.integer();
      changed ||= !cpu.online;
      cpu.online = true;
      cpu.seen = this.#collection;
      online++;
    }
    return { online, changed };
  }

  /** One mode of all CPUs after the other: on the wire, counters that tick alike then stand together. */
  #putMode(mode: number): void {
    const [, , first, second] = modes[mode]!;
    for (let number = 0; number < this.#cpus.length; number++) {
      const cpu = this.#cpus[number];
      if (cpu === undefined || !cpu.online) continue;
      if (cpu.seen !== this.#collection) {
        this.#leave(cpu);
        continue;
      }
      const ticks = cpu.ticks[first!]! + (second === undefined ? 0 : cpu.ticks[second]!);
      cpu.set.put(mode, ticks / userHz);
    }
  }

  #leave(cpu: LogicalCpu): void {
    cpu.set.retire('idle');
    cpu.online = false;
  }

  #add(number: number): LogicalCpu {
    const series = modes.map(([mode, changes]) => ({
      scope: this.#context.scope,
      metric: cpuTime,
      attributes: attributes({ 'cpu.logical_number': BigInt(number), 'cpu.mode': mode }),
      step: 1 / userHz,
      changes,
      fallTolerance: fallToleranceSeconds,
      ...sinceBoot(this.#context.boot),
    }));
    return {
      set: new SeriesSet(this.#group, series),
      ticks: new Float64Array(fieldCount),
      seen: 0,
      online: false,
    };
  }

  /** The threads of one core name each other, so there are as many cores as different lists. */
  #countCores(): number {
    const cores = new Set<string>();
    for (let number = 0; number < this.#cpus.length; number++) {
      if (!this.#cpus[number]?.online) continue;
      const path = `${this.#context.root}/sys/devices/system/cpu/cpu${number}/topology/thread_siblings_list`;
      try {
        cores.add(fs.readFileSync(path, 'latin1'));
      } catch (error) {
        if (!this.#warned) {
          this.#context.log.warn(
            { path },
            `cannot read ${path} (${causeOf(error)}): system.cpu.physical.count is left out until the set of CPUs changes`,
          );
        }
        this.#warned = true;
        return Number.NaN;
      }
    }
    return cores.size;
  }
}
