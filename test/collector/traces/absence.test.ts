import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { birthUs, Core } from '../core.ts';
import { define, report, view } from '../outputs/members.ts';
import { counters } from './counters.ts';
import { skewUs } from './run.ts';
import { minute, second, Trace } from './trace.ts';

const at = (seconds: number) => birthUs + seconds * second + skewUs;

for (const counter of counters) {
  test(`${counter.name}: a member is silent until it is stale, and returns without a jump`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const other = trace.run('other');
    const others = other.define({ epoch: 'other', began: 90, startUs: at(90) });
    other.report({ [others]: 1000 });
    const before = trace.run('h');
    const jobs = before.define({ epoch: 'run 1', began: 50, startUs: at(50) });
    before.report({ [jobs]: 100 });
    trace.wait(1);
    before.cut();
    for (let minutes = 0; minutes < 6; minutes++) {
      trace.wait(minute);
      other.report({ [others]: 1000 + minutes });
    }
    t.is(trace.core.counters.membersStale, 1);
    t.is(trace.own('h'), undefined, 'it left');
    t.is(trace.total(), 1105, 'what it counted did not');
    // It counted 60 meanwhile, which nobody heard of, and comes back as if nothing had happened.
    const after = trace.run('h');
    const again = after.define({ epoch: 'run 1', began: 50, startUs: at(50) });
    t.is(trace.total(), 1105);
    after.report({ [again]: 160 });
    t.is(trace.total(), 1165);
    t.like(trace.own('h'), { amount: 160, startUs: at(50) });
    trace.end({ total: 1165 }, { 'own h': 160, 'own other': 1005 });
  });

  test(`${counter.name}: a stream is silent until its member is stale, and goes on without another definition`, (t) => {
    const trace = new Trace(t, counter);
    const run = trace.run('h');
    trace.wait(10);
    const jobs = run.define({ epoch: 'run 1', began: 5, startUs: at(5) });
    run.report({ [jobs]: 10 });
    trace.wait(6 * minute);
    t.is(trace.own('h'), undefined);
    run.report({ [jobs]: 10 });
    t.like(trace.own('h'), { amount: 10, startUs: at(5) }, 'unchanged, and present');
    run.report({ [jobs]: 14 });
    trace.end({ total: 14 }, { 'own h': 14 });
  });

  test(`${counter.name}: a member is evicted, and returns: what counted on in between is a baseline, what began since then counts whole`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const kept = trace.run('kept');
    const own = kept.define({ epoch: 'kept', began: 90, startUs: at(90) });
    kept.report({ [own]: 5 });
    const before = trace.run('h', { run: 1 });
    const jobs = before.define({ epoch: 'run 1', began: 50, startUs: at(50), series: 'kernel' });
    before.report({ [jobs]: 100 });
    // The network breaks after the report at 100 s. The host goes on, and its kernel counts.
    before.cut();
    for (let hours = 0; hours < 25; hours++) {
      trace.wait(3600);
      kept.report({ [own]: 6 + hours });
    }
    t.is(trace.core.counters.membersEvicted, 1);
    t.is(trace.core.store.seriesCount, 1, 'its state was freed');
    t.is(trace.core.store.horizonUs, birthUs + 100 * second, 'the horizon moved to its last report');
    t.deepEqual([trace.total(), trace.total(' kernel')], [30, 100]);
    const after = trace.run('h', { run: 2 });
    // As far as the collector knows, the 180 may all have been counted before. The run began an hour after the last report.
    const life = { series: 'kernel', life: 1 };
    const kernel = after.define({ epoch: 'run 1', began: 50, startUs: at(50), ...life });
    const checks = after.define({ epoch: 'run 2', began: 3700, startUs: at(3700), series: 'checks' });
    after.report({ [kernel]: 180, [checks]: 25 });
    t.deepEqual([trace.total(' kernel'), trace.total(' checks')], [100, 25]);
    t.like(trace.own('h', ' kernel'), { amount: 180, startUs: at(50) });
    after.report({ [kernel]: 190, [checks]: 26 });
    t.deepEqual(trace.booked('h'), { reported: 316, counted: 136, baseline: 180 });
    // The horizon is everybody's: a life of another member that began before it is a baseline too.
    const late = trace.run('late');
    const elder = late.define({ epoch: 'late 1', began: 99, series: 'elder' });
    const younger = late.define({ epoch: 'late 2', began: 101, series: 'younger' });
    late.report({ [elder]: 7, [younger]: 9 });
    late.report({ [elder]: 8, [younger]: 9 });
    t.deepEqual([trace.total(' elder'), trace.total(' younger')], [1, 9]);
    trace.end(
      { total: 30, 'total kernel': 110, 'total checks': 26, 'total elder': 1, 'total younger': 9 },
      {
        'own kept': 30,
        // The delta readers saw it to the end, and what came after the baseline.
        'own kernel h': 110,
        'own checks h': 26,
        'own elder late': 1,
        'own younger late': 9,
      },
    );
  });

  test(`${counter.name}: a member over the limit is freed before its time, and returns`, (t) => {
    const trace = new Trace(t, counter, { limits: { maxMembers: 2 } });
    trace.wait(100);
    const runs = ['a', 'b', 'c'].map((id, i) => {
      const run = trace.run(id);
      const jobs = run.define({ epoch: id, began: 90, startUs: at(90) });
      run.report({ [jobs]: 10 * (i + 1) });
      trace.wait(1);
      return run;
    });
    for (const run of runs) run.cut();
    trace.wait(1);
    t.is(trace.core.counters.membersEvicted, 1, 'one has been silent longest');
    t.is(trace.total(), 60);
    const again = trace.run('a', { run: 2 });
    const jobs = again.define({ epoch: 'a', began: 90, startUs: at(90), life: 1 });
    again.report({ [jobs]: 14 });
    t.is(trace.total(), 60, 'of the 14 nobody knows how many were new');
    again.report({ [jobs]: 15 });
    t.is(trace.total(), 61);
    t.is(trace.core.store.horizonUs, birthUs + 100 * second);
    trace.end({ total: 61 }, { 'own a': 11, 'own b': 20, 'own c': 30 });
  });
}

test('gauges and up-down sums leave with a stale member, and are back with it; its counters never left', (t) => {
  const load = metric({ name: 'load', kind: 'gauge' });
  const open = metric({ name: 'open', kind: 'sum' });
  const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
  const core = new Core({ views: [view({ resourceKeys: [], aggregation: 'sum' })] });
  const shown = () => ['load', 'open', 'jobs'].map((name) => core.values(name));
  const numbers = new Map<string, number[]>();
  const join = (id: string, run: number) => {
    const stream = core.stream();
    stream.hello(id, run, attributes({ host: id }));
    numbers.set(
      id,
      [load, open, jobs].map((m) => define(stream, m, attributes({}))),
    );
    return stream;
  };
  const tell = (id: string, stream: ReturnType<typeof join>, values: readonly number[]) =>
    report(core, stream, Object.fromEntries(numbers.get(id)!.map((number, i) => [number, values[i]])));
  const a = join('a', 1);
  const b = join('b', 1);
  tell('a', a, [1, 10, 100]);
  tell('b', b, [2, 20, 200]);
  t.deepEqual(shown(), [[3], [30], [300]]);
  b.session.closed();
  core.wait(200);
  tell('a', a, [1, 10, 101]);
  core.wait(200);
  tell('a', a, [1, 10, 102]);
  t.deepEqual(shown(), [[1], [10], [302]]);
  const back = join('b', 2);
  tell('b', back, [4, 40, 7]);
  t.deepEqual(shown(), [[5], [50], [309]]);
});
