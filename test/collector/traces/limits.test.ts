import test from 'ava';
import { birthUs } from '../core.ts';
import { counters } from './counters.ts';
import { skewUs } from './run.ts';
import { second, Trace } from './trace.ts';

const at = (seconds: number) => birthUs + seconds * second + skewUs;

for (const counter of counters) {
  test(`${counter.name}: refused by a limit; the limit is raised, the agent restarts, and it is accepted: it starts at zero in a new epoch`, (t) => {
    const trace = new Trace(t, counter, { limits: { maxSeries: 60 } });
    trace.wait(100);
    const first = trace.run('h', { run: 1 });
    first.fill(59);
    const a = first.define({ epoch: 'run 1 a', began: 99, startUs: at(99), series: 'a' });
    const b = first.define({ epoch: 'run 1 b', began: 99, startUs: at(99), series: 'b', life: 1 });
    t.like(first.refused[0], { kind: 'limit', report: 0, series: [b], retryDelayMs: 60_000 });
    t.regex(first.refused[0].reason, /has 60 series; at most 60 are allowed/);
    // Reports that were under way hold its cells; the agent books what it counts as refused.
    first.report({ [a]: 5, [b]: 33 });
    first.report({ [a]: 6, [b]: 34 });
    t.is(trace.own('h', ' b'), undefined);
    t.deepEqual(trace.booked('h'), { reported: 6, counted: 6, baseline: 0 });
    first.retire(b, 'idle');
    trace.wait(60);
    // The operator raises the limit; the agent is started again before it has tried once more.
    trace.core.limits.maxSeries = 61;
    first.cut();
    const second = trace.run('h', { run: 2 });
    second.fill(59);
    const aAgain = second.define({ epoch: 'run 2 a', began: 155, startUs: at(155), series: 'a' });
    second.report({ [aAgain]: 2 });
    trace.wait(10);
    // It counted 4 since its start, which it has booked as not told. Now that it is accepted it opens an epoch at zero.
    const bAgain = second.define({ epoch: 'run 2 b 1', began: 170, startUs: at(170), series: 'b', life: 2 });
    t.deepEqual(second.refused, []);
    second.report({ [aAgain]: 2, [bAgain]: 0 });
    t.is(trace.total(' b'), 0);
    t.like(trace.own('h', ' b'), { amount: 0, startUs: at(170) });
    trace.wait(10);
    second.report({ [aAgain]: 3, [bAgain]: 6 });
    t.like(trace.own('h', ' b'), { amount: 6, startUs: at(170) });
    t.deepEqual(trace.booked('h'), { reported: 15, counted: 15, baseline: 0 });
    trace.end({ 'total a': 9, 'total b': 6 }, { 'own a h': 9, 'own b h': 6 });
  });

  test(`${counter.name}: refused by a limit, room is made on the same stream, and the same agent is accepted`, (t) => {
    const trace = new Trace(t, counter, { limits: { maxSeries: 60 } });
    trace.wait(100);
    const run = trace.run('h');
    run.fill(59);
    const a = run.define({ epoch: 'a', began: 99, series: 'a' });
    const b = run.define({ epoch: 'b', began: 99, series: 'b' });
    run.report({ [a]: 5, [b]: 33 });
    run.retire(a, 'gone');
    run.retire(b, 'idle');
    trace.wait(60);
    const again = run.define({ epoch: 'b 1', began: 160, startUs: at(160), series: 'b', life: 1 });
    run.report({ [again]: 0 });
    trace.wait(1);
    run.report({ [again]: 2 });
    t.is(run.end, undefined, run.stream.ended?.message);
    t.is(run.refused.length, 1);
    t.deepEqual([trace.total(' a'), trace.total(' b')], [5, 2]);
    trace.end({ 'total a': 5, 'total b': 2 }, { 'own a h': 5, 'own b h': 2 });
  });
}
