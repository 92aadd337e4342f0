import test from 'ava';
import { birthUs, IntakeRig, second, summary } from './intake-rig.ts';

test('summaries are handed on: count and sum go on or begin anew, quantiles are the newest', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(summary);
  const take = (start: number, time: number, count: number, sum: number, values: readonly number[]) =>
    rig.intake.summary(
      handle,
      start * second,
      time * second,
      count,
      sum,
      Float64Array.of(99, ...values),
      1,
      values.length,
      birthUs + 60 * second,
    );
  const held = () => {
    const { summaries } = rig.store;
    const first = summaries.firstCell.get(rig.slot);
    return [
      summaries.counts.get(rig.slot),
      summaries.sums.get(rig.slot),
      summaries.values.get(first),
      summaries.values.get(first + 1),
    ];
  };
  t.is(take(0, 110, 5, 50, [9, 11]), 'merged', 'nothing is set aside');
  t.is(take(0, 120, 5, 50, [Number.NaN, 12]), 'merged');
  t.deepEqual(held(), [5, 50, Number.NaN, 12]);
  t.is(take(0, 115, 4, 40, [1, 2]), 'late');
  t.is(take(0, 120, 5, 50, [Number.NaN, 12]), 'duplicate');
  t.is(take(0, 130, 2, 20, [3, 4]), 'merged');
  t.deepEqual(held(), [2, 20, 3, 4]);
  t.is(rig.store.summaries.series.startTimeUs.get(rig.slot), 120 * second);
  t.is(take(140, 150, 3, 30, [5, 6]), 'merged');
  t.is(take(100, 160, 9, 90, [5, 6]), 'epoch_old');
  t.is(take(140, 160, 4, 40, [5]), 'shape');
  t.is(take(140, 160, -1, 40, [5, 6]), 'negative');
  t.is(take(140, 160, Number.NaN, 40, [5, 6]), 'not_finite');
  t.is(take(140, 160, 4, Infinity, [5, 6]), 'not_finite');
  t.is(take(140, 130, 4, 40, [5, 6]), 'time');
  t.deepEqual(held(), [3, 30, 5, 6]);
});
