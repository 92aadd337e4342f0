import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { AgentSeries } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { sinceBoot } from './boot.ts';
import type { HostContext } from './host-context.ts';
import { KeyedLines } from './keyed-lines.ts';
import { NameTable } from './name-table.ts';
import { ProcFile } from './proc-file.ts';
import { SeriesSet } from './series-set.ts';
import { textOf, unescapeOctal } from './text-of.ts';

const faults = metric({
  name: 'system.paging.faults',
  unit: '{fault}',
  description: 'The number of page faults.',
  kind: 'sum',
  isMonotonic: true,
  valueType: 'int',
});
const operations = metric({
  name: 'system.paging.operations',
  unit: '{operation}',
  description: 'The number of paging operations.',
  kind: 'sum',
  isMonotonic: true,
  valueType: 'int',
});
const usage = metric({
  name: 'system.paging.usage',
  unit: 'By',
  description: 'UNIX swap or windows pagefile usage.',
  kind: 'sum',
  valueType: 'int',
});

const kibibyte = 1024;

/** /proc/swaps is in kibibytes, but the kernel counts pages, which are of 4,096 bytes or a multiple. */
const pageBytes = 4096;
const maxSwapDevices = 64;

/**
 * The kernel counts a major fault first as a fault and later as a major one, so minor faults, the difference, can step back by as
 * many as wait for their page. Within a boot they never truly fall.
 */
const minorFaultTolerance = 65_536;

/**
 * system.paging.*: faults and operations from /proc/vmstat, usage of each swap device from /proc/swaps. Operations are the pages
 * swapped in and out, which are of the type `major`; the kernel has no count that would be the minor ones.
 */
export class PagingSource implements Source {
  readonly name = 'host.paging';
  readonly #context: HostContext;
  readonly #group: SeriesCells;
  readonly #vmstat: ProcFile;
  readonly #swaps: ProcFile;
  readonly #lines = new KeyedLines(['pgfault ', 'pgmajfault ', 'pswpin ', 'pswpout ']);
  readonly #counters: SeriesSet;
  readonly #devices: NameTable<SeriesSet>;

  constructor(context: HostContext, group: SeriesCells) {
    this.#context = context;
    this.#group = group;
    this.#vmstat = new ProcFile(
      context,
      '/proc/vmstat',
      'system.paging.faults and system.paging.operations are',
    );
    this.#swaps = new ProcFile(context, '/proc/swaps', 'system.paging.usage is', true);
    const base = { scope: context.scope, ...sinceBoot(context.boot) };
    const faultsOf = (type: string): AgentSeries => ({
      ...base,
      metric: faults,
      attributes: attributes({ 'system.paging.fault.type': type }),
    });
    const operationsTo = (direction: string): AgentSeries => ({
      ...base,
      metric: operations,
      attributes: attributes({ 'system.paging.direction': direction, 'system.paging.fault.type': 'major' }),
      changes: 'seldom',
    });
    this.#counters = new SeriesSet(group, [
      { ...faultsOf('minor'), fallTolerance: minorFaultTolerance, changes: 'often' },
      faultsOf('major'),
      operationsTo('in'),
      operationsTo('out'),
    ]);
    this.#devices = new NameTable((name) => this.#appear(name), maxSwapDevices);
  }

  collect(): void {
    this.#collectCounters();
    this.#collectUsage();
  }

  #collectCounters(): void {
    if (!this.#vmstat.read()) {
      this.#counters.retire('idle');
      return;
    }
    this.#lines.read(this.#context.text);
    const v = this.#lines.values;
    this.#counters.put(0, v[0]! - v[1]!);
    this.#counters.put(1, v[1]!);
    this.#counters.put(2, v[2]!);
    this.#counters.put(3, v[3]!);
  }

  #collectUsage(): void {
    if (!this.#swaps.read()) {
      for (const device of this.#devices.items()) device.retire('idle');
      return;
    }
    const { text } = this.#context;
    this.#devices.begin();
    text.nextLine();
    for (; text.more; text.nextLine()) {
      const from = text.at;
      text.skipWord();
      const device = this.#devices.at(text.bytes, from, text.at);
      if (device === undefined) continue;
      text.skipSpaces();
      text.skipWord();
      const size = text.integer();
      const used = text.integer();
      device.put(0, used * kibibyte);
      device.put(1, (size - used) * kibibyte);
    }
    this.#devices.sweep((device) => {
      device.retire('gone');
      return true;
    });
  }

  #appear(name: string): SeriesSet {
    const device = textOf(unescapeOctal(Buffer.from(name)));
    const series = ['used', 'free'].map((state) => ({
      scope: this.#context.scope,
      metric: usage,
      attributes: attributes({ 'system.device': device, 'system.paging.state': state }),
      step: pageBytes,
      ...sinceBoot(this.#context.boot),
    }));
    return new SeriesSet(this.#group, series);
  }
}
