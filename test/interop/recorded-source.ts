import { inspect } from 'node:util';
import type { SourceDefinition } from '../../agent/source-groups.ts';
import type { Source } from '../../agent/sources/source.ts';
import type { SamplingGroup } from '../../agent/state/sampling-group.ts';
import { AttributeMap, type Attributes, attributes } from '../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../otel/model/metric.ts';
import type { Resource } from '../../otel/model/resource.ts';
import type { InstrumentationScope } from '../../otel/model/scope.ts';
import { plain, type Row } from './rows.ts';

/** One series of the source, with what the source has set it to, by the time of the collection in nanoseconds. */
interface RecordedSeries {
  readonly metric: MetricDescription;
  readonly attributes: Attributes;
  readonly history: Map<bigint, number>;
  readonly cell: number;
  value: number;
}

type SeriesOfRow = Pick<Row, 'name' | 'attributes'>;

const scope: InstrumentationScope = {
  name: 'interop.recorded',
  version: '3.2.1',
  attributes: attributes({ 'scope.attribute': 5n }),
  schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
};

const everyType = attributes({
  text: 'Grüße, 世界',
  yes: true,
  int: -(2n ** 63n),
  double: 0.5,
  whole: 2,
  bytes: Uint8Array.of(0, 255),
  list: ['a', 2n, false],
  map: new AttributeMap(attributes({ inner: 'value' })),
});

const metrics: readonly MetricDescription[] = [
  metric({
    name: 'recorded.io',
    kind: 'sum',
    isMonotonic: true,
    valueType: 'int',
    unit: 'By',
    description: 'Counts',
  }),
  metric({ name: 'recorded.seconds', kind: 'sum', isMonotonic: true, unit: 's' }),
  metric({ name: 'recorded.open', kind: 'sum', valueType: 'int', unit: '{connection}' }),
  metric({ name: 'recorded.temperature', kind: 'gauge', unit: 'Cel', description: 'Warmth' }),
  metric({ name: 'recorded.size', kind: 'gauge', valueType: 'int' }),
];

/**
 * A source of an agent that sets every kind of series to other values at each collection and remembers what it set: the oracle
 * for whatever the values pass through.
 */
export class RecordedSource implements Source {
  readonly name = 'interop.recorded';
  /** While this is true the values stay as they are. */
  frozen = false;
  readonly startTimeUs = Date.now() * 1000 - 5_000_000;
  readonly #began = performance.now();
  readonly #series: RecordedSeries[] = [];
  #group: SamplingGroup | undefined;
  #steps = 0;

  /** What an agent takes as a source. */
  definition(intervalMs: number): SourceDefinition {
    return {
      intervalMs,
      make: (group) => {
        this.#group = group;
        for (const each of metrics) {
          this.#define(group, each, everyType);
          for (let i = 0n; i < 3n; i++) this.#define(group, each, attributes({ index: i }));
        }
        return this;
      },
    };
  }

  collect(): void {
    this.#remember();
    if (!this.frozen) this.#steps++;
    for (const [i, series] of this.#series.entries()) {
      if (!this.frozen) series.value = next(series, i, this.#steps);
      if (series.metric.isMonotonic) this.#group!.setCounter(series.cell, series.value);
      else this.#group!.set(series.cell, series.value);
    }
  }

  get seriesCount(): number {
    return this.#series.length;
  }

  /** How often the values have changed. */
  get steps(): number {
    return this.#steps;
  }

  /** The rows of this source among others. */
  rowsOf(rows: readonly Row[]): Row[] {
    return rows.filter((row) => row.scope === scope.name);
  }

  /**
   * What a row must be that was handed on as it came, if its time is that of a collection.
   *
   * @returns `undefined` when no collection had this time or no series is the row's.
   */
  expected(row: Row, resource: Resource): Row | undefined {
    this.#remember();
    const series = this.#seriesOf(row);
    const value = series?.history.get(row.time);
    if (series === undefined || value === undefined) return undefined;
    const { metric: of } = series;
    return {
      resource: plain(resource.attributes),
      resourceSchemaUrl: resource.schemaUrl,
      scope: scope.name,
      scopeVersion: scope.version,
      scopeAttributes: plain(scope.attributes),
      scopeSchemaUrl: scope.schemaUrl,
      name: of.name,
      unit: of.unit,
      description: of.description,
      kind: of.kind,
      temporality: of.kind === 'sum' ? 'cumulative' : undefined,
      monotonic: of.isMonotonic,
      attributes: plain(series.attributes),
      start: of.kind === 'sum' ? BigInt(this.startTimeUs) * 1000n : 0n,
      time: row.time,
      flags: 0,
      value: of.valueType === 'int' ? BigInt(value) : value,
    };
  }

  /** The last value of the series that a row is of. @throws Error when it is of none */
  lastValue(row: SeriesOfRow): number {
    const series = this.#seriesOf(row);
    if (series === undefined)
      throw new Error(`the source has no series ${row.name} ${inspect(row.attributes)}`);
    return series.value;
  }

  #define(group: SamplingGroup, of: MetricDescription, its: Attributes): void {
    const isSum = of.kind === 'sum';
    const cell = group.define({
      scope,
      metric: of,
      attributes: its,
      epoch: isSum ? { token: `recorded.${this.startTimeUs}`, beganMs: this.#began } : undefined,
      startTimeUs: isSum ? this.startTimeUs : 0,
    });
    this.#series.push({ metric: of, attributes: its, history: new Map(), cell, value: 0 });
  }

  #seriesOf(row: SeriesOfRow): RecordedSeries | undefined {
    const key = keyOf(row.attributes);
    return this.#series.find(
      (each) => each.metric.name === row.name && keyOf(plain(each.attributes)) === key,
    );
  }

  /** A group learns a collection's time when the collection is over, so the source looks at it afterwards. */
  #remember(): void {
    const timeUs = this.#group?.timeUs ?? 0;
    if (timeUs === 0) return;
    for (const { history, value } of this.#series) history.set(BigInt(timeUs) * 1000n, value);
  }
}

/** Counters grow by whole numbers and by tenths; the rest goes up and down. Some series rest at times. */
function next({ metric: of, value }: RecordedSeries, i: number, step: number): number {
  if ((step + i) % 3 === 0) return value;
  if (of.isMonotonic) return value + (of.valueType === 'int' ? 1 + i : 0.1 * (1 + i));
  const swing = Math.sin(step + i) * 100;
  return of.valueType === 'int' ? Math.round(swing) : swing;
}

function keyOf(its: Row['attributes']): string {
  return JSON.stringify(Object.entries(its).sort(), (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
}
