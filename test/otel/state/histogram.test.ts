import test from 'ava';
import { HistogramState } from '../../../otel/state/histogram.ts';
import { fromZero } from '../../../otel/state/series-columns.ts';

function counted(state: HistogramState, slot: number): number[] {
  const first = state.firstCell.get(slot);
  return Array.from({ length: state.widths.get(slot) }, (_, i) => state.counted(first + i));
}

test('runs of cells are used again by histograms of the same width, from zero', (t) => {
  const state = new HistogramState();
  const wide = state.allocate(3);
  const narrow = state.allocate(2);
  state.series.status.set(wide, state.series.status.get(wide) | fromZero);
  t.is(state.settle(wide, Float64Array.from([1, 2, 3]), 0, 9), 0);
  const run = state.firstCell.get(wide);
  state.release(wide);
  const other = state.allocate(4);
  t.not(state.firstCell.get(other), run);
  const again = state.allocate(3);
  t.is(state.firstCell.get(again), run);
  t.deepEqual(counted(state, again), [0, 0, 0]);
  t.deepEqual(counted(state, narrow), [0, 0]);
  t.is(state.series.inUse, 3);
});

test('a baseline is set aside; a new epoch keeps what the old one counted', (t) => {
  const state = new HistogramState();
  const slot = state.allocate(2);
  t.is(state.settle(slot, Float64Array.from([0, 4, 6]), 1, 10), 10);
  t.deepEqual(counted(state, slot), [0, 0]);
  t.is(state.settle(slot, Float64Array.from([5, 9]), 0, 14), 0);
  t.deepEqual(counted(state, slot), [1, 3]);
  t.is(state.settle(slot, Float64Array.from([4, 9]), 0, 14), undefined);
  t.deepEqual(counted(state, slot), [1, 3]);
  state.beginEpoch(slot);
  state.series.status.set(slot, fromZero);
  t.is(state.settle(slot, Float64Array.from([2, 2]), 0, 3), 0);
  t.deepEqual(counted(state, slot), [3, 5]);
  t.is(state.sums.get(slot) + state.sumOffsets.get(slot), 7);
});

test('min and max span what was measured; NaN is nothing measured', (t) => {
  const state = new HistogramState();
  const slot = state.allocate(1);
  const range = () => [state.mins.get(slot), state.maxes.get(slot)];
  for (const [value, expected] of [
    [NaN, [NaN, NaN]],
    [3, [3, 3]],
    [NaN, [3, 3]],
    [-1, [-1, 3]],
    [7, [-1, 7]],
    [-Infinity, [-Infinity, 7]],
  ] as const) {
    state.takeMin(slot, value);
    state.takeMax(slot, value);
    t.deepEqual(range(), [...expected]);
  }
  state.beginEpoch(slot);
  t.deepEqual(range(), [NaN, NaN]);
});
