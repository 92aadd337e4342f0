import type { Counter, Histogram, UpDownCounter } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type ResourceMetrics as CollectedMetrics,
  MeterProvider,
} from '@opentelemetry/sdk-metrics';
import test from 'ava';
import fc from 'fast-check';
import type { Attributes } from '../../../../otel/model/attributes.ts';
import { attributesKey } from '../../../../otel/model/attributes.ts';
import type { MetricDescription } from '../../../../otel/model/metric.ts';
import { resourceMetricsFromSdk } from '../../../../otel/otlp/from-sdk.ts';
import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';
import { batchesOf, PointBatch } from '../../../../otel/state/point-batch.ts';
import { birthUs, IntakeRig, second } from './intake-rig.ts';
import { AskedReader, nextMillisecond } from './sdk-reader.ts';

/** One data point of the SDK with what it is of. */
interface SdkPoint {
  readonly metric: MetricDescription;
  readonly temporality: 'delta' | 'cumulative';
  readonly attributes: Attributes;
  readonly startUs: number;
  readonly timeUs: number;
  readonly value: number;
  readonly counts: Float64Array;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

function pointsOf(from: CollectedMetrics): SdkPoint[] {
  const points: SdkPoint[] = [];
  const batch = new PointBatch();
  for (const { streams } of resourceMetricsFromSdk(from).scopes)
    for (const stream of streams)
      for (const { size } of batchesOf(stream, batch))
        for (let i = 0; i < size; i++)
          points.push({
            metric: stream.metric,
            temporality: stream.temporality!,
            attributes: batch.seriesAttributes[i]!.attributes,
            startUs: Math.floor(batch.startTimeUs[i]!),
            timeUs: Math.floor(batch.timeUs[i]!),
            value: batch.values[i]!,
            counts: batch.bucketCounts.slice(i * batch.bucketCount, (i + 1) * batch.bucketCount),
            sum: batch.sums[i]!,
            min: batch.mins[i]!,
            max: batch.maxes[i]!,
          });
  return points;
}

/** The SDK's points in the state, and what that holds of each series. */
class SdkIntake {
  readonly #rig = new IntakeRig();
  readonly #slots = new Map<string, number>();

  take(point: SdkPoint): PointOutcome {
    const { metric, attributes, temporality, startUs, timeUs } = point;
    const { intake, member } = this.#rig;
    const scope = { name: 'sdk', version: '', attributes: [], schemaUrl: '' };
    const handle = intake.define(member, { scope, metric, attributes, resource: undefined }, birthUs);
    if (typeof handle !== 'number') throw new Error(handle);
    const key = keyOf(point);
    if (!this.#slots.has(key)) this.#slots.set(key, this.#rig.slot);
    const arrivalUs = birthUs + 600 * second;
    if (metric.kind === 'sum')
      return intake.sum(handle, temporality, startUs, timeUs, point.value, arrivalUs);
    const { counts, sum, min, max } = point;
    return intake.histogram(
      handle,
      temporality,
      startUs,
      timeUs,
      counts,
      0,
      counts.length,
      sum,
      min,
      max,
      arrivalUs,
    );
  }

  held(point: SdkPoint): Pick<SdkPoint, 'startUs' | 'timeUs' | 'value' | 'counts' | 'sum' | 'min' | 'max'> {
    const { store } = this.#rig;
    const state = store.stateOf(point.metric.kind);
    const slot = this.#slots.get(keyOf(point))!;
    const times = {
      startUs: state.series.startTimeUs.get(slot),
      timeUs: store.timesUs[state.series.clock.get(slot)]!,
    };
    if (state.kind !== 'histogram') return { ...point, ...times, value: store.sums.values.get(slot) };
    const first = state.firstCell.get(slot);
    return {
      ...times,
      value: point.value,
      counts: point.counts.map((_, i) => state.values.get(first + i)),
      sum: state.sums.get(slot),
      min: state.mins.get(slot),
      max: state.maxes.get(slot),
    };
  }
}

function keyOf({ metric, attributes }: SdkPoint): string {
  return `${metric.name} ${attributesKey(attributes)}`;
}

interface Measurement {
  readonly instrument: 'counter' | 'upDown' | 'histogram';
  readonly value: number;
  readonly route: number;
}

/** Multiples of 1/8, so that sums are exact in any order. */
const measurements: fc.Arbitrary<Measurement[]> = fc.array(
  fc.record({
    instrument: fc.constantFrom('counter', 'upDown', 'histogram'),
    value: fc.integer({ min: -800, max: 800 }).map((n) => n / 8),
    route: fc.integer({ min: 0, max: 2 }),
  }),
  { maxLength: 30 },
);

test("the SDK's cumulative and delta points of the same measurements come to the SDK's cumulative state", async (t) => {
  let points = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(measurements, { minLength: 1, maxLength: 6 }), async (rounds) => {
      const cumulative = new AskedReader(AggregationTemporality.CUMULATIVE);
      const delta = new AskedReader(AggregationTemporality.DELTA);
      const provider = new MeterProvider({ readers: [cumulative, delta] });
      const meter = provider.getMeter('sdk');
      const instruments: Record<string, Counter | UpDownCounter | Histogram> = {
        counter: meter.createCounter('counter', { valueType: ValueType.DOUBLE }),
        upDown: meter.createUpDownCounter('up.down', { valueType: ValueType.DOUBLE }),
        histogram: meter.createHistogram('histogram', {
          advice: { explicitBucketBoundaries: [-10, 0, 1, 50] },
        }),
      };
      const fromCumulative = new SdkIntake();
      const fromDelta = new SdkIntake();
      await nextMillisecond();
      for (const round of rounds) {
        for (const { instrument, value, route } of round) {
          const to = instruments[instrument]!;
          // Counters and histograms of the SDK take nothing below zero.
          const taken = instrument === 'upDown' ? value : Math.abs(value);
          if ('add' in to) to.add(taken, { route });
          else to.record(taken, { route });
        }
        await nextMillisecond();
        const truth = pointsOf(await cumulative.take());
        const deltas = pointsOf(await delta.take());
        for (const point of truth) t.true(['merged', 'duplicate'].includes(fromCumulative.take(point)));
        for (const point of deltas) t.is(fromDelta.take(point), 'merged');
        // Somebody tried again.
        for (const point of deltas) t.is(fromDelta.take(point), 'duplicate');
        for (const point of truth) {
          const { startUs, timeUs, value, counts, sum, min, max } = point;
          t.deepEqual(fromCumulative.held(point), {
            ...fromCumulative.held(point),
            value,
            counts,
            sum,
            min,
            max,
          });
          t.is(fromCumulative.held(point).startUs, startUs);
          t.is(fromCumulative.held(point).timeUs, timeUs);
          const { startUs: _, timeUs: __, ...held } = fromDelta.held(point);
          t.deepEqual(held, { ...held, value, counts, sum, min, max });
          points++;
        }
      }
      await provider.shutdown();
    }),
    { numRuns: 40 },
  );
  t.true(points > 100);
});
