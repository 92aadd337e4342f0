import { attributes, noAttributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { AgentSeries } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { sinceBoot } from './boot.ts';
import type { HostContext } from './host-context.ts';
import { KeyedLines } from './keyed-lines.ts';
import { ProcFile } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';

const inBytes = { unit: 'By', kind: 'sum', valueType: 'int' } as const;
const usage = metric({
  ...inBytes,
  name: 'system.memory.usage',
  description: 'Reports memory in use by state.',
});
const limit = metric({
  ...inBytes,
  name: 'system.memory.limit',
  description: 'Total virtual memory available in the system.',
});
const available = metric({
  ...inBytes,
  name: 'system.memory.linux.available',
  description:
    'An estimate of how much memory is available for starting new applications, without causing swapping.',
});
const shared = metric({
  ...inBytes,
  name: 'system.memory.linux.shared',
  description: 'Shared memory used (mostly by tmpfs).',
});
const slab = metric({
  ...inBytes,
  name: 'system.memory.linux.slab.usage',
  description: 'Reports the memory used by the Linux kernel for managing caches of frequently used objects.',
});

const kibibyte = 1024;

/** /proc/meminfo is in kibibytes, but what is read here is counted in pages, which are of 4,096 bytes or a multiple. */
const pageBytes = 4096;

/** system.memory.*, from /proc/meminfo. */
export class MemorySource implements Source {
  readonly name = 'host.memory';
  readonly #context: HostContext;
  readonly #file: ProcFile;
  readonly #set: SeriesSet;
  readonly #lines = new KeyedLines([
    'MemTotal:',
    'MemFree:',
    'MemAvailable:',
    'Buffers:',
    'Cached:',
    'Shmem:',
    'SReclaimable:',
    'SUnreclaim:',
  ]);

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#file = new ProcFile(context, '/proc/meminfo', 'system.memory.* is');
    const base = { scope: context.scope, step: pageBytes, ...sinceBoot(context.boot) };
    const inState = (state: string): AgentSeries => ({
      ...base,
      metric: usage,
      attributes: attributes({ 'system.memory.state': state }),
    });
    const slabIn = (state: string): AgentSeries => ({
      ...base,
      metric: slab,
      attributes: attributes({ 'system.memory.linux.slab.state': state }),
    });
    this.#set = new SeriesSet(group, [
      { ...inState('used'), changes: 'often' },
      { ...inState('free'), changes: 'often' },
      { ...base, metric: available, attributes: noAttributes, changes: 'often' },
      inState('cached'),
      inState('buffers'),
      slabIn('reclaimable'),
      slabIn('unreclaimable'),
      { ...base, metric: shared, attributes: noAttributes },
      { ...base, metric: limit, attributes: noAttributes, changes: 'seldom' },
    ]);
  }

  collect(): void {
    if (!this.#file.read()) {
      this.#set.retire('idle');
      return;
    }
    this.#lines.read(this.#context.text);
    const set = this.#set;
    const v = this.#lines.values;
    const total = v[0]!;
    const free = v[1]!;
    const buffers = v[3]!;
    const cached = v[4]!;
    // Kernels before 3.14 have no MemAvailable; the conventions then allow the older formula.
    const used = Number.isNaN(v[2]!) ? total - free - buffers - cached : total - v[2]!;
    set.put(0, used * kibibyte);
    set.put(1, free * kibibyte);
    set.put(2, v[2]! * kibibyte);
    set.put(3, cached * kibibyte);
    set.put(4, buffers * kibibyte);
    set.put(5, v[6]! * kibibyte);
    set.put(6, v[7]! * kibibyte);
    set.put(7, v[5]! * kibibyte);
    set.put(8, total * kibibyte);
  }
}
