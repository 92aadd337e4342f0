import test from 'ava';
import { attributes } from '../../otel/model/attributes.ts';
import { metric } from '../../otel/model/metric.ts';
import { emptyResource } from '../../otel/model/resource.ts';
import { emptyScope } from '../../otel/model/scope.ts';
import { chunkBits, chunkMask } from '../../otel/state/columns.ts';
import { PointIntake } from '../../otel/state/intake/point-intake.ts';
import { MetricStore } from '../../otel/state/metric-store.ts';
import { exponentialValue } from '../otel/state/exponential-value.ts';
import type { OtlpExponentialHistogramDataPoint } from '../sinks/export-request.ts';
import { otelcolWithSink } from './otelcol/otelcol-with-sink.ts';

const second = 1_000_000;
const beganUs = 1_790_000_000_000_000;

/** A delta over seconds since the beginning. */
interface Delta {
  readonly start: number;
  readonly end: number;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: { readonly offset: number; readonly counts: readonly number[] };
  readonly negative: { readonly offset: number; readonly counts: readonly number[] };
  readonly sum: number;
}

interface Plain {
  readonly scale: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: ReadonlyMap<number, number>;
  readonly negative: ReadonlyMap<number, number>;
}

function nonZero(offset: number, counts: readonly number[]): Map<number, number> {
  return new Map(counts.flatMap((n, i) => (n > 0 ? [[offset + i, n] as const] : [])));
}

/** As OTLP/JSON: there, 64-bit integers are decimal strings. */
function requestOf({ start, end, scale, zeroCount, positive, negative, sum }: Delta): string {
  const nanos = (seconds: number) => `${beganUs + seconds * second}000`;
  const side = ({ offset, counts }: Delta['positive']) => ({ offset, bucketCounts: counts.map(String) });
  const count = zeroCount + [...positive.counts, ...negative.counts].reduce((total, n) => total + n, 0);
  const point = {
    startTimeUnixNano: nanos(start),
    timeUnixNano: nanos(end),
    count: String(count),
    sum,
    scale,
    zeroCount: String(zeroCount),
    positive: side(positive),
    negative: side(negative),
  };
  const exponentialHistogram = { aggregationTemporality: 1, dataPoints: [point] };
  const metrics = [{ name: 'took', exponentialHistogram }];
  return JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ scope: {}, metrics }] }] });
}

function theirs({ scale, zeroCount, sum = 0, positive, negative }: OtlpExponentialHistogramDataPoint): Plain {
  const side = (buckets: OtlpExponentialHistogramDataPoint['positive']) =>
    nonZero(buckets?.offset ?? 0, buckets?.bucketCounts.map(Number) ?? []);
  return { scale, zeroCount: Number(zeroCount), sum, positive: side(positive), negative: side(negative) };
}

/** One series that deltas enter through the point intake. */
class Ours {
  #slot = 0;
  readonly #store = new MetricStore(beganUs, (_state, slot) => {
    this.#slot = slot;
  });
  readonly #intake = new PointIntake(this.#store);
  readonly #handle: number;

  constructor() {
    const member = this.#store.join('member', emptyResource, beganUs);
    const took = metric({ name: 'took', kind: 'exponential_histogram', hasSum: true });
    const input = { scope: emptyScope, metric: took, attributes: attributes({}), resource: undefined };
    this.#handle = this.#intake.define(member, input, beganUs) as number;
  }

  take({ start, end, scale, zeroCount, positive, negative, sum }: Delta): string {
    return this.#intake.exponentialHistogram(
      this.#handle,
      'delta',
      beganUs + start * second,
      beganUs + end * second,
      exponentialValue({
        scale,
        zeroCount,
        positive: [positive.offset, positive.counts],
        negative: [negative.offset, negative.counts],
        sum,
      }),
      Number.NaN,
      Number.NaN,
      beganUs,
    );
  }

  get plain(): Plain {
    const { values } = this.#store.exponentialHistograms;
    const slot = this.#slot;
    const side = ({ firstCells, lengths, offsets }: typeof values.positive) => {
      const cells = Array.from({ length: lengths.get(slot) }, (_, i) => firstCells.get(slot) + i);
      return nonZero(
        offsets.get(slot),
        cells.map((cell) => values.cells.chunks[cell >>> chunkBits]![cell & chunkMask]!),
      );
    };
    return {
      scale: values.scales.get(slot),
      zeroCount: values.zeroCounts.get(slot),
      sum: values.sums.get(slot),
      positive: side(values.positive),
      negative: side(values.negative),
    };
  }
}

const nothing = { offset: 0, counts: [] };

test('deltas of exponential histograms come to what deltatocumulative makes of them, over scales and sides', async (t) => {
  const { otelcol, sink } = await otelcolWithSink(t, { deltatocumulative: {} });
  const ours = new Ours();
  const deltas: readonly Delta[] = [
    {
      start: 0,
      end: 10,
      scale: 3,
      zeroCount: 1,
      positive: { offset: 5, counts: [1, 0, 2] },
      negative: nothing,
      sum: 9,
    },
    // The same scale, further to both sides.
    {
      start: 10,
      end: 20,
      scale: 3,
      zeroCount: 0,
      positive: { offset: -4, counts: [1, 1] },
      negative: nothing,
      sum: 2,
    },
    {
      start: 20,
      end: 30,
      scale: 3,
      zeroCount: 2,
      positive: { offset: 20, counts: [7] },
      negative: { offset: 2, counts: [4, 4] },
      sum: -1.5,
    },
    // Coarser, and then finer than what is held.
    {
      start: 30,
      end: 40,
      scale: 1,
      zeroCount: 0,
      positive: { offset: -3, counts: [1, 2, 3, 4] },
      negative: nothing,
      sum: 8,
    },
    {
      start: 45,
      end: 50,
      scale: 4,
      zeroCount: 0,
      positive: { offset: 11, counts: [5, 0, 0, 6] },
      negative: { offset: -7, counts: [1] },
      sum: 30.25,
    },
  ];
  for (const delta of deltas) {
    for (const again of [false, true]) {
      const before = sink.requests.length;
      const answer = await fetch(`http://127.0.0.1:${otelcol.httpPort}/v1/metrics`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: requestOf(delta),
        signal: AbortSignal.timeout(20_000),
      });
      t.is(answer.status, 200, await answer.text());
      t.is(ours.take(delta), again ? 'duplicate' : 'merged');
      const points = sink.requests
        .slice(before)
        .flatMap(({ resourceMetrics }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ exponentialHistogram }) => exponentialHistogram?.dataPoints ?? []);
      t.is(points.length, again ? 0 : 1);
      for (const point of points) t.deepEqual(ours.plain, theirs(point));
    }
  }
});
