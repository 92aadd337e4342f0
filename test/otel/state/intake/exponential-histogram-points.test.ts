import test from 'ava';
import { metric, type Temporality } from '../../../../otel/model/metric.ts';
import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';
import { exponentialValue } from '../exponential-value.ts';
import { birthUs, IntakeRig, second } from './intake-rig.ts';

const exponential = metric({ name: 'took', kind: 'exponential_histogram', hasSum: true });
const arrivalUs = birthUs + 60 * second;

interface Value {
  readonly scale?: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positive?: readonly number[];
  readonly offset?: number;
  readonly negative?: readonly number[];
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

function setUp() {
  const rig = new IntakeRig();
  const handle = rig.define(exponential);
  const take = (temporality: Temporality, start: number, time: number, value: Value): PointOutcome => {
    const { scale = 0, zeroThreshold = 0, zeroCount = 0, positive = [], negative = [], offset = 0 } = value;
    const { sum = 0, min = Number.NaN, max = Number.NaN } = value;
    // Somewhere in larger columns, as a decoder has them.
    return rig.intake.exponentialHistogram(
      handle,
      temporality,
      start * second,
      time * second,
      {
        scale,
        zeroThreshold,
        zeroCount,
        sum,
        positive: { offset, counts: Float64Array.of(99, ...positive, 99), start: 1, length: positive.length },
        negative: {
          offset: 0,
          counts: Float64Array.of(99, 99, ...negative),
          start: 2,
          length: negative.length,
        },
      },
      min,
      max,
      arrivalUs,
    );
  };
  const { exponentialHistograms: state } = rig.store;
  const held = () => ({
    scale: state.values.scales.get(rig.slot),
    zeroCount: state.values.zeroCounts.get(rig.slot),
    count: state.values.count(rig.slot),
    // What earlier epochs counted less the baseline of this one.
    before: state.offsets.count(rig.slot),
    sum: state.values.sums.get(rig.slot),
    range: [state.mins.get(rig.slot), state.maxes.get(rig.slot)],
  });
  return { rig, take, held, handle };
}

test('cumulative ones go on, are late, reset and contradict themselves as others do', (t) => {
  const { take, held } = setUp();
  t.is(take('cumulative', 100, 110, { positive: [1, 2], zeroCount: 1, sum: 9, min: 0, max: 3 }), 'merged');
  t.like(held(), { count: 4, before: 0, sum: 9, range: [0, 3] });
  t.is(take('cumulative', 100, 130, { positive: [2, 2], zeroCount: 1, sum: 11 }), 'merged');
  t.is(take('cumulative', 100, 120, { positive: [1, 2], zeroCount: 1, sum: 9 }), 'late');
  t.is(take('cumulative', 100, 130, { positive: [2, 2], zeroCount: 1, sum: 11 }), 'duplicate');
  t.is(take('cumulative', 100, 120, { positive: [3, 2], zeroCount: 1, sum: 13 }), 'merged_late');
  t.is(take('cumulative', 100, 105, { positive: [4, 2], zeroCount: 1, sum: 15 }), 'epoch_old');
  t.like(held(), { count: 6, before: 0 });
  // Another epoch.
  t.is(take('cumulative', 135, 140, { positive: [1], offset: 5, sum: 40 }), 'merged');
  t.like(held(), { count: 1, before: 6 });
  t.is(take('cumulative', 100, 150, { positive: [9, 9], zeroCount: 1 }), 'epoch_old');
  // One bucket is not there any more.
  t.is(take('cumulative', 135, 150, { positive: [7], offset: 6, sum: 90 }), 'fell');
  t.like(held(), { count: 7, before: 0 }, 'six and one were counted, and seven are set aside');
  t.is(take('cumulative', 0, 160, { positive: [2], offset: 6, sum: 20 }), 'merged', 'a reset');
  t.like(held(), { count: 2, before: 7 });
});

test('a coarser scale goes on: counts are compared at the coarser one', (t) => {
  const { take, held } = setUp();
  t.is(take('cumulative', 100, 110, { scale: 1, positive: [1, 2, 3, 4], sum: 20 }), 'merged');
  t.is(take('cumulative', 100, 120, { scale: 0, positive: [3, 8], sum: 21 }), 'merged');
  t.like(held(), { scale: 0, count: 11, before: 0 });
  t.is(take('cumulative', 100, 130, { scale: -1, positive: [10], sum: 21 }), 'fell');
});

test('without a known start it is a baseline', (t) => {
  const { rig, take, held } = setUp();
  t.is(take('cumulative', 0, 110, { positive: [1, 2], negative: [4], zeroCount: 1 }), 'baseline');
  t.is(rig.intake.setAside, 8);
  t.like(held(), { count: 8, before: -8 });
});

test('deltas add up at the coarser scale, and duplicates and overlaps do not', (t) => {
  const { take, held } = setUp();
  t.is(take('delta', 100, 110, { scale: 2, positive: [1, 1, 1, 1], sum: 6, min: 1, max: 2 }), 'merged');
  t.is(
    take('delta', 110, 120, { scale: 0, positive: [1, 5], negative: [2], sum: 8, min: -2, max: 4 }),
    'merged',
  );
  t.like(held(), { scale: 0, count: 12, before: 0, sum: 14, range: [-2, 4] });
  t.is(take('delta', 100, 110, { scale: 2, positive: [1, 1, 1, 1], sum: 6 }), 'duplicate');
  t.is(take('delta', 100, 110, { scale: 2, positive: [1, 1, 1, 2], sum: 6 }), 'overlap');
  t.is(take('delta', 105, 115, { positive: [1] }), 'overlap');
  t.is(take('delta', 90, 100, { zeroCount: 3 }), 'merged_late');
  t.like(held(), { zeroCount: 3, count: 15, sum: 14 });
});

test('what cannot be is refused whole', (t) => {
  const { rig, take, held, handle } = setUp();
  for (const temporality of ['cumulative', 'delta'] as const) {
    t.is(take(temporality, 100, 110, { positive: [1, -1] }), 'negative');
    t.is(take(temporality, 100, 110, { negative: [1, Number.NaN] }), 'not_finite');
    t.is(take(temporality, 100, 110, { zeroCount: -1 }), 'negative');
    t.is(take(temporality, 100, 110, { positive: [1], sum: Infinity }), 'not_finite');
    t.is(take(temporality, 100, 110, { positive: [1], scale: 99 }), 'shape');
    t.is(take(temporality, 100, 110, { positive: [1], offset: 2 ** 30 }), 'shape');
    t.is(take(temporality, 110, 100, { positive: [1] }), 'time');
  }
  const good = exponentialValue({ positive: [0, [1]] });
  const beyond = { ...good, positive: { ...good.positive, length: 2 } };
  const args = [beyond, Number.NaN, Number.NaN, arrivalUs] as const;
  t.is(rig.intake.exponentialHistogram(handle, 'delta', 1, 2, ...args), 'shape', 'beyond the column');
  t.like(held(), { count: 0, before: 0 });
  t.false(rig.isPresent(exponential));
});
