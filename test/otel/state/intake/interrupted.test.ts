import test from 'ava';
import { interruptSeries } from '../../../../otel/state/interrupted-series.ts';
import { birthUs, counter, histogram, IntakeRig, second } from './intake-rig.ts';

const at = (s: number) => birthUs + s * second;

test('after a loss the next value of a life that goes on is a baseline, of which what is held is no part', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  rig.intake.sum(handle, 'cumulative', 100, 110, 5, at(1));
  const counted = rig.sum().counted;
  interruptSeries(rig.store, at(2), () => false);
  t.is(rig.intake.sum(handle, 'cumulative', 100, 110, 7, at(3)), 'late');
  t.is(rig.intake.sum(handle, 'cumulative', 100, 120, 9, at(3)), 'baseline');
  t.is(rig.intake.setAside, 4);
  t.is(rig.sum().counted, counted);
  t.is(rig.intake.sum(handle, 'cumulative', 100, 130, 12, at(4)), 'merged');
  t.is(rig.sum().counted, counted + 3);
  t.like(rig.sum(), { value: 12, startUs: 100, timeUs: 130 });
});

test('a life that began after the loss counts whole, one that began before is a baseline', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  rig.intake.sum(handle, 'cumulative', second, 2 * second, 5, at(1));
  const { counted } = rig.sum();
  interruptSeries(rig.store, at(10), () => false);
  t.is(rig.intake.sum(handle, 'cumulative', 12 * second, 14 * second, 3, at(14)), 'merged');
  t.is(rig.sum().counted, counted + 3);
});

test('an interval that comes after a loss is counted', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(histogram);
  const take = (start: number, time: number) =>
    rig.intake.histogram(handle, 'delta', start, time, Float64Array.of(1, 2, 0), 0, 3, 9, 1, 5, at(20));
  t.is(take(10, 20), 'merged');
  interruptSeries(rig.store, at(21), () => false);
  t.is(take(20, 30), 'merged');
  t.is(take(20, 30), 'duplicate');
  const { histograms } = rig.store;
  t.is(histograms.values.get(histograms.firstCell.get(rig.slot) + 1), 4);
});
