import test, { type ExecutionContext } from 'ava';
import { rememberedIntervals } from '../../../../otel/state/intake/delta-intervals.ts';
import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';
import type { PointRules } from '../../../../otel/state/intake/point-rules.ts';
import { birthUs, counter, IntakeRig, second, upDown } from './intake-rig.ts';

/** Start, time and value of a delta in seconds of the source, what becomes of it, and the total then. */
type Step = readonly [start: number, time: number, value: number, outcome: PointOutcome, total: number];

const arrivalUs = birthUs + 60 * second;

function follows(
  t: ExecutionContext,
  steps: readonly Step[],
  rules: Partial<PointRules> = {},
  description = counter,
): IntakeRig {
  const rig = new IntakeRig(rules);
  const handle = rig.define(description);
  for (const [i, [start, time, value, outcome, total]] of steps.entries()) {
    const came = rig.intake.sum(handle, 'delta', start * second, time * second, value, arrivalUs);
    t.is(came, outcome, `step ${i}`);
    t.is(rig.sum().value, total, `step ${i}`);
    t.is(rig.sum().counted, total, `step ${i}`);
  }
  return rig;
}

test('deltas add up from the first start, however old that is', (t) => {
  const rig = follows(t, [
    [1, 110, 5, 'merged', 5],
    [110, 120, 2, 'merged', 7],
    // A gap.
    [130, 140, 1, 'merged', 8],
  ]);
  t.like(rig.sum(), { startUs: second, timeUs: 140 * second });
  t.is(rig.intake.setAside, 0);
});

test('a duplicate is dropped', (t) => {
  follows(t, [
    [100, 110, 5, 'merged', 5],
    [100, 110, 5, 'duplicate', 5],
    [110, 120, 5, 'merged', 10],
    [100, 110, 5, 'duplicate', 10],
    [110, 120, 5, 'duplicate', 10],
  ]);
});

test('a late interval that overlaps none is added', (t) => {
  const rig = follows(t, [
    [100, 110, 5, 'merged', 5],
    [120, 130, 2, 'merged', 7],
    [110, 120, 1, 'merged_late', 8],
    [90, 100, 3, 'merged_late', 11],
    [110, 120, 1, 'duplicate', 11],
  ]);
  t.like(rig.sum(), { startUs: 100 * second, timeUs: 130 * second });
});

const overlaps: readonly [start: number, time: number][] = [
  [100, 130],
  [105, 115],
  [115, 125],
  [95, 105],
  [112, 118],
  [110, 120],
];

test('an overlap is refused by default', (t) => {
  follows(t, [
    [100, 110, 5, 'merged', 5],
    [110, 120, 5, 'merged', 10],
    ...overlaps.map(([start, time]): Step => [start, time, 1, 'overlap', 10]),
    [120, 130, 5, 'merged', 15],
  ]);
});

test('an overlap is summed by policy, a duplicate never', (t) => {
  follows(
    t,
    [
      [100, 110, 5, 'merged', 5],
      [110, 120, 5, 'merged', 10],
      [105, 115, 1, 'overlap_summed', 11],
      [105, 115, 1, 'duplicate', 11],
      [100, 130, 1, 'overlap_summed', 12],
      [100, 110, 5, 'duplicate', 12],
    ],
    { overlap: 'sum' },
  );
});

test('without a start it is summed, unless time and value repeat', (t) => {
  const rig = follows(t, [
    [0, 110, 5, 'merged', 5],
    [0, 110, 5, 'duplicate', 5],
    [0, 110, 6, 'merged_late', 11],
    [0, 105, 5, 'merged_late', 16],
    [0, 120, 5, 'merged', 21],
    [100, 130, 1, 'merged', 22],
  ]);
  t.is(rig.sum().startUs, 0);
});

test('what ends before all that is remembered is refused: it may have been counted', (t) => {
  const steps: Step[] = [];
  for (let i = 1; i <= rememberedIntervals + 1; i++) steps.push([100 + i, 101 + i, 1, 'merged', i]);
  const total = rememberedIntervals + 1;
  follows(t, [
    ...steps,
    [101, 102, 1, 'too_late', total],
    [101.5, 103, 1, 'too_late', total],
    [101.5, 104, 1, 'overlap', total],
    [102, 103, 1, 'duplicate', total],
    [0, 102, 7, 'too_late', total],
    [200, 201, 1, 'merged', total + 1],
    [150, 160, 1, 'merged_late', total + 2],
    [150, 160, 1, 'duplicate', total + 2],
    [102, 103, 1, 'too_late', total + 2],
  ]);
});

test('sums that may fall add up too', (t) => {
  follows(
    t,
    [
      [100, 110, 5, 'merged', 5],
      [110, 120, -7, 'merged', -2],
      [105, 107, 1, 'overlap', -2],
    ],
    {},
    upDown,
  );
});

test('a total that would not be finite is refused', (t) => {
  follows(t, [
    [100, 110, Number.MAX_VALUE, 'merged', Number.MAX_VALUE],
    [110, 120, Number.MAX_VALUE, 'not_finite', Number.MAX_VALUE],
    [110, 120, 0, 'merged', Number.MAX_VALUE],
  ]);
});

test('cumulative points after deltas, and deltas after cumulative points, count nothing twice', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  const take = (temporality: 'delta' | 'cumulative', start: number, time: number, value: number) => [
    rig.intake.sum(handle, temporality, start * second, time * second, value, arrivalUs),
    rig.sum().counted,
  ];
  t.deepEqual(take('delta', 100, 110, 5), ['merged', 5]);
  t.deepEqual(take('cumulative', 90, 109, 50), ['late', 5]);
  t.deepEqual(take('cumulative', 90, 120, 8), ['baseline', 5]);
  t.deepEqual(take('cumulative', 90, 130, 9), ['merged', 6]);
  t.deepEqual(take('delta', 125, 135, 4), ['overlap', 6]);
  t.deepEqual(take('delta', 130, 140, 4), ['merged', 10]);
  t.deepEqual(take('delta', 126, 128, 4), ['overlap', 10], 'the cumulative points counted it');
  t.deepEqual(take('delta', 80, 90, 4), ['merged_late', 14]);
  t.deepEqual(take('cumulative', 145, 150, 3), ['merged', 17], 'a life that began after the last delta');
});

test('rings are as many as series that get deltas, and are used again', (t) => {
  const rig = new IntakeRig();
  const handles = ['a', 'b', 'c'].map((name) => rig.define(counter, name));
  for (const handle of handles) rig.intake.sum(handle, 'delta', 100, 110, 1, arrivalUs);
  t.is(rig.intake.deltaSeries, 3);
  rig.intake.sum(handles[0]!, 'cumulative', 100, 120, 1, arrivalUs);
  t.is(rig.intake.deltaSeries, 2);
  for (const handle of handles) rig.intake.retire(handle, 'gone', arrivalUs);
  rig.store.releaseEnded(1000);
  rig.intake.expire(arrivalUs, 1, 1);
  t.is(rig.intake.deltaSeries, 0);
  t.is(rig.intake.size, 0);
  t.is(rig.store.clocks.size, 0);
});
