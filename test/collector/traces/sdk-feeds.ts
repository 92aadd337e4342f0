import { attributes, attributesKey } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { PointIntake } from '../../../otel/state/intake/point-intake.ts';
import type { GroupState } from '../../../proto/report/write-report.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import type { ModelHistogram } from '../../otel/state/exponential-model.ts';
import { exponentialValue } from '../../otel/state/exponential-value.ts';
import type { Core } from '../core.ts';
import { boundaries, type Instrument, type Told } from './sdk-fleet.ts';

const metrics: Readonly<Record<Instrument, MetricDescription>> = {
  requests: metric({ name: 'requests', kind: 'sum', isMonotonic: true }),
  open: metric({ name: 'open', kind: 'sum' }),
  load: metric({ name: 'load', kind: 'gauge' }),
  took: metric({ name: 'took', kind: 'histogram', explicitBounds: boundaries, hasSum: true }),
  size: metric({ name: 'size', kind: 'exponential_histogram', hasSum: true }),
};

/** How what a member's SDK tells gets into the collector. `life`: how often its process was started. */
export interface Feed {
  take(member: string, life: number, told: readonly Told[]): void;
}

interface Member {
  readonly life: number;
  readonly stream: FakeStream;
  /** By what tells a series: its number, its sampling group, and what was told of it last. */
  readonly series: Map<string, { readonly number: number; readonly group: number; told: Told }>;
}

/** As an agent would report it: each series in a sampling group of its own, as SDKs tell times by series. */
export class StreamFeed implements Feed {
  readonly #core: Core;
  readonly #members = new Map<string, Member>();

  constructor(core: Core) {
    this.#core = core;
  }

  take(id: string, life: number, told: readonly Told[]): void {
    let member = this.#members.get(id);
    if (member?.life !== life) {
      const stream = this.#core.stream();
      stream.hello(id, life, attributes({ host: id }));
      member = { life, stream, series: new Map() };
      this.#members.set(id, member);
    }
    const { stream, series } = member;
    const groups: GroupState[] = [];
    for (const one of told) {
      const key = one.instrument + attributesKey(one.attributes);
      let known = series.get(key);
      if (known === undefined) {
        const group = series.size;
        const of = { metric: metrics[one.instrument], attributes: one.attributes, group, isForeign: false };
        const isGauge = one.instrument === 'load';
        const number = stream.define(
          of,
          isGauge ? '' : `${id} ${life}`,
          isGauge ? undefined : 1,
          one.startUs,
        );
        known = { number, group, told: one };
        series.set(key, known);
      }
      known.told = one;
      groups.push({ group: known.group, timeUs: one.timeUs, ...columnsOf(one) });
    }
    if (groups.length > 0) stream.send(groups, stream.columns.lastReport + 1);
    if (stream.ended !== undefined) throw new Error(stream.ended.message);
  }
}

function columnsOf({ instrument, value }: Told): Partial<GroupState> {
  if (instrument === 'load') return { gauges: Float64Array.of(value as number) };
  if (typeof value === 'number') return { sums: Float64Array.of(value) };
  if (Array.isArray(value))
    return {
      histogramBucketCounts: Float64Array.from(value.slice(0, -1)),
      histogramSums: Float64Array.of(value.at(-1)),
    };
  const { scale, zeroCount, positive, sum } = value as ModelHistogram;
  const [offset, counts] = runOf(positive);
  return {
    exponentialScales: Float64Array.of(scale),
    exponentialZeroCounts: Float64Array.of(zeroCount),
    exponentialPositiveLayout: Float64Array.of(offset, counts.length),
    exponentialPositiveCounts: counts,
    exponentialSums: Float64Array.of(sum),
  };
}

/** As OTLP would bring it: points with start and time, and no epochs. */
export class PointFeed implements Feed {
  readonly #core: Core;
  readonly #intake: PointIntake;

  constructor(core: Core) {
    this.#core = core;
    // Processes of a test are started within the same second, and nothing is under way for long.
    this.#intake = new PointIntake(core.store, { delayMarginUs: 0, startToleranceUs: 0 });
  }

  take(id: string, _life: number, told: readonly Told[]): void {
    const { store, nowUs } = this.#core;
    const resource = { attributes: attributes({ host: id }), schemaUrl: '' };
    const member = store.members.get(id) ?? store.join(id, resource, nowUs);
    for (const one of told) {
      const input = { scope: emptyScope, metric: metrics[one.instrument], attributes: one.attributes };
      const handle = this.#intake.define(member, { ...input, resource: undefined }, nowUs);
      if (typeof handle === 'string') throw new Error(handle);
      const outcome = this.#point(handle, one);
      if (outcome !== 'merged') throw new Error(`${one.instrument} of ${id}: ${outcome}`);
    }
  }

  #point(handle: number, { instrument, startUs, timeUs, value }: Told): string {
    const intake = this.#intake;
    const { nowUs } = this.#core;
    if (instrument === 'load') return intake.gauge(handle, timeUs, value as number, nowUs);
    if (typeof value === 'number') return intake.sum(handle, 'cumulative', startUs, timeUs, value, nowUs);
    if (Array.isArray(value)) {
      const counts = Float64Array.from(value.slice(0, -1));
      const sum = value.at(-1);
      const { length } = counts;
      return intake.histogram(handle, 'cumulative', startUs, timeUs, counts, 0, length, sum, NaN, NaN, nowUs);
    }
    const { scale, zeroCount, positive, negative, sum } = value as ModelHistogram;
    const sides = { positive: runOf(positive), negative: runOf(negative) };
    const point = exponentialValue({ scale, zeroCount, ...sides, sum });
    return intake.exponentialHistogram(handle, 'cumulative', startUs, timeUs, point, NaN, NaN, nowUs);
  }
}

/** The index of the first bucket, and the counts from there on. */
function runOf(buckets: ReadonlyMap<number, number>): [number, Float64Array] {
  if (buckets.size === 0) return [0, new Float64Array(0)];
  const [first, last] = [Math.min(...buckets.keys()), Math.max(...buckets.keys())];
  return [first, Float64Array.from({ length: last - first + 1 }, (_, i) => buckets.get(first + i) ?? 0)];
}
