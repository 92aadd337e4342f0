import test from 'ava';
import { counting } from '../../../otel/state/series-columns.ts';
import { SummaryState } from '../../../otel/state/summary.ts';

function held(state: SummaryState, slot: number): [count: number, sum: number, ...values: number[]] {
  const first = state.firstCell.get(slot);
  const values = Array.from({ length: state.widths.get(slot) }, (_, i) => state.values.get(first + i));
  return [state.counts.get(slot), state.sums.get(slot), ...values];
}

const values = Float64Array.of(-1, 0.5, 7, NaN);

test('a state is taken whole, and one that falls or is not finite is not taken at all', (t) => {
  const state = new SummaryState();
  const slot = state.allocate(2);
  t.is(state.settle(slot, 4, 10, values, 1), 0);
  t.true((state.series.status.get(slot) & counting) !== 0);
  for (const [count, sum] of [
    [3, 11],
    [NaN, 11],
    [Infinity, 11],
    [5, NaN],
    [5, -Infinity],
  ]) {
    t.false(state.merge(slot, count, sum, values, 0));
    t.is(state.settle(slot, count, sum, values, 0), undefined);
    t.deepEqual(held(state, slot), [4, 10, 0.5, 7]);
  }
  t.true(state.merge(slot, 4, -10, values, 2));
  t.deepEqual(held(state, slot), [4, -10, 7, NaN]);
  t.false(state.merge(state.allocate(0), -1, 0, values, 0));
});

test('a new epoch starts at nothing; another slot goes on from where this one was', (t) => {
  const state = new SummaryState();
  const slot = state.allocate(2);
  state.settle(slot, 4, 10, values, 1);
  const moved = state.allocate(2);
  state.moveTo(slot, moved);
  t.deepEqual(held(state, moved), [4, 10, 0.5, 7]);
  t.false(state.merge(moved, 3, 10, values, 0));
  state.beginEpoch(slot);
  t.true(state.merge(slot, 1, 2, values, 0));
  t.deepEqual(held(state, slot), [1, 2, -1, 0.5]);
  t.deepEqual(held(state, moved), [4, 10, 0.5, 7]);
});

test('runs of cells are used again by summaries with as many quantiles, from zero', (t) => {
  const state = new SummaryState();
  const first = state.allocate(2);
  const none = state.allocate(0);
  state.settle(first, 4, 10, values, 1);
  const run = state.firstCell.get(first);
  state.release(first);
  const wide = state.allocate(3);
  t.not(state.firstCell.get(wide), run);
  const again = state.allocate(2);
  t.is(state.firstCell.get(again), run);
  t.deepEqual(held(state, again), [0, 0, 0, 0]);
  t.is(state.settle(none, 1, 2, values, 0), 0);
  t.deepEqual(held(state, none), [1, 2]);
  t.is(state.series.inUse, 3);
});
