import { attributeOf, attributeText } from '../../otel/model/attributes.ts';
import { batchesOf, type Collection, noRecordedValue, PointBatch } from '../../otel/state/point-batch.ts';
import type { HostMetric } from './status.ts';

type Attribute = (key: string) => string;
type Visit = (value: number, attribute: Attribute) => void;

/**
 * A few of the host's own metrics out of what leaves the collector: cpu, memory, load, network and disk traffic. Where several hosts
 * report, their values add, and cpu and memory are parts of the sum. What is not there is left out.
 */
export function hostGlance(collection: Collection): HostMetric[] {
  const glance = new Glance();
  const batch = new PointBatch();
  for (const { scopes } of collection.resources) {
    glance.resources++;
    for (const { streams } of scopes) {
      for (const stream of streams) {
        const { name, kind } = stream.metric;
        const visit = glance.visitors[name];
        if (visit === undefined || (kind !== 'sum' && kind !== 'gauge')) continue;
        for (const { size } of batchesOf(stream, batch)) {
          for (let i = 0; i < size; i++) {
            if ((batch.flags[i]! & noRecordedValue) !== 0) continue;
            const { attributes } = batch.seriesAttributes[i]!;
            visit(batch.values[i]!, (key) => attributeText(attributeOf(attributes, key) ?? ''));
          }
        }
      }
    }
  }
  return glance.metrics();
}

class Glance {
  readonly #sums = new Map<string, number>();
  readonly #cpus = new Set<string>();
  /** How many there have been, the present one included: two hosts number their CPUs alike. */
  resources = 0;

  readonly visitors: Readonly<Record<string, Visit>> = {
    'system.cpu.time': (value, attribute) => {
      const mode = attribute('cpu.mode');
      this.#cpus.add(`${this.resources} ${attribute('cpu.logical_number')}`);
      if (mode !== 'idle' && mode !== 'iowait') this.#add('cpu', value);
    },
    'system.memory.usage': (value, attribute) => {
      if (attribute('system.memory.state') === 'used') this.#add('memory used', value);
    },
    'system.memory.limit': (value) => this.#add('memory limit', value),
    'system.cpu.load_average.1m': (value) => this.#add('load', value),
    'system.network.io': (value, attribute) => {
      // What the loopback interface carries never leaves the host.
      if (attribute('network.interface.name') === 'lo') return;
      this.#add(attribute('network.io.direction') === 'receive' ? 'net in' : 'net out', value);
    },
    'system.disk.io': (value, attribute) =>
      this.#add(attribute('disk.io.direction') === 'read' ? 'disk read' : 'disk write', value),
  };

  #add(name: string, value: number): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
  }

  metrics(): HostMetric[] {
    const list: HostMetric[] = [];
    const busy = this.#sums.get('cpu');
    if (busy !== undefined)
      list.push({ label: 'cpu', kind: 'total', unit: '1', value: busy / this.#cpus.size });
    const [used, limit] = [this.#sums.get('memory used'), this.#sums.get('memory limit')];
    if (used !== undefined && limit !== undefined && limit > 0) {
      list.push({ label: 'memory', kind: 'level', unit: '1', value: used / limit });
    }
    const load = this.#sums.get('load');
    if (load !== undefined) list.push({ label: 'load', kind: 'level', unit: '', value: load });
    for (const label of ['net in', 'net out', 'disk read', 'disk write']) {
      const value = this.#sums.get(label);
      if (value !== undefined) list.push({ label, kind: 'total', unit: 'By', value });
    }
    return list;
  }
}
