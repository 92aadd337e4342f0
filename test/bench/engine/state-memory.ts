// `node --expose-gc state-memory.ts JSON`: what input series take of a process's memory, as one line of JSON. Streams are apart: this is
// the metric store with its outputs alone.
import { Outputs } from '../../../collector/outputs/outputs.ts';
import { compileViews } from '../../../collector/views/compile-views.ts';
import { type Attributes, attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { residentMemory } from '../host/process-usage.ts';

export interface StateMemoryOptions {
  readonly members: number;
  readonly seriesPerMember: number;
  readonly metrics: number;
  /** Whether a view joins the members; otherwise each is handed on. */
  readonly isMerging: boolean;
  /** Whether members define the same series; otherwise each its own. */
  readonly isShared: boolean;
}

export interface StateMemory {
  readonly bytesPerSeries: number;
  readonly definitionsPerSecond: number;
}

/** Microseconds; time stands still here. */
const nowUs = 1_790_000_000_000_000;

class Growth {
  readonly #options: StateMemoryOptions;
  readonly #outputs: Outputs;
  #members = 0;

  constructor(options: StateMemoryOptions) {
    this.#options = options;
    const view = {
      selector: { instrumentName: '*' },
      stream: { aggregation: 'default', resourceKeys: [] },
    } as const;
    this.#outputs = new Outputs({
      nowUs: () => nowUs,
      plansFor: compileViews(options.isMerging ? [view] : []),
      writerId: 'bench',
      outputExpiryMs: 86_400_000,
    });
  }

  get series(): number {
    return this.#outputs.store.seriesCount;
  }

  add(members: number): void {
    const { seriesPerMember, metrics, isShared } = this.#options;
    const { store } = this.#outputs;
    const descriptions = Array.from({ length: metrics }, (_, i) =>
      metric({ name: `bench.metric.${i}`, unit: 'By', kind: 'sum', isMonotonic: true, valueType: 'int' }),
    );
    const seriesAttributes = (of: string): Attributes[] =>
      Array.from({ length: seriesPerMember }, (_, k) =>
        attributes({
          'bench.device': `device-${of}${k}`,
          'bench.direction': k % 2 === 0 ? 'read' : 'write',
        }),
      );
    const shared = isShared ? seriesAttributes('') : undefined;
    for (let m = 0; m < members; m++) {
      const id = `member-${this.#members++}`;
      const resource = { attributes: attributes({ 'host.name': id }), schemaUrl: '' };
      const member = store.join(id, resource, nowUs);
      const clock = store.clocks.of(member, 0);
      for (const [k, own] of (shared ?? seriesAttributes(`${id}-`)).entries()) {
        const input = {
          scope: emptyScope,
          metric: descriptions[k % metrics]!,
          attributes: own,
          resource: undefined,
          epoch: `boot of ${id}`,
          beganAtUs: nowUs + 1,
          startTimeUs: nowUs,
          clock,
          holder: this.#members,
        };
        const slot = store.define(member, input, nowUs) as number;
        store.sums.settle(slot, 1);
        store.appear(store.sums, slot);
      }
    }
  }
}

/** Resident memory once nothing is left that is garbage. */
function settledBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc!();
  return residentMemory(process.pid).nowMiB * 1024 * 1024;
}

/** The slope over the last three quarters. */
function measure(options: StateMemoryOptions): StateMemory {
  const growth = new Growth(options);
  const first = Math.ceil(options.members / 4);
  growth.add(first);
  const before = { bytes: settledBytes(), series: growth.series };
  const fromMs = performance.now();
  growth.add(options.members - first);
  const seconds = (performance.now() - fromMs) / 1000;
  const series = growth.series - before.series;
  const expected = (options.members - first) * options.seriesPerMember;
  if (series !== expected) throw new Error(`${expected} series were defined and ${series} are held`);
  return { bytesPerSeries: (settledBytes() - before.bytes) / series, definitionsPerSecond: series / seconds };
}

console.log(JSON.stringify(measure(JSON.parse(process.argv[2]!) as StateMemoryOptions)));
