import test from 'ava';
import { attributes } from '../../../../otel/model/attributes.ts';
import { emptyResource } from '../../../../otel/model/resource.ts';
import { emptyScope } from '../../../../otel/model/scope.ts';
import { birthUs, counter, gauge, histogram, IntakeRig, second, summary, upDown } from './intake-rig.ts';

const day = 86_400 * second;
const stale = 300 * second;
const of = (name: string) => ({ attributes: attributes({ name }), schemaUrl: '' });

test('a series is found again under its handle, by member, metric, attributes and resource', (t) => {
  const rig = new IntakeRig();
  const all = [
    rig.define(counter),
    rig.define(counter, 'other'),
    rig.define(gauge),
    rig.define(upDown),
    rig.define(histogram),
    rig.define(summary),
    rig.define(counter, '', of('relayed')),
  ];
  t.is(new Set(all).size, 7);
  t.is(rig.define(counter), all[0]);
  t.is(rig.define(counter, '', of('relayed')), all[6]);
  const first = rig.member;
  rig.member = rig.store.join('other', emptyResource, birthUs);
  t.false(all.includes(rig.define(counter)));
  t.is(rig.intake.size, 8);
  t.is(rig.store.seriesCount, 8);
  rig.store.evict(first, birthUs);
  t.is(rig.intake.define(first, { ...input(), metric: counter }, birthUs), 'evicted');
});

test('series have times of their own, and their member is as present as its newest point', (t) => {
  const rig = new IntakeRig();
  const a = rig.define(gauge, 'a');
  const slotA = rig.slot;
  const b = rig.define(gauge, 'b');
  const slotB = rig.slot;
  t.false(rig.member.isPresent);
  rig.intake.gauge(a, 10, 1, birthUs + second);
  rig.intake.gauge(b, 7, 2, birthUs + 2 * second);
  const { gauges, timesUs } = rig.store;
  t.deepEqual(
    [slotA, slotB].map((slot) => timesUs[gauges.series.clock.get(slot)]),
    [10, 7],
  );
  t.true(rig.member.isPresent);
  t.is(rig.member.lastReportUs, birthUs + 2 * second);
});

test('a series without points becomes stale while its member lives, and comes back without a jump', (t) => {
  const rig = new IntakeRig();
  const a = rig.define(counter, 'a');
  const { slot } = rig;
  const b = rig.define(counter, 'b');
  rig.intake.sum(a, 'cumulative', 100, 110, 5, birthUs + second);
  rig.intake.sum(b, 'cumulative', 100, 110, 5, birthUs + second);
  rig.intake.sum(b, 'cumulative', 100, 120, 6, birthUs + 200 * second);
  rig.intake.expire(birthUs + 302 * second, stale, day);
  t.false(rig.isPresent(counter, slot));
  t.true(rig.isPresent(counter));
  t.is(rig.store.horizonUs, birthUs);
  t.is(rig.intake.sum(a, 'cumulative', 100, 110, 5, birthUs + 310 * second), 'duplicate');
  t.false(rig.isPresent(counter, slot), 'nothing new is known of it');
  t.is(rig.intake.sum(a, 'cumulative', 100, 130, 9, birthUs + 310 * second), 'merged');
  t.true(rig.isPresent(counter, slot));
  t.is(rig.sum(slot).counted, 9);
});

