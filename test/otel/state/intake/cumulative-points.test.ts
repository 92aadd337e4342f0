import test, { type ExecutionContext } from 'ava';
import type { PointOutcome } from '../../../../otel/state/intake/point-outcome.ts';
import { birthUs, counter, gauge, IntakeRig, second, upDown } from './intake-rig.ts';

/** Start, time and value of a point in seconds of the source, what becomes of it, and what is counted and shown then. */
type Step = readonly [
  start: number,
  time: number,
  value: number,
  outcome: PointOutcome,
  counted: number,
  shown?: { readonly value: number; readonly start: number; readonly time?: number },
];

/** Points arrive a minute after the store's birth. */
const arrivalUs = birthUs + 60 * second;

function follows(t: ExecutionContext, description: typeof counter, steps: readonly Step[]): IntakeRig {
  const rig = new IntakeRig();
  const handle = rig.define(description);
  for (const [i, [start, time, value, outcome, counted, shown]] of steps.entries()) {
    const note = `step ${i}`;
    t.is(
      rig.intake.sum(handle, 'cumulative', start * second, time * second, value, arrivalUs),
      outcome,
      note,
    );
    const now = rig.sum();
    t.is(now.counted, counted, note);
    if (shown === undefined) continue;
    t.is(now.value, shown.value, note);
    t.is(now.startUs, shown.start * second, note);
    if (shown.time !== undefined) t.is(now.timeUs, shown.time * second, note);
  }
  return rig;
}

test('one that began after the horizon counts from zero, and goes on', (t) => {
  follows(t, counter, [
    [100, 110, 5, 'merged', 5, { value: 5, start: 100, time: 110 }],
    [100, 120, 7, 'merged', 7],
    [100, 130, 7, 'merged', 7, { value: 7, start: 100, time: 130 }],
  ]);
});

test('one that began before the horizon has its first value as baseline', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  t.is(rig.intake.sum(handle, 'cumulative', 100 * second, 160 * second, 5, arrivalUs), 'baseline');
  t.is(rig.intake.setAside, 5);
  t.like(rig.sum(), { value: 5, counted: 0, startUs: 100 * second });
  t.is(rig.intake.sum(handle, 'cumulative', 100 * second, 170 * second, 9, arrivalUs), 'merged');
  t.is(rig.intake.setAside, 0);
  t.is(rig.sum().counted, 4);
});

test('the margin makes an epoch look older', (t) => {
  const rig = new IntakeRig({ delayMarginUs: 20 * second });
  // It began 45 s before it arrived, which is 15 s after the birth.
  t.is(
    rig.intake.sum(rig.define(counter, 'a'), 'cumulative', 10 * second, 55 * second, 5, arrivalUs),
    'baseline',
  );
  t.is(
    rig.intake.sum(rig.define(counter, 'b'), 'cumulative', 16 * second, 55 * second, 5, arrivalUs),
    'merged',
  );
});

test('a first value of nothing sets nothing aside', (t) => {
  follows(t, counter, [
    [0, 110, 0, 'merged', 0],
    [0, 120, 2, 'merged', 2],
  ]);
});

test('a later start is a new epoch', (t) => {
  const rig = follows(t, counter, [
    [100, 110, 5, 'merged', 5],
    [112, 115, 2, 'merged', 7, { value: 2, start: 112, time: 115 }],
    [112, 120, 4, 'merged', 9],
    // Greater than before, and a new life all the same.
    [121, 125, 9, 'merged', 18],
  ]);
  t.is(rig.store.epochsOpened, 2);
});

test('a later start before the horizon, or before what was heard last, is a baseline', (t) => {
  follows(t, counter, [
    [1, 10, 5, 'merged', 5],
    // It began 70 s before it arrived.
    [20, 90, 7, 'baseline', 5, { value: 7, start: 20 }],
    [20, 95, 8, 'merged', 6],
    // Two processes at once, or a start that wavers: what it counted may have been seen.
    [92, 97, 3, 'baseline', 6, { value: 3, start: 92 }],
    [92, 98, 4, 'merged', 7],
  ]);
});

test('an older start is of an old epoch, however new its time', (t) => {
  follows(t, counter, [
    [100, 110, 5, 'merged', 5],
    [112, 115, 2, 'merged', 7],
    [100, 111, 6, 'epoch_old', 7],
    [100, 120, 8, 'epoch_old', 7],
    [50, 120, 8, 'epoch_old', 7],
    [112, 120, 3, 'merged', 8, { value: 3, start: 112, time: 120 }],
  ]);
});

test('starts that waver by a second are one life, unless the value falls under a later one', (t) => {
  follows(t, counter, [
    [100, 110, 5, 'merged', 5],
    [101, 115, 6, 'merged', 6, { value: 6, start: 100 }],
    [100, 116, 7, 'merged', 7],
    [100.5, 117, 7, 'merged', 7],
    // Drifts are followed.
    [101.5, 118, 8, 'merged', 8, { value: 8, start: 100 }],
    [102.25, 119, 2, 'baseline', 8, { value: 2, start: 102.25 }],
  ]);
});

test('a late point never lowers a counter, and enters by maximum', (t) => {
  follows(t, counter, [
    [100, 110, 5, 'merged', 5],
    [100, 130, 7, 'merged', 7],
    [100, 120, 6, 'late', 7],
    [100, 130, 7, 'duplicate', 7],
    [100, 110, 5, 'late', 7],
    [100, 120, 8, 'merged_late', 8, { value: 8, start: 100, time: 130 }],
    // Before the first point of the epoch it cannot have counted more.
    [100, 105, 9, 'epoch_old', 8],
  ]);
});

