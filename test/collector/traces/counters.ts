import type { ExecutionContext } from 'ava';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { bucketIndex } from '../../../otel/state/exponential-mapping.ts';
import type { PointBatch } from '../../../otel/state/point-batch.ts';
import type { GroupState } from '../../../proto/report/write-report.ts';

/**
 * A kind of counter, as a trace sees it: something that has counted `n`. A sum says `n`. Histograms count `n` measurements of 1.5 and
 * twice as many of 100, whose sum is told as `n / 4`, so that a count in the wrong bucket, a lost sum or a bucket that falls is found.
 */
export interface Counter {
  readonly name: string;
  readonly metric: MetricDescription;
  /** One sampling group whose series, in the order of their numbers, have counted so much, each in its life of this number. */
  state(
    counted: readonly { readonly n: number; readonly life: number }[],
  ): Omit<GroupState, 'group' | 'timeUs'>;
  /** How much a point says was counted. Fails when its parts do not say the same. */
  amount(t: ExecutionContext, batch: PointBatch, i: number): number;
}

const low = 1.5;
const high = 100;

const sum: Counter = {
  name: 'sum',
  metric: metric({ name: 'counted', kind: 'sum', isMonotonic: true }),
  state: (counted) => ({ sums: Float64Array.from(counted, ({ n }) => n) }),
  amount: (_t, batch, i) => batch.values[i],
};

const explicit: Counter = {
  name: 'explicit histogram',
  metric: metric({ name: 'counted', kind: 'histogram', explicitBounds: [1, 2], hasSum: true }),
  state: (counted) => ({
    histogramBucketCounts: Float64Array.from(counted.flatMap(({ n }) => [0, n, 2 * n])),
    histogramSums: Float64Array.from(counted, ({ n }) => n / 4),
  }),
  amount(t, batch, i) {
    t.is(batch.bucketCount, 3);
    const [below, n, above] = batch.bucketCounts.subarray(3 * i, 3 * i + 3);
    t.deepEqual([below, above, batch.sums[i]], [0, 2 * n, n / 4], 'the parts of one histogram agree');
    return n;
  },
};

/** Each life of a counter has another scale: a restart makes it coarser, the next one finer. */
const scales = [4, 1, 6];

const exponential: Counter = {
  name: 'exponential histogram',
  metric: metric({ name: 'counted', kind: 'exponential_histogram', hasSum: true }),
  state(counted) {
    const all = counted.map(({ n, life }) => {
      const scale = scales[life % scales.length];
      const [first, last] = [low, high].map((value) => bucketIndex(value, scale));
      const counts = Array<number>(last - first + 1).fill(0);
      counts[0] += n;
      counts[last - first] += 2 * n;
      return { n, scale, first, counts };
    });
    return {
      exponentialScales: Float64Array.from(all, ({ scale }) => scale),
      exponentialPositiveLayout: Float64Array.from(
        all.flatMap(({ first, counts }) => [first, counts.length]),
      ),
      exponentialPositiveCounts: Float64Array.from(all.flatMap(({ counts }) => counts)),
      exponentialSums: Float64Array.from(all, ({ n }) => n / 4),
    };
  },
  amount(t, { exponential: e, sums }, i) {
    const [offset, start, length] = [e.positiveOffsets[i], e.positiveStarts[i], e.positiveLengths[i]];
    const found = [...e.counts.subarray(start, start + length)]
      .map((count, b) => [offset + b, count])
      .filter(([, count]) => count !== 0);
    const n = found[0]?.[1] ?? 0;
    const [at, above] = [low, high].map((value) => bucketIndex(value, e.scales[i]));
    t.deepEqual(
      found,
      n === 0
        ? []
        : [
            [at, n],
            [above, 2 * n],
          ],
      'each measurement is in its bucket',
    );
    t.deepEqual([e.zeroCounts[i], e.negativeLengths[i], sums[i]], [0, 0, n / 4]);
    return n;
  },
};

export const counters: readonly Counter[] = [sum, explicit, exponential];