test('one that left long ago is freed, the horizon moves, and its handle stands for nothing', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  const empty = rig.define(counter, 'empty');
  rig.intake.sum(handle, 'delta', 100, 110, 5, birthUs + second);
  rig.intake.expire(birthUs + 400 * second, stale, day);
  rig.intake.expire(birthUs + 400 * second + day, stale, day);
  t.is(rig.store.endedCount, 1, 'the empty one; the other left a second too late');
  t.is(rig.store.horizonUs, birthUs, 'which had counted nothing');
  rig.intake.expire(birthUs + 402 * second + day, stale, day);
  t.is(rig.store.horizonUs, birthUs + 401 * second);
  t.is(rig.store.releaseEnded(1e6), 2);
  t.is(rig.intake.sum(handle, 'delta', 110, 120, 5, birthUs + 2 * day), 'unknown_series');
  const again = rig.define(counter);
  t.not(again, handle);
  rig.intake.sum(again, 'delta', 110, 120, 5, birthUs + 2 * day);
  rig.intake.expire(birthUs + 2 * day, stale, day);
  t.is(rig.intake.size, 1);
  const next = rig.define(counter, 'next');
  t.false([handle, empty, again].includes(next));
  t.is(rig.intake.sum(empty, 'delta', 110, 120, 5, birthUs + 2 * day), 'unknown_series');
  t.is(rig.intake.withoutValue(empty, 120, birthUs + 2 * day), 'unknown_series');
  rig.intake.retire(empty, 'gone', birthUs + 2 * day);
  t.is(rig.store.endedCount, 0);
});

test('one that ended and is not freed yet goes on where it was', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter);
  rig.intake.sum(handle, 'delta', 100, 110, 5, birthUs + second);
  rig.intake.retire(handle, 'gone', birthUs + 2 * second);
  t.is(rig.store.endedCount, 1);
  t.is(rig.intake.sum(handle, 'delta', 100, 110, 5, birthUs + 3 * second), 'duplicate');
  t.is(rig.intake.sum(handle, 'delta', 110, 120, 1, birthUs + 3 * second), 'merged');
  t.like(rig.sum(), { counted: 6 });
  t.is(rig.store.releaseEnded(1e6), 0);
  rig.intake.retire(handle, 'gone', birthUs + 2 * second);
  t.is(rig.define(counter), handle);
  t.is(rig.store.releaseEnded(1e6), 0);
  rig.intake.retire(handle, 'idle', birthUs + 2 * second);
  t.false(rig.isPresent(counter));
});

for (const comes of ['a point', 'a definition', 'a sweep'] as const) {
  test(`a series moves with its member's resource, and goes on from its value: then comes ${comes}`, (t) => {
    const rig = new IntakeRig();
    const handle = rig.define(counter);
    const slot = rig.slot;
    rig.intake.sum(handle, 'delta', 100, 110, 5, birthUs + second);
    t.is(rig.store.join('m', of('after'), birthUs + 2 * second), rig.member);
    const moved = rig.slot;
    t.not(moved, slot);
    if (comes === 'a definition') t.is(rig.define(counter), handle);
    if (comes === 'a sweep') rig.intake.expire(birthUs + 3 * second, stale, day);
    if (comes !== 'a point') t.is(rig.store.releaseEnded(1e6), 1);
    t.is(rig.intake.sum(handle, 'delta', 100, 110, 5, birthUs + 3 * second), 'duplicate');
    t.is(rig.intake.sum(handle, 'delta', 110, 120, 2, birthUs + 3 * second), 'merged');
    t.like(rig.sum(moved), { value: 7, counted: 2, timeUs: 120 });
    t.true(rig.isPresent(counter, moved));
    rig.store.releaseEnded(1e6);
    rig.intake.expire(birthUs + 4 * second, stale, day);
    t.is(rig.intake.size, 1);
    rig.store.evict(rig.member, birthUs + 5 * second);
    rig.store.releaseEnded(1e6);
    rig.intake.expire(birthUs + 6 * second, stale, day);
    t.deepEqual([rig.intake.size, rig.store.clocks.size, rig.store.seriesCount], [0, 0, 0]);
    t.deepEqual([rig.store.references.definitions.size, rig.store.references.resources.size], [0, 0]);
  });
}

test('a slot that was freed and taken by another series is not reached by the old handle', (t) => {
  const rig = new IntakeRig();
  const handle = rig.define(counter, 'old');
  const { slot } = rig;
  rig.intake.retire(handle, 'gone', birthUs);
  rig.store.releaseEnded(1e6);
  const other = rig.define(counter, 'new');
  t.is(rig.slot, slot);
  t.is(rig.intake.sum(handle, 'delta', 100, 110, 5, birthUs), 'unknown_series');
  t.is(rig.intake.sum(other, 'delta', 100, 110, 1, birthUs), 'merged');
  rig.intake.expire(birthUs, stale, day);
  t.is(rig.intake.size, 1);
  t.is(rig.intake.sum(handle, 'delta', 110, 120, 5, birthUs), 'unknown_series');
  t.is(rig.sum().counted, 1);
});

