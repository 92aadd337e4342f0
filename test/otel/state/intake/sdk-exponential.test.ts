import {
  AggregationTemporality,
  AggregationType,
  DataPointType,
  type ExponentialHistogramMetricData,
  MeterProvider,
} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import fc from 'fast-check';
import { metric } from '../../../../otel/model/metric.ts';
import { chunkBits, chunkMask } from '../../../../otel/state/columns.ts';
import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';
import { exponentialValue } from '../exponential-value.ts';
import { birthUs, IntakeRig, second } from './intake-rig.ts';
import { AskedReader, nextMillisecond } from './sdk-reader.ts';

type SdkPoint = ExponentialHistogramMetricData['dataPoints'][number];

const took = metric({
  name: 'took',
  kind: 'exponential_histogram',
  hasSum: true,
  hasMin: true,
  hasMax: true,
});

/** Few enough that the SDK has to make them coarser at once. */
const maxSize = 20;

/** The SDK's points of one series in the state. */
class SdkIntake {
  readonly #rig = new IntakeRig();
  readonly #handle = this.#rig.define(took);

  take({ startTime, endTime, value }: SdkPoint, temporality: 'delta' | 'cumulative'): PointOutcome {
    const { scale, zeroCount, positive, negative, sum = 0, min = NaN, max = NaN } = value;
    const [startUs, timeUs] = [startTime, endTime].map(
      ([seconds, nanos]) => seconds * second + Math.floor(nanos / 1000),
    );
    return this.#rig.intake.exponentialHistogram(
      this.#handle,
      temporality,
      startUs,
      timeUs,
      exponentialValue({
        scale,
        zeroCount,
        positive: [positive.offset, positive.bucketCounts],
        negative: [negative.offset, negative.bucketCounts],
        sum,
      }),
      min,
      max,
      birthUs + 600 * second,
    );
  }

  get scale(): number {
    return this.#rig.store.exponentialHistograms.values.scales.get(this.#rig.slot);
  }

  /** What is held, as plain data at a scale that is not finer than the held one. */
  at(scale: number): object {
    const { values, mins, maxes } = this.#rig.store.exponentialHistograms;
    const { slot } = this.#rig;
    const buckets = new Map<number, number>();
    const { firstCells, lengths, offsets } = values.positive;
    for (let i = 0; i < lengths.get(slot); i++) {
      const cell = firstCells.get(slot) + i;
      const counted = values.cells.chunks[cell >>> chunkBits]![cell & chunkMask]!;
      count(buckets, (offsets.get(slot) + i) >> (this.scale - scale), counted);
    }
    return {
      zeroCount: values.zeroCounts.get(slot),
      sum: values.sums.get(slot),
      min: mins.get(slot),
      max: maxes.get(slot),
      buckets,
    };
  }
}

function count(buckets: Map<number, number>, index: number, n: number): void {
  if (n > 0) buckets.set(index, (buckets.get(index) ?? 0) + n);
}

function plain({ zeroCount, sum, min, max, positive }: SdkPoint['value']): object {
  const buckets = new Map<number, number>();
  for (const [i, n] of positive.bucketCounts.entries()) count(buckets, positive.offset + i, n);
  return { zeroCount, sum, min, max, buckets };
}

/** Eighths, so that sums are exact in any order; over many scales. */
const measured = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 64 }).map((n) => n / 8),
  fc.integer({ min: 0, max: 30 }).map((exponent) => 2 ** exponent * 1.5),
);

test("exponential histograms: the SDK's cumulative and delta points come to the SDK's cumulative state", async (t) => {
  let points = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(measured, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 }),
      async (rounds) => {
        const cumulative = new AskedReader(AggregationTemporality.CUMULATIVE);
        const delta = new AskedReader(AggregationTemporality.DELTA);
        const aggregation = {
          type: AggregationType.EXPONENTIAL_HISTOGRAM,
          options: { recordMinMax: true, maxSize },
        } as const;
        const views = [{ instrumentName: 'took', aggregation }];
        const provider = new MeterProvider({ readers: [cumulative, delta], views });
        const histogram = provider.getMeter('sdk').createHistogram('took');
        const fromCumulative = new SdkIntake();
        const fromDelta = new SdkIntake();
        await nextMillisecond();
        for (const round of rounds) {
          for (const value of round) histogram.record(value);
          await nextMillisecond();
          const truth = pointOf(await cumulative.take());
          const measuredSince = pointOf(await delta.take());
          t.is(fromCumulative.take(truth, 'cumulative'), 'merged');
          t.is(fromCumulative.take(truth, 'cumulative'), 'duplicate');
          t.is(fromDelta.take(measuredSince, 'delta'), 'merged');
          t.is(fromDelta.take(measuredSince, 'delta'), 'duplicate');
          const { scale } = truth.value;
          // Zeros alone have no scale.
          const isBucketed = truth.value.positive.bucketCounts.some((n) => n > 0);
          if (isBucketed) t.is(fromCumulative.scale, scale);
          t.deepEqual(fromCumulative.at(isBucketed ? scale : fromCumulative.scale), plain(truth.value));
          // It holds more buckets than the SDK was allowed to, so it is at least as fine.
          if (isBucketed) t.true(fromDelta.scale >= scale);
          t.deepEqual(fromDelta.at(isBucketed ? scale : fromDelta.scale), plain(truth.value));
          points++;
        }
        await provider.shutdown();
      },
    ),
    { numRuns: 40 },
  );
  t.true(points > 40);
});

function pointOf({ scopeMetrics }: Awaited<ReturnType<AskedReader['take']>>): SdkPoint {
  const [data] = scopeMetrics[0]!.metrics;
  if (data?.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) throw new Error('of another kind');
  return data.dataPoints[0]!;
}
