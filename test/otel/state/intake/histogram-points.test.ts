import test from 'ava';
import type { Temporality } from '../../../../otel/model/metric.ts';
import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';
import { birthUs, histogram, IntakeRig, second } from './intake-rig.ts';

const arrivalUs = birthUs + 60 * second;

function setUp() {
  const rig = new IntakeRig();
  const handle = rig.define(histogram);
  const take = (
    temporality: Temporality,
    start: number,
    time: number,
    counts: readonly number[],
    sum = 0,
    min = Number.NaN,
    max = Number.NaN,
  ): PointOutcome => {
    // Somewhere in a larger column, as a decoder has it.
    const column = Float64Array.of(99, ...counts, 99);
    const { length } = counts;
    const [startUs, timeUs] = [start * second, time * second];
    return rig.intake.histogram(
      handle,
      temporality,
      startUs,
      timeUs,
      column,
      1,
      length,
      sum,
      min,
      max,
      arrivalUs,
    );
  };
  const held = () => {
    const { histograms } = rig.store;
    const first = histograms.firstCell.get(rig.slot);
    return {
      counts: [0, 1, 2].map((i) => histograms.values.get(first + i)),
      counted: [0, 1, 2].map((i) => histograms.counted(first + i)),
      sum: histograms.sums.get(rig.slot),
      countedSum: histograms.sums.get(rig.slot) + histograms.sumOffsets.get(rig.slot),
      range: [histograms.mins.get(rig.slot), histograms.maxes.get(rig.slot)],
    };
  };
  return { rig, take, held };
}

test('a histogram is taken whole or not at all', (t) => {
  const { take, held, rig } = setUp();
  t.is(take('cumulative', 100, 110, [1, 2, 3], 60, 0.5, 20), 'merged');
  const before = held();
  t.deepEqual(before.counts, [1, 2, 3]);
  t.deepEqual(before.range, [0.5, 20]);
  t.is(take('cumulative', 100, 120, [2, 3], 70), 'shape');
  t.is(take('cumulative', 100, 120, [2, 3, 4, 5], 70), 'shape');
  for (const bad of [-1, Number.NaN, Infinity]) {
    const cause = bad < 0 ? 'negative' : 'not_finite';
    t.is(take('cumulative', 100, 120, [2, 3, bad], 70), cause);
    t.is(take('delta', 110, 120, [2, bad, 3], 70), cause);
  }
  t.is(take('cumulative', 100, 120, [2, 3, 4], Number.NaN), 'not_finite');
  t.is(take('cumulative', 100, 105, [1, 2, 2], 40, 0.1), 'late');
  t.is(take('cumulative', 100, 110, [1, 2, 3], 60), 'duplicate');
  t.deepEqual(held(), before);
  const column = new Float64Array(3);
  const handle = rig.define(histogram);
  t.is(
    rig.intake.histogram(handle, 'cumulative', 100, 110, column, 1, 3, 0, 0, 0, arrivalUs),
    'shape',
    'beyond the column',
  );
  t.is(rig.intake.histogram(handle, 'cumulative', 100, 110, column, -1, 3, 0, 0, 0, arrivalUs), 'shape');
});

test('one bucket that fell is a reset, a contradiction or late, as for sums', (t) => {
  const { take, held } = setUp();
  t.is(take('cumulative', 0, 110, [1, 2, 3], 60), 'baseline');
  t.is(take('cumulative', 0, 120, [1, 4, 3], 80), 'merged');
  t.like(held(), { counted: [0, 2, 0], countedSum: 20 });
  t.is(take('cumulative', 0, 115, [2, 2, 3], 70), 'late', 'it has not all that is held');
  t.is(take('cumulative', 0, 130, [5, 3, 9], 100, 2, 30), 'merged');
  t.like(held(), { counts: [5, 3, 9], counted: [5, 5, 9], countedSum: 120, range: [2, 30] });
  t.is(take('cumulative', 128, 140, [6, 4, 10], 110), 'merged', 'its start is told');
  t.is(take('cumulative', 128, 150, [6, 3, 11], 120), 'fell');
  t.like(held(), { counts: [6, 3, 11], counted: [6, 6, 10], countedSum: 130 });
});

test('deltas add bucket by bucket, and their range widens', (t) => {
  const { take, held } = setUp();
  t.is(take('delta', 100, 110, [1, 0, 2], 50, 0.5, 20), 'merged');
  t.is(take('delta', 110, 120, [0, 1, 0], 5, 5, 5), 'merged');
  t.is(take('delta', 110, 120, [0, 1, 0], 5, 5, 5), 'duplicate');
  t.is(take('delta', 110, 120, [1, 0, 0], 5, 5, 5), 'overlap', 'of the same time, but another one');
  t.is(take('delta', 90, 100, [1, 1, 1], -9, -10, 0.25), 'merged_late');
  t.like(held(), { counts: [2, 2, 3], counted: [2, 2, 3], sum: 46, range: [-10, 20] });
});