test('points and a stream do not share a series: who is present has it, and nothing counts twice', (t) => {
  const rig = new IntakeRig();
  const { store, intake, member } = rig;
  const clock = store.clocks.of(member, 1);
  const stream = (holder: number, epoch: string, beganAtUs: number) =>
    store.define(member, { ...input(), epoch, beganAtUs, startTimeUs: 0, clock, holder }, birthUs);
  const slot = stream(1, 'e1', birthUs + second) as number;
  store.timesUs[clock] = 200;
  store.sums.settle(slot, 10);
  store.appear(store.sums, slot);
  t.is(intake.define(member, input(), birthUs), 'held');
  store.idle(store.sums.series, slot, birthUs + 2 * second);
  const handle = intake.define(member, input(), birthUs) as number;
  t.is(store.sums.counted(slot), 10);
  // What it counts began before the stream's last report.
  t.is(intake.sum(handle, 'cumulative', 190, 210, 11, birthUs + 60 * second), 'baseline');
  t.is(intake.sum(handle, 'cumulative', 190, 220, 13, birthUs + 60 * second), 'merged');
  t.is(store.sums.counted(slot), 12);

  t.is(stream(2, 'e1', birthUs + second), 'epoch_old');
  t.is(stream(2, 'e2', birthUs + second), slot);
  t.is(intake.sum(handle, 'cumulative', 190, 230, 14, birthUs + 60 * second), 'unknown_series');
  store.timesUs[clock] = 240;
  store.sums.settle(slot, 5);
  store.appear(store.sums, slot);
  t.is(store.sums.counted(slot), 17);
  t.is(intake.define(member, input(), birthUs), 'held');
  intake.expire(birthUs + 70 * second, stale, day);
  t.is(intake.size, 0);

  store.idle(store.sums.series, slot, birthUs + 2 * second);
  const again = intake.define(member, input(), birthUs) as number;
  t.is(intake.sum(again, 'delta', 230, 250, 3, birthUs + 60 * second), 'overlap');
  t.is(intake.sum(again, 'delta', 240, 250, 3, birthUs + 60 * second), 'merged');
  t.is(store.sums.counted(slot), 20);
});

test('no recorded value: the series has none until a newer one comes, and what it counted stays', (t) => {
  const rig = new IntakeRig();
  const { intake } = rig;
  const handle = rig.define(counter);
  t.is(intake.withoutValue(handle, 105, birthUs + second), 'without_value');
  t.false(rig.isWithoutValue(counter), 'before the first value there is none anyway');
  intake.sum(handle, 'cumulative', 100, 110, 5, birthUs + second);
  t.is(intake.withoutValue(handle, 109, birthUs + second), 'late');
  t.is(intake.withoutValue(handle, 0, birthUs + second), 'time');
  t.is(intake.withoutValue(handle, 120, birthUs + second), 'without_value');
  t.true(rig.isWithoutValue(counter));
  t.like(rig.sum(), { value: 5, timeUs: 120 });
  t.is(intake.sum(handle, 'cumulative', 100, 115, 6, birthUs + second), 'merged_late');
  t.true(rig.isWithoutValue(counter));
  t.is(intake.sum(handle, 'cumulative', 100, 130, 7, birthUs + second), 'merged');
  t.false(rig.isWithoutValue(counter));
  const load = rig.define(gauge);
  intake.gauge(load, 110, 1, birthUs + second);
  intake.withoutValue(load, 120, birthUs + second);
  t.is(intake.gauge(load, 115, 2, birthUs + second), 'late');
  t.true(rig.isWithoutValue(gauge));
});

function input() {
  return {
    scope: emptyScope,
    metric: counter,
    attributes: attributes({ name: 'shared' }),
    resource: undefined,
  };
}
