import test from 'ava';
import fc from 'fast-check';
import { ExponentialCells } from '../../../otel/state/exponential-cells.ts';
import { maxHeldBuckets } from '../../../otel/state/exponential-comparison.ts';
import { ExponentialCounts } from '../../../otel/state/exponential-counts.ts';
import { ExponentialHistogramState } from '../../../otel/state/exponential-histogram.ts';
import { fromZero, isMonotonic } from '../../../otel/state/series-columns.ts';
import { histograms, modelOf, modelOfRow, thresholds, valueOfModel } from './exponential-arbitraries.ts';
import {
  hasBuckets,
  isNothing,
  type ModelHistogram,
  modelCount,
  modelDownscaled,
  modelHistogram,
  modelRaised,
  modelSum,
  modelTogether,
  plain,
} from './exponential-model.ts';
import { exponentialValue } from './exponential-value.ts';

function buckets(scale: number, positive: Record<number, number>, of: Partial<ModelHistogram> = {}) {
  const cells = new Map(Object.entries(positive).map(([index, count]) => [Number(index), count] as const));
  return modelHistogram({ scale, positive: cells, ...of });
}

function counted(state: ExponentialHistogramState, slot: number): ModelHistogram {
  const counts = new ExponentialCounts();
  counts.begin(20, 0, 10_000);
  state.addCounted(slot, counts);
  counts.trim();
  return modelOf(counts);
}

function open(state: ExponentialHistogramState, isFromZero: boolean): number {
  const slot = state.allocate();
  if (isFromZero) state.series.status.set(slot, state.series.status.get(slot) | fromZero);
  return slot;
}

/** Whether all that one counts is in the other, once both are comparable. */
function isWithin(a: ModelHistogram, b: ModelHistogram): boolean {
  const [one, other] = modelTogether(isNothing(a) ? { ...a, zeroThreshold: 0 } : a, b);
  const sides = [
    [one.positive, other.positive],
    [one.negative, other.negative],
  ] as const;
  return (
    one.zeroCount <= other.zeroCount &&
    sides.every(([of, within]) => [...of].every(([index, count]) => count <= (within.get(index) ?? 0)))
  );
}

test('a baseline is set aside; a new epoch keeps what the old one counted', (t) => {
  const state = new ExponentialHistogramState();
  const slot = open(state, false);
  t.is(state.settle(slot, valueOfModel(buckets(2, { 3: 4, 4: 6 }, { zeroCount: 2, sum: 10 }))), 12);
  t.is(modelCount(counted(state, slot)), 0);
  t.true(state.merge(slot, valueOfModel(buckets(1, { 1: 5, 2: 6 }, { zeroCount: 2, sum: 14 }))));
  t.deepEqual(plain(counted(state, slot)), plain(buckets(1, { 1: 1 }, { sum: 4 })));
  t.false(state.merge(slot, valueOfModel(buckets(1, { 1: 4, 2: 9 }, { zeroCount: 2 }))));
  t.deepEqual([state.fault, state.faultyValue, state.heldValue], ['fell', 4, 5]);
  t.deepEqual(
    plain(modelOfRow(state.values, slot)),
    plain(buckets(1, { 1: 5, 2: 6 }, { zeroCount: 2, sum: 14 })),
  );
  state.beginEpoch(slot);
  state.series.status.set(slot, isMonotonic | fromZero);
  t.is(state.settle(slot, valueOfModel(buckets(20, { 0: 3 }, { sum: 3 }))), 0);
  t.deepEqual(plain(counted(state, slot)), plain(buckets(1, { 0: 3, 1: 1 }, { sum: 7 })));
  t.deepEqual(plain(modelOfRow(state.values, slot)), plain(buckets(20, { 0: 3 }, { sum: 3 })));
});

