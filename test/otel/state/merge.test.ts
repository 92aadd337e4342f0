import test from 'ava';
import fc from 'fast-check';
import { Uint32List } from '../../../otel/state/columns.ts';
import { GaugeState } from '../../../otel/state/gauge.ts';
import { HistogramState } from '../../../otel/state/histogram.ts';
import { mergeBuckets, mergeGauges, mergeSums } from '../../../otel/state/merge.ts';
import { SumState } from '../../../otel/state/sum.ts';

const value = fc.oneof(
  fc.integer({ min: -5, max: 50 }),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0),
);

/** Reports of four series, of which number 3 is refused and so is at slot 0. */
const reports = fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), { maxLength: 12 });

function changedIn(before: readonly number[], values: readonly number[]): Uint32Array {
  return Uint32Array.from(values.map((_, i) => i).filter((i) => !Object.is(values[i], before[i])));
}

test('sums: what is newer is taken, what is not finite or falls is not; both kinds, whatever comes', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(reports, (list) => {
        const state = new SumState();
        const isMonotonic = [true, false, true];
        const attached = Uint32Array.from([...isMonotonic.map((m) => state.allocate(m)), 0]);
        const rejected = new Uint32List();
        const model = [0, 0, 0];
        let before = [0, 0, 0, 0];
        for (const values of list) {
          const changed = changedIn(before, values);
          before = values;
          rejected.size = 0;
          const column = {
            values: Float64Array.from(values),
            attached,
            changed,
            changedCount: changed.length,
          };
          mergeSums(column, state.values, state.series.status, rejected);
          const refused: number[] = [];
          for (const i of changed) {
            if (i === 3) continue;
            if (!Number.isFinite(values[i]) || (isMonotonic[i] && values[i] < model[i])) refused.push(i);
            else model[i] = values[i];
          }
          const found = [...rejected.items.subarray(0, rejected.size)].filter((i) => i !== 3);
          if (String(found) !== String(refused)) throw new Error(`rejected ${found} for ${refused}`);
          for (const i of [0, 1, 2])
            if (state.values.get(attached[i]) !== model[i])
              throw new Error(`${i} is ${state.values.get(attached[i])} for ${model[i]}`);
        }
      }),
      { numRuns: 500 },
    ),
  );
});

test('gauges: whatever comes is taken', (t) => {
  const state = new GaugeState();
  const attached = Uint32Array.from([state.allocate(), state.allocate()]);
  for (const values of [
    [1, 2],
    [NaN, -Infinity],
    [-0, 1e308],
  ]) {
    const changed = Uint32Array.from([1, 0]);
    mergeGauges({ values: Float64Array.from(values), attached, changed, changedCount: 2 }, state.values);
    t.deepEqual([state.values.get(attached[0]), state.values.get(attached[1])], values);
  }
});

test('histograms: each whole or not at all, of any widths, with refused ones between', (t) => {
  const count = fc.oneof(
    { weight: 8, arbitrary: fc.nat(60) },
    { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -1) },
  );
  const widths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
  const input = widths.chain((list) =>
    fc.record({
      widths: fc.constant(list),
      refused: fc.nat(5),
      reports: fc.array(
        fc.tuple(...list.map((width) => fc.array(count, { minLength: width, maxLength: width }))),
        { maxLength: 8 },
      ),
    }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(input, ({ widths: list, refused, reports: of }) => {
        const state = new HistogramState();
        const slots = list.map((width, i) => (i === refused ? 0 : state.allocate(width)));
        const attached = Uint32Array.from(list.flatMap((width, i) => Array(width).fill(slots[i])));
        const firsts = list.map((_, i) => list.slice(0, i).reduce((a, b) => a + b, 0));
        const offsets = Uint32Array.from(list.flatMap((width, i) => Array(width).fill(firsts[i])));
        const model = list.map((width) => Array<number>(width).fill(0));
        let before: number[] = Array(attached.length).fill(0);
        const rejected = new Uint32List();
        for (const report of of) {
          const values = report.flat();
          const changed = changedIn(before, values);
          before = values;
          rejected.size = 0;
          const column = {
            values: Float64Array.from(values),
            attached,
            changed,
            changedCount: changed.length,
          };
          mergeBuckets({ ...column, offsets }, state.values, state.firstCell, state.widths, rejected);
          const turnedAway: number[] = [];
          report.forEach((counts, h) => {
            if (h === refused || ![...changed].some((i) => offsets[i] === firsts[h])) return;
            if (counts.every((c, b) => c >= model[h][b] && c < Infinity)) model[h] = counts;
            else turnedAway.push(h);
          });
          const found = [...rejected.items.subarray(0, rejected.size)].map((i) => firsts.indexOf(offsets[i]));
          if (String(found) !== String(turnedAway)) throw new Error(`rejected ${found} for ${turnedAway}`);
          slots.forEach((slot, h) => {
            if (slot === 0) return;
            const first = state.firstCell.get(slot);
            const held = model[h].map((_, b) => state.values.get(first + b));
            if (String(held) !== String(model[h])) throw new Error(`${h} is ${held} for ${model[h]}`);
          });
        }
      }),
      { numRuns: 500 },
    ),
  );
});
