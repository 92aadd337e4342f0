import fs from 'node:fs';
import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import type { Changes } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { DeviceCounters } from './device-counters.ts';
import type { HostContext } from './host-context.ts';
import type { DiskOptions } from './host-options.ts';
import { nameFilter } from './name-filter.ts';
import { ProcFile } from './proc-file.ts';

const counter = { kind: 'sum', isMonotonic: true } as const;
const io = metric({
  ...counter,
  name: 'system.disk.io',
  unit: 'By',
  valueType: 'int',
  description: 'Disk bytes transferred.',
});
const operations = metric({
  ...counter,
  name: 'system.disk.operations',
  unit: '{operation}',
  valueType: 'int',
  description: 'Disk operations count.',
});
const merged = metric({
  ...counter,
  name: 'system.disk.merged',
  unit: '{operation}',
  valueType: 'int',
  description: 'The number of disk reads/writes merged into single physical disk access operations.',
});
const ioTime = metric({
  ...counter,
  name: 'system.disk.io_time',
  unit: 's',
  description: 'Time disk spent activated.',
});
const operationTime = metric({
  ...counter,
  name: 'system.disk.operation_time',
  unit: 's',
  description: 'Sum of the time each operation took to complete.',
});

const sectorBytes = 512;
const wrapAt = 2 ** 53;

/** A field of /proc/diskstats behind the name, from 0, as a counter. */
interface Field {
  readonly field: number;
  readonly metric: MetricDescription;
  readonly direction?: string;
  readonly step: number;
  readonly changes?: Changes;
}

/** In the order of the wire: writes tick on any busy host, reads on few, merges seldom. Discards and flushes have no place in the conventions. */
const fields: readonly Field[] = [
  { field: 6, metric: io, direction: 'write', step: sectorBytes },
  { field: 4, metric: operations, direction: 'write', step: 1 },
  { field: 7, metric: operationTime, direction: 'write', step: 0.001 },
  { field: 9, metric: ioTime, step: 0.001 },
  { field: 5, metric: merged, direction: 'write', step: 1, changes: 'seldom' },
  { field: 2, metric: io, direction: 'read', step: sectorBytes },
  { field: 0, metric: operations, direction: 'read', step: 1 },
  { field: 3, metric: operationTime, direction: 'read', step: 0.001 },
  { field: 1, metric: merged, direction: 'read', step: 1, changes: 'seldom' },
];
const fieldCount = 11;

/**
 * system.disk.* of whole disks, from /proc/diskstats.
 *
 * A disk's life is boot id and diskseq, which the kernel raises for each disk that appears (5.15 and later; before, its number and
 * name stand in). It also raises it when a medium is changed, and then keeps the counters: for such drives the begin is unknown.
 */
export class DiskSource implements Source {
  readonly name = 'host.disk';
  readonly #context: HostContext;
  readonly #file: ProcFile;
  readonly #devices: DeviceCounters;
  readonly #raw = new Float64Array(fieldCount);

  constructor(context: HostContext, group: SeriesCells, options: DiskOptions) {
    this.#context = context;
    this.#file = new ProcFile(context, '/proc/diskstats', 'system.disk.* is');
    const passes = nameFilter(options.devices);
    // Where /sys is not there at all, partitions cannot be told from disks, and all are reported.
    const hasBlock = fs.existsSync(`${context.root}/sys/block`);
    const directory = (name: string): string => `${context.root}/sys/block/${name.replaceAll('/', '!')}`;
    this.#devices = new DeviceCounters(context, group, {
      plural: 'disks',
      counters: fields.map(({ metric, direction, step, changes = 'sometimes' }) => ({
        metric,
        attributes: (name): Attributes =>
          attributes({ 'system.device': name, 'disk.io.direction': direction }),
        step,
        changes,
      })),
      wanted: (name) => passes(name) && (!hasBlock || fs.existsSync(directory(name))),
      identityPath: (name) => `${directory(name)}/diskseq`,
      epochParts: (name, sequence) =>
        sequence === undefined
          ? ['disk', name, readSmall(`${directory(name)}/dev`) ?? '']
          : ['disk', sequence],
      beginsAtZero: (name) =>
        readSmall(`${directory(name)}/removable`) === '0' && readSmall(`${directory(name)}/events`) === '',
    });
  }

  collect(): void {
    this.#devices.begin();
    if (!this.#file.read()) {
      this.#devices.unreadable();
      return;
    }
    const { text } = this.#context;
    for (; text.more; text.nextLine()) {
      text.integer();
      text.integer();
      text.skipSpaces();
      const from = text.at;
      text.skipWord();
      const values = this.#devices.at(text.bytes, from, text.at);
      if (values !== undefined) this.#parse(values);
    }
    this.#devices.end();
  }

  #parse(values: Float64Array): void {
    const raw = this.#raw;
    for (let i = 0; i < fieldCount; i++) raw[i] = this.#context.text.integer();
    for (let i = 0; i < fields.length; i++) {
      const { field, step } = fields[i]!;
      const value = raw[field]!;
      // Times are milliseconds; divided, not multiplied by 0.001, which would not be exact.
      values[i] = step === 0.001 ? value / 1000 : step === 1 ? value : (value * sectorBytes) % wrapAt;
    }
  }
}

/** A short file of /sys, or `undefined`. */
function readSmall(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}