test('what cannot be taken is not taken, and says why', (t) => {
  const state = new ExponentialHistogramState();
  const slot = open(state, true);
  const good = buckets(3, { 0: 1, 2: 5 }, { negative: new Map([[4, 2]]), zeroCount: 3, sum: 2 });
  t.is(state.settle(slot, valueOfModel(good)), 0);
  for (const [bad, fault, found] of [
    [{ sum: NaN }, 'not_finite', NaN],
    [{ sum: -Infinity }, 'not_finite', -Infinity],
    [{ zeroCount: Infinity }, 'not_finite', Infinity],
    [{ zeroCount: -1 }, 'negative', -1],
    [{ zeroThreshold: -0.5 }, 'negative', -0.5],
    [{ zeroThreshold: Infinity }, 'not_finite', Infinity],
    [{ scale: 21 }, 'out_of_range', 21],
    [{ scale: -11 }, 'out_of_range', -11],
    [{ scale: 0.5 }, 'out_of_range', 0.5],
    [{ positive: new Map([[1e7, 5]]) }, 'out_of_range', 1e7],
    [{ negative: new Map([[-1e7, 5]]) }, 'out_of_range', -1e7],
    [{ negative: new Map([[4, NaN]]) }, 'not_finite', NaN],
    [{ positive: new Map([[2, -5]]) }, 'negative', -5],
    [{ positive: new Map([[1, Number.MAX_VALUE]]) }, 'out_of_range', Number.MAX_VALUE],
    [{ positive: new Map([[1, 2.5]]) }, 'out_of_range', 2.5],
    [
      {
        positive: new Map([
          [1, 2 ** 52],
          [2, 2 ** 52],
        ]),
        zeroCount: 3,
        negative: new Map([[4, 5]]),
      },
      'out_of_range',
      2 ** 53 + 8,
    ],
    [{ zeroCount: 2 }, 'fell', 2],
    [{ negative: new Map() }, 'fell', 0],
  ] as const) {
    // Far buckets as they are, since the run between them and 0 would be long.
    const of = { ...good, ...bad };
    const far = (side: ReadonlyMap<number, number>) => Math.abs([...side.keys()][0] ?? 0) >= 1e7;
    const value =
      far(of.positive) || far(of.negative)
        ? exponentialValue({
            scale: 3,
            zeroCount: 3,
            positive: far(of.positive) ? [1e7, [5]] : [0, [5]],
            negative: far(of.negative) ? [-1e7, [5]] : [0, [5]],
          })
        : valueOfModel(of);
    t.false(state.merge(slot, value));
    t.deepEqual([state.fault, state.faultyValue], [fault, found]);
    t.is(state.settle(slot, value), undefined);
    t.deepEqual(plain(modelOfRow(state.values, slot)), plain(good));
  }
  t.true(state.merge(slot, valueOfModel(good)));
});

