import test from 'ava';
import { Sampler } from '../../agent/sampler.ts';
import { SamplingGroup } from '../../agent/state/sampling-group.ts';
import type { Clock } from '../../otel/clock.ts';
import { FakeClock } from './fake-clock.ts';

function rig(...intervalsMs: number[]) {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  /** Which intervals were collected at which moment since the start. */
  const ticks: [atMs: number, intervals: number[]][] = [];
  const errors: unknown[] = [];
  let now: number[] = [];
  const sampler = new Sampler({
    clock,
    onCollected: () => {
      ticks.push([clock.monotonicMs() - startMs, now]);
      now = [];
    },
    onSourceError: (_source, error) => errors.push(error),
  });
  const groups = intervalsMs.map((intervalMs, i) => {
    const group = new SamplingGroup(i, intervalMs, 'x');
    const sources = [{ name: `s${i}`, collect: () => void now.push(intervalMs) }];
    sampler.add({ group, sources });
    return { group, sources };
  });
  return { clock, sampler, ticks, errors, groups };
}

test('intervals share one origin, one timer, and the ticks that coincide', (t) => {
  const { clock, sampler, ticks, groups } = rig(1000, 2500);
  sampler.start();
  sampler.start();
  for (let ms = 0; ms < 5000; ms += 100) {
    t.is(clock.delays.length, 1);
    clock.advance(100);
  }
  t.deepEqual(
    ticks.map(([atMs, intervals]) => [Math.floor(atMs), intervals]),
    [
      [0, [1000, 2500]],
      [1000, [1000]],
      [2000, [1000]],
      [2500, [2500]],
      [3000, [1000]],
      [4000, [1000]],
      [5000, [1000, 2500]],
    ],
  );
  t.is(groups[0]!.group.collections, 6);
  t.is(groups[0]!.group.timeUs, clock.nowUs());
  t.is(groups[1]!.group.timeUs, clock.nowUs());
});

test('nothing drifts over ten thousand ticks', (t) => {
  const { clock, sampler, ticks } = rig(10);
  sampler.start();
  for (let i = 0; i < 100; i++) clock.advance(10.1);
  t.is(ticks.length, 102);
  clock.advance(99_000);
  t.is(ticks.length, 10_002);
  t.true(Math.abs(ticks.at(-1)![0] - 100_010) < 1);
});

test('a suspended machine takes up its ticks again, without those it missed', (t) => {
  const { clock, sampler, ticks } = rig(1000);
  sampler.start();
  clock.advance(1000);
  clock.suspend(3_600_300);
  t.is(ticks.length, 3);
  clock.advance(699);
  t.is(ticks.length, 3);
  clock.advance(2);
  t.deepEqual(
    ticks.map(([atMs]) => Math.floor(atMs)),
    [0, 1000, 3_601_300, 3_602_000],
  );
});

test('a source that throws keeps nobody from being collected', (t) => {
  const { clock, sampler, errors, groups } = rig(1000);
  const { group, sources } = groups[0]!;
  const error = new Error('broken');
  sources.unshift({
    name: 'bad',
    collect: () => {
      throw error;
    },
  });
  const cell = group.define({} as never);
  sources.push({
    name: 'good',
    collect: () => {
      group.set(cell, group.collections + 1);
    },
  });
  sampler.start();
  clock.advance(2000);
  t.deepEqual(errors, [error, error, error]);
  t.is(group.values[cell], 3);
});

test('a group that is added while running is collected at its next multiple; stopped, nothing is', (t) => {
  const { clock, sampler, groups } = rig(1000);
  sampler.stop();
  sampler.start();
  clock.advance(1500);
  const late = new SamplingGroup(7, 400, 'x');
  sampler.add({ group: late, sources: [] });
  clock.advance(99);
  t.is(late.collections, 0);
  clock.advance(2);
  t.is(late.collections, 1);
  sampler.collectAll();
  t.is(late.collections, 2);
  sampler.stop();
  sampler.stop();
  t.deepEqual(clock.delays, []);
  const { collections } = groups[0]!.group;
  clock.advance(10_000);
  t.is(groups[0]!.group.collections, collections);
});

/** Lets each tick come so many milliseconds late; gives the times it then bore, in microseconds since the first. */
function timesOf(latenessMs: readonly number[], wall: (tick: number) => number = () => 0): number[] {
  const fake = new FakeClock();
  let tick = 0;
  const clock: Clock = {
    nowUs: () => fake.nowUs() + wall(tick),
    monotonicMs: () => fake.monotonicMs(),
    setTimeout: (run, delayMs) => fake.setTimeout(run, delayMs),
  };
  const sampler = new Sampler({ clock, onCollected: () => {}, onSourceError: () => {} });
  const group = new SamplingGroup(0, 1000, 'x');
  sampler.add({ group, sources: [] });
  sampler.start();
  const startUs = group.timeUs;
  let atMs = 0;
  return latenessMs.map((lateMs) => {
    tick++;
    fake.suspend(tick * 1000 + lateMs - atMs);
    atMs = tick * 1000 + lateMs;
    return group.timeUs - startUs;
  });
}

test('a tick that is a little off bears the time it should have had, one that is far off its own', (t) => {
  t.deepEqual(timesOf([1.3, 1, 5, 5.1, 300, 1.9]), [1e6, 2e6, 3e6, 4_005_100, 5_300_000, 6e6]);
});

test('times go on after the wall clock was set, and ascend after a tick that was almost an interval late', (t) => {
  const hour = 3_600_000_000;
  const ahead = timesOf([0, 0, 0, 0.2, 0.4], (tick) => (tick > 1 ? hour : 0));
  t.deepEqual(ahead, [1e6, hour + 2e6, hour + 3e6, hour + 4_000_200, hour + 5_000_200]);
  t.deepEqual(
    timesOf([999.5, 4.5], () => 0),
    [1_999_500, 2e6],
  );
  const slewed = timesOf([998, 0.5], (tick) => (tick > 0 ? 4000 : 0));
  t.deepEqual(slewed, [2_002_000, 2_004_500]);
});
