import test from 'ava';
import { birthUs } from '../core.ts';
import { counters } from './counters.ts';
import { skewUs } from './run.ts';
import { day, second, Trace } from './trace.ts';

/** A moment of the trace as the agents' clocks have it. */
const at = (seconds: number) => birthUs + seconds * second + skewUs;

for (const counter of counters) {
  test(`${counter.name}: a host reboots, and its kernel counts from zero`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const before = trace.run('h', { run: 1, boot: 'boot 1' });
    // The machine ran for a day when the collector began: the first 1000 are nobody's.
    const eth0 = before.define({ epoch: 'boot 1 eth0', began: -day, startUs: at(-day) });
    before.report({ [eth0]: 1000 });
    trace.wait(10);
    before.report({ [eth0]: 1030 });
    t.is(trace.total(), 30);
    t.deepEqual(trace.own('h'), {
      output: 'own',
      host: 'h',
      amount: 1030,
      startUs: at(-day),
      timeUs: at(110),
    });
    // The power goes. The connection is not yet known to be dead when the machine is back.
    trace.wait(20);
    const early = trace.run('h', { run: 2, boot: 'boot 2' });
    t.is(early.end, 'clone', 'another boot under the same id, while the first one seems to live');
    before.cut();
    trace.wait(10);
    const after = trace.run('h', { run: 2, boot: 'boot 2' });
    t.is(after.end, undefined);
    const again = after.define({ epoch: 'boot 2 eth0', began: 120, startUs: at(120), life: 1 });
    t.is(trace.total(), 30, 'a definition counts nothing');
    after.report({ [again]: 7 });
    t.is(trace.total(), 37, 'what the new boot counted is counted whole');
    t.deepEqual(trace.own('h'), { output: 'own', host: 'h', amount: 7, startUs: at(120), timeUs: at(140) });
    trace.wait(10);
    after.report({ [again]: 12 });
    t.is(trace.total(), 42);
    t.deepEqual(trace.booked('h'), { reported: 1042, counted: 42, baseline: 1000 });
    trace.end({ total: 42 }, { 'own h': 42 });
  });

  test(`${counter.name}: an agent restarts without its state file: the kernel's counters go on, its own begin anew`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const first = trace.run('h', { run: 1 });
    const eth0 = first.define({ epoch: 'boot 1 eth0', began: -50, startUs: at(-50), series: 'eth0' });
    const checks = first.define({ epoch: 'run 1 checks', began: 99, startUs: at(99), series: 'checks' });
    first.report({ [eth0]: 500, [checks]: 40 });
    trace.wait(10);
    first.report({ [eth0]: 530, [checks]: 44 });
    t.deepEqual([trace.total(' eth0'), trace.total(' checks')], [30, 44]);
    // It is killed. Nobody counts checks for 20 seconds; the kernel counts on.
    trace.wait(20);
    const second = trace.run('h', { run: 2 });
    t.is(first.end, 'displaced', 'it is the successor on the same boot');
    // The clock was set meanwhile, so the same boot seems to have begun later.
    const eth0Again = second.define({ epoch: 'boot 1 eth0', began: -50, startUs: at(-44), series: 'eth0' });
    const epoch = { epoch: 'run 2 checks', began: 129, startUs: at(129), life: 1 };
    const checksAgain = second.define({ ...epoch, series: 'checks' });
    second.report({ [eth0Again]: 590, [checksAgain]: 3 });
    t.deepEqual([trace.total(' eth0'), trace.total(' checks')], [90, 47]);
    t.like(trace.own('h', ' eth0'), { amount: 590, startUs: at(-50) }, 'one life has one start');
    t.like(trace.own('h', ' checks'), { amount: 3, startUs: at(129) });
    trace.wait(10);
    second.report({ [eth0Again]: 600, [checksAgain]: 5 });
    t.deepEqual(trace.booked('h'), { reported: 649, counted: 149, baseline: 500 });
    trace.end({ 'total eth0': 100, 'total checks': 49 }, { 'own eth0 h': 100, 'own checks h': 49 });
  });

  test(`${counter.name}: an old epoch that comes after the new one is refused, and what it counted stays counted once`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const old = trace.run('h', { run: 1 });
    const before = old.define({ epoch: 'run 1', began: 50, startUs: at(50) });
    old.report({ [before]: 20 });
    trace.wait(10);
    old.report({ [before]: 25 });
    old.cut();
    const fresh = trace.run('h', { run: 2 });
    const now = fresh.define({ epoch: 'run 2', began: 105, startUs: at(105), life: 1 });
    fresh.report({ [now]: 4 });
    t.is(trace.total(), 29);
    // What was left of the first run comes by another way and late: 31 instead of 25, of which nobody knows more.
    fresh.retire(now, 'idle');
    const late = fresh.define({ epoch: 'run 1', began: 50, startUs: at(50) });
    t.like(fresh.refused[0], { kind: 'epoch_old', report: 0, series: [late] });
    fresh.report({ [late]: 31 });
    t.is(trace.total(), 29);
    t.is(trace.own('h'), undefined, 'nothing is reported of it at present');
    fresh.retire(late, 'gone');
    trace.wait(10);
    const again = fresh.define({ epoch: 'run 2', began: 105, startUs: at(105), life: 1 });
    fresh.report({ [again]: 6 });
    t.like(trace.own('h'), { amount: 6, startUs: at(105) });
    t.is(trace.core.counters.refusedSeries.epoch_old, 1);
    trace.end({ total: 31 }, { 'own h': 31 });
  });
}