test('newer counts are taken when they hold all that is held, however the buckets are cut', (t) => {
  fc.assert(
    fc.property(
      histograms(),
      histograms(),
      fc.nat(4),
      thresholds,
      fc.boolean(),
      (first, other, by, threshold, isMore) => {
        const state = new ExponentialHistogramState();
        const slot = open(state, true);
        state.settle(slot, valueOfModel(first));
        const coarser = isNothing(first)
          ? first
          : modelRaised(modelDownscaled(first, first.scale - by), threshold);
        const next = isMore ? modelSum(coarser, other) : other;
        const isTaken = isWithin(first, next);
        if (isMore) t.true(isTaken);
        state.report.read(valueOfModel(next));
        const order = state.orderReport(slot);
        t.is(order, isTaken ? Math.sign(modelCount(next) - modelCount(first)) : -1);
        t.is(state.merge(slot, valueOfModel(next)), isTaken);
        const held = modelOfRow(state.values, slot);
        if (!isTaken) t.deepEqual(plain(held), plain(first));
        else {
          t.is(modelCount(held), modelCount(next));
          t.is(held.sum, next.sum);
          // No finer than either, and the same again is the same.
          if (hasBuckets(held) && hasBuckets(first)) t.is(held.scale, Math.min(first.scale, next.scale));
          if (!isNothing(first))
            t.true(held.zeroThreshold >= Math.max(first.zeroThreshold, next.zeroThreshold));
          t.true(state.merge(slot, valueOfModel(next)));
          t.deepEqual(plain(modelOfRow(state.values, slot)), plain(held));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('over epochs, with baselines, nothing is counted twice or lost', (t) => {
  const step = fc.record({
    what: fc.constantFrom('more', 'more', 'again', 'epoch', 'move', 'delta'),
    more: histograms(),
    isFromZero: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const state = new ExponentialHistogramState();
      let slot = open(state, true);
      let said = modelHistogram();
      t.is(state.settle(slot, valueOfModel(said)), 0);
      let total = 0;
      let sum = 0;
      let before = counted(state, slot);
      for (const { what, more, isFromZero } of steps) {
        if (what === 'epoch') {
          state.beginEpoch(slot);
          state.series.status.set(slot, isFromZero ? isMonotonic | fromZero : isMonotonic);
          said = more;
          const baseline = state.settle(slot, valueOfModel(said));
          t.is(baseline, isFromZero ? 0 : modelCount(said));
          if (isFromZero) {
            total += modelCount(said);
            sum += said.sum;
          }
        } else if (what === 'move') {
          const moved = state.allocate();
          state.moveTo(slot, moved);
          state.series.status.set(moved, state.series.status.get(slot));
          state.release(slot);
          slot = moved;
          total = 0;
          sum = 0;
          before = modelHistogram();
        } else if (what === 'delta') {
          state.report.read(valueOfModel(more));
          t.true(state.addReport(slot));
          said = modelSum(said, more);
          total += modelCount(more);
          sum += more.sum;
        } else {
          const next = what === 'more' ? modelSum(said, more) : said;
          t.not(state.settle(slot, valueOfModel(next)), undefined);
          total += modelCount(next) - modelCount(said);
          sum += next.sum - said.sum;
          said = next;
        }
        const now = counted(state, slot);
        t.is(modelCount(now), total);
        t.is(now.sum, sum);
        for (const side of [now.positive, now.negative])
          t.true([...side.values()].every((count) => count >= 0));
        t.true(now.zeroCount >= 0);
        // What was counted before is in it.
        t.true(isWithin(before, now));
        before = now;
      }
    }),
    { numRuns: 500 },
  );
});

test('more buckets than are held are held at a coarser scale', (t) => {
  const state = new ExponentialHistogramState();
  const slot = open(state, true);
  const value = exponentialValue({
    scale: 10,
    positive: [-2000, Float64Array.from({ length: 5000 }, (_, i) => i)],
    sum: 1,
  });
  t.is(state.settle(slot, value), 0);
  const held = modelOfRow(state.values, slot);
  t.is(held.scale, 7);
  t.true(held.positive.size <= maxHeldBuckets);
  t.is(modelCount(held), (5000 * 4999) / 2);
  t.true(state.merge(slot, value));
  value.positive.counts[4321]!--;
  t.false(state.merge(slot, value));
});

test('min and max span what was measured; NaN is nothing measured', (t) => {
  const state = new ExponentialHistogramState();
  const slot = state.allocate();
  for (const value of [NaN, 3, NaN, -1, 7]) {
    state.takeMin(slot, value);
    state.takeMax(slot, value);
  }
  t.deepEqual([state.mins.get(slot), state.maxes.get(slot)], [-1, 7]);
  state.beginEpoch(slot);
  t.deepEqual([state.mins.get(slot), state.maxes.get(slot)], [NaN, NaN]);
});

test('a slot that is freed is used again from nothing, and its cells too', (t) => {
  const state = new ExponentialHistogramState();
  const wide = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i - 150, i + 1]));
  for (let round = 0; round < 50; round++) {
    const slots = Array.from({ length: 20 }, () => open(state, round % 2 === 0));
    for (const slot of slots) {
      t.true(isNothing(modelOfRow(state.values, slot)));
      t.true(isNothing(counted(state, slot)));
      state.settle(slot, valueOfModel(buckets(5, wide)));
      state.beginEpoch(slot);
    }
    for (const slot of slots) state.release(slot);
  }
  t.is(state.series.inUse, 0);
  // 20 at once, of 512 cells each.
  t.true(state.values.cells.length <= 20 * 512);
  t.true(state.offsets.cells.length <= 20 * 512 + 4096);
});

test('runs of cells never overlap nor cross a chunk', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 4096 }), fc.boolean()), { maxLength: 60 }),
      (wants) => {
        const cells = new ExponentialCells();
        const used: { run: number; length: number; wanted: number }[] = [];
        for (const [wanted, gives] of wants) {
          if (gives && used.length > 0) {
            const { run, wanted: before } = used.shift()!;
            cells.release(run, before);
          }
          const length = 2 ** Math.ceil(Math.log2(wanted));
          const run = cells.allocate(wanted);
          t.is(run >>> 12, (run + length - 1) >>> 12);
          t.true(run + length <= cells.length);
          for (const other of used) t.true(run >= other.run + other.length || other.run >= run + length);
          used.push({ run, length, wanted });
        }
      },
    ),
    { numRuns: 100 },
  );
});