test('in any order an epoch comes to the same', (t) => {
  follows(t, counter, [
    [100, 130, 7, 'merged', 7],
    [100, 110, 5, 'late', 7],
    [100, 120, 6, 'late', 7],
  ]);
});

test('without a start the first value is a baseline, and a fall is a reset that counts whole', (t) => {
  follows(t, counter, [
    [0, 110, 50, 'baseline', 0, { value: 50, start: 0, time: 110 }],
    [0, 120, 55, 'merged', 5],
    [0, 130, 3, 'merged', 8, { value: 3, start: 120, time: 130 }],
    [0, 140, 4, 'merged', 9],
    // Of before the reset, or of after: it is not counted.
    [0, 125, 60, 'epoch_old', 9],
    [0, 135, 3, 'late', 9],
    [0, 130, 3, 'late', 9],
    [0, 140, 4, 'duplicate', 9],
  ]);
});

test('a start that becomes known is learnt, and a later one is a new life', (t) => {
  follows(t, counter, [
    [0, 110, 50, 'baseline', 0],
    [90, 120, 55, 'merged', 5, { value: 55, start: 90 }],
    [90, 130, 56, 'merged', 6],
  ]);
  follows(t, counter, [
    [0, 110, 50, 'baseline', 0],
    [115, 120, 55, 'merged', 55, { value: 55, start: 115 }],
  ]);
});

test('a start that equals the time says that it is not known', (t) => {
  follows(t, counter, [
    [110, 110, 50, 'baseline', 0, { value: 50, start: 110 }],
    [110, 120, 52, 'merged', 2],
    // Somebody in between was restarted: the counter went on.
    [130, 130, 55, 'merged', 5, { value: 55, start: 110 }],
    [130, 140, 56, 'merged', 6],
    // And now the counter.
    [150, 150, 2, 'merged', 8, { value: 2, start: 140 }],
    [150, 160, 3, 'merged', 9],
  ]);
});

test('a fall under the same start is a contradiction: a baseline, and the start moves', (t) => {
  const rig = follows(t, counter, [
    [100, 110, 50, 'merged', 50],
    [100, 120, 20, 'fell', 50, { value: 20, start: 110, time: 120 }],
    [100, 130, 25, 'merged', 55, { value: 25, start: 110, time: 130 }],
    [100, 115, 60, 'epoch_old', 55],
  ]);
  t.is(rig.intake.setAside, 0);
});

test('sums that may fall replace one another, by time and start', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(upDown);
  const take = (start: number, time: number, value: number) =>
    rig.intake.sum(handle, 'cumulative', start * second, time * second, value, arrivalUs);
  t.is(take(100, 110, 5), 'merged');
  t.is(take(100, 120, -2), 'merged');
  t.is(take(100, 115, 9), 'late');
  t.is(take(100, 120, -2), 'duplicate');
  t.is(take(100, 120, -3), 'merged');
  t.is(take(50, 130, 9), 'epoch_old');
  t.like(rig.sum(), { value: -3, startUs: 100 * second, timeUs: 120 * second });
  t.is(take(125, 130, 1), 'merged');
  t.is(take(100, 140, 9), 'epoch_old');
  t.like(rig.sum(), { value: 1, startUs: 125 * second });
  t.is(take(125, 150, Infinity), 'not_finite');
  t.is(rig.sum().value, 1);
});

test('a late gauge does not replace a newer one while that is shown', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(gauge);
  const take = (time: number, value: number) => rig.intake.gauge(handle, time * second, value, arrivalUs);
  const value = () => rig.store.gauges.values.get(rig.slot);
  t.is(take(10, 1), 'merged');
  t.is(take(9, 2), 'late');
  t.is(value(), 1);
  t.is(take(10, 1), 'duplicate');
  t.is(take(10, 3), 'merged');
  t.is(take(11, Number.NaN), 'merged');
  t.is(take(11, Number.NaN), 'duplicate');
  rig.intake.expire(arrivalUs + 301 * second, 300 * second, 86_400 * second);
  t.false(rig.isPresent(gauge));
  t.is(take(8, 4), 'merged', 'a clock that was set back');
  t.is(value(), 4);
  t.true(rig.isPresent(gauge));
});

test('what cannot be is refused, and changes nothing', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  const { intake } = rig;
  for (const temporality of ['cumulative', 'delta'] as const) {
    t.is(intake.sum(handle, temporality, 100, 110, Number.NaN, arrivalUs), 'not_finite');
    t.is(intake.sum(handle, temporality, 100, 110, Infinity, arrivalUs), 'not_finite');
    t.is(intake.sum(handle, temporality, 100, 110, -1, arrivalUs), 'negative');
    t.is(intake.sum(handle, temporality, 120, 110, 1, arrivalUs), 'time');
    t.is(intake.sum(handle, temporality, 0, 0, 1, arrivalUs), 'time');
    t.is(intake.sum(handle, temporality, -1, 110, 1, arrivalUs), 'time');
    t.is(intake.sum(handle, temporality, 0, Number.NaN, 1, arrivalUs), 'time');
    t.is(intake.sum(handle, temporality, Number.NaN, 110, 1, arrivalUs), 'time');
    t.is(intake.sum(handle, temporality, 0, 2 ** 60, 1, arrivalUs), 'time');
  }
  t.is(intake.gauge(handle, 110, 1, arrivalUs), 'unknown_series', 'of another kind');
  t.false(rig.isPresent(counter));
  t.like(rig.sum(), { value: 0, counted: 0, timeUs: 0 });
});
