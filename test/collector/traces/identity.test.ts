import test from 'ava';
import { birthUs } from '../core.ts';
import { counters } from './counters.ts';
import { skewUs } from './run.ts';
import { second, Trace } from './trace.ts';

const at = (seconds: number) => birthUs + seconds * second + skewUs;

for (const counter of counters) {
  test(`${counter.name}: one process on two streams: the same incarnation takes over, and what the old stream still says is not heard`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const first = trace.run('h', { run: 1 });
    const jobs = first.define({ epoch: 'run 1', began: 90, startUs: at(90) });
    first.report({ [jobs]: 10 });
    trace.wait(5);
    // The path broke, which only the agent knows. Its second stream brings the whole state.
    const second = trace.run('h', { run: 1 });
    t.is(first.end, 'displaced');
    t.like(second.stream.received[0], { type: 'welcome', lastReport: 1 });
    const again = second.define({ epoch: 'run 1', began: 90, startUs: at(90) });
    second.report({ [again]: 17 });
    t.is(trace.total(), 17);
    first.report({ [jobs]: 12 });
    t.is(trace.total(), 17, 'what was under way on the old stream comes to nothing');
    t.like(trace.own('h'), { amount: 17, startUs: at(90) });
    // And a third time, in the midst of it: a report is delivered twice.
    const third = trace.run('h', { run: 1 });
    const once = third.define({ epoch: 'run 1', began: 90, startUs: at(90) });
    third.report({ [once]: 17 });
    third.report({ [once]: 18 });
    t.is(second.end, 'displaced');
    t.deepEqual(trace.booked('h'), { reported: 18, counted: 18, baseline: 0 });
    trace.end({ total: 18 }, { 'own h': 18 });
  });

  test(`${counter.name}: a cloned disk: the second machine is refused while the first one lives, and the total knows one of them at a time`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const original = trace.run('h', { run: 1, boot: 'boot of the original' });
    const jobs = original.define({ epoch: 'boot of the original eth0', began: 90, startUs: at(90) });
    original.report({ [jobs]: 10 });
    const refused = trace.run('h', { run: 2, boot: 'boot of the clone' });
    t.is(refused.end, 'clone');
    t.regex(refused.stream.ended?.message ?? '', /127\.0\.0\.1:1 has the same id .* agent_id/);
    t.true(trace.core.logged.some(({ level, fields }) => level === 'warn' && 'cause' in fields));
    trace.wait(10);
    original.report({ [jobs]: 15 });
    t.is(original.end, undefined, 'the first one goes on');
    t.is(trace.total(), 15);
    // The first one is switched off: now the clone is the one with this id, with counters of its own.
    original.cut();
    const clone = trace.run('h', { run: 2, boot: 'boot of the clone' });
    const others = clone.define({ epoch: 'boot of the clone eth0', began: 95, startUs: at(95), life: 1 });
    clone.report({ [others]: 400 });
    t.is(trace.total(), 415, 'its boot is younger than the horizon');
    // The first one is back, and is refused in its turn.
    t.is(trace.run('h', { run: 3, boot: 'boot of the original' }).end, 'clone');
    clone.report({ [others]: 401 });
    t.like(trace.own('h'), { amount: 401, startUs: at(95) });
    trace.end({ total: 416 }, { 'own h': 416 });
  });

  test(`${counter.name}: two processes of one boot under one id: the younger takes over, the elder returns only when that one is gone`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const elder = trace.run('h', { run: 1 });
    const jobs = elder.define({ epoch: 'run 1', began: 90, startUs: at(90) });
    elder.report({ [jobs]: 10 });
    const younger = trace.run('h', { run: 2 });
    t.is(elder.end, 'displaced');
    const its = younger.define({ epoch: 'run 2', began: 99, startUs: at(99), life: 1 });
    younger.report({ [its]: 3 });
    t.is(trace.run('h', { run: 1 }).end, 'clone', 'or they would displace each other for ever');
    younger.report({ [its]: 4 });
    t.is(trace.total(), 14);
    younger.goodbye();
    const back = trace.run('h', { run: 1 });
    t.is(back.end, undefined);
    const late = back.define({ epoch: 'run 1', began: 90, startUs: at(90) });
    t.like(back.refused[0], { kind: 'epoch_old', series: [late] }, 'the younger one is the newer life');
    back.retire(late, 'idle');
    // As agents do then: from what it has now, in a new epoch.
    const opened = back.define({ epoch: 'run 1 fall 1', began: 100, startUs: at(100), life: 2 });
    back.report({ [opened]: 2 });
    t.is(trace.total(), 16);
    trace.end({ total: 16 }, { 'own h': 16 });
  });
}
