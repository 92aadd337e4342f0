import fs from 'node:fs';
import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { SeriesCells } from '../../state/series-cells.ts';
import type { Source } from '../source.ts';
import { DeviceCounters } from './device-counters.ts';
import type { HostContext } from './host-context.ts';
import { hostProcess } from './host-namespace.ts';
import type { NetworkOptions } from './host-options.ts';
import { nameFilter } from './name-filter.ts';
import { ProcFile } from './proc-file.ts';

const counter = { kind: 'sum', isMonotonic: true, valueType: 'int' } as const;
const io = metric({
  ...counter,
  name: 'system.network.io',
  unit: 'By',
  description: 'The number of bytes transmitted and received.',
});
const packets = metric({
  ...counter,
  name: 'system.network.packet.count',
  unit: '{packet}',
  description: 'The number of packets transferred.',
});
const errors = metric({
  ...counter,
  name: 'system.network.errors',
  unit: '{error}',
  description: 'Count of network errors detected.',
});
const dropped = metric({
  ...counter,
  name: 'system.network.packet.dropped',
  unit: '{packet}',
  description: 'Count of packets that are dropped or discarded even though there was no error.',
});

/** The column of /proc/net/dev behind the name, from 0: eight of receiving, eight of transmitting. In the order of the wire. */
const columns = [
  { column: 0, metric: io, direction: 'receive', changes: 'often' },
  { column: 8, metric: io, direction: 'transmit', changes: 'often' },
  { column: 1, metric: packets, direction: 'receive', changes: 'often' },
  { column: 9, metric: packets, direction: 'transmit', changes: 'often' },
  { column: 2, metric: errors, direction: 'receive', changes: 'seldom' },
  { column: 10, metric: errors, direction: 'transmit', changes: 'seldom' },
  { column: 3, metric: dropped, direction: 'receive', changes: 'seldom' },
  { column: 11, metric: dropped, direction: 'transmit', changes: 'seldom' },
] as const;
const columnCount = 12;

const headerLines = 2;

/**
 * system.network.* of interfaces, from /proc/net/dev.
 *
 * An interface's life is boot id, network namespace and ifindex. When it began is unknown even for one that appears: interfaces
 * are renamed (by udev at each boot) and moved between namespaces (by container engines), and keep their counters.
 */
export class NetworkSource implements Source {
  readonly name = 'host.network';
  readonly #context: HostContext;
  readonly #file: ProcFile;
  readonly #devices: DeviceCounters;
  readonly #raw = new Float64Array(columnCount);

  constructor(context: HostContext, group: SeriesCells, options: NetworkOptions) {
    this.#context = context;
    const directory = hostProcess(context.root);
    this.#file = new ProcFile(
      context,
      `${directory}/net/dev`,
      'system.network.io, .packet.count, .errors and .packet.dropped are',
    );
    const namespace = namespaceName(`${context.root}${directory}/ns/net`);
    this.#devices = new DeviceCounters(context, group, {
      plural: 'network interfaces',
      counters: columns.map(({ metric, direction, changes }) => ({
        metric,
        attributes: (name): Attributes =>
          attributes({
            'network.interface.name': name,
            'network.io.direction': direction,
            // The conventions name the interface differently for this one metric; with both it joins with the others.
            'system.device': metric === packets ? name : undefined,
          }),
        step: 1,
        changes,
      })),
      wanted: nameFilter(options.interfaces),
      identityPath: (name) => `${context.root}/sys/class/net/${name}/ifindex`,
      epochParts: (name, index) => ['net', namespace, index ?? name],
      beginsAtZero: () => false,
    });
  }

  collect(): void {
    this.#devices.begin();
    if (!this.#file.read()) {
      this.#devices.unreadable();
      return;
    }
    const { text } = this.#context;
    for (let line = 0; text.more; text.nextLine(), line++) {
      if (line < headerLines) continue;
      text.skipSpaces();
      const from = text.at;
      // Old kernels leave no space behind the colon, and no interface has a colon in its name.
      const to = text.bytes.indexOf(58, from);
      if (to < 0 || to >= text.end) break;
      text.at = to + 1;
      const values = this.#devices.at(text.bytes, from, to);
      if (values === undefined) continue;
      for (let i = 0; i < columnCount; i++) this.#raw[i] = text.integer();
      for (let i = 0; i < columns.length; i++) values[i] = this.#raw[columns[i]!.column]!;
    }
    this.#devices.end();
  }
}

/** `net:[4026531840]`; where it may not be read, one namespace is taken for granted. */
function namespaceName(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}
