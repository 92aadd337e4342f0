import test from 'ava';
import { birthUs } from '../core.ts';
import { counters } from './counters.ts';
import { skewUs } from './run.ts';
import { second, Trace } from './trace.ts';

const at = (seconds: number) => birthUs + seconds * second + skewUs;

/** A host whose device counts from 0 to 50 under our eyes. */
function withDevice(trace: Trace) {
  trace.wait(100);
  const run = trace.run('h');
  const veth7 = run.define({ epoch: 'boot 1 veth index 7', began: 60, startUs: at(60) });
  run.report({ [veth7]: 20 });
  trace.wait(10);
  run.report({ [veth7]: 50 });
  return { run, veth7 };
}

for (const counter of counters) {
  test(`${counter.name}: a device cannot be read for a while, and is back with its index and its counts`, (t) => {
    const trace = new Trace(t, counter);
    const { run, veth7 } = withDevice(trace);
    run.retire(veth7, 'idle');
    trace.wait(30);
    t.is(trace.own('h'), undefined);
    t.is(trace.total(), 50);
    const again = run.define({ epoch: 'boot 1 veth index 7', began: 60, startUs: at(60) });
    run.report({ [again]: 70 });
    t.like(trace.own('h'), { amount: 70, startUs: at(60) });
    t.is(trace.total(), 70);
    trace.end({ total: 70 }, { 'own h': 70 });
  });

  test(`${counter.name}: a device is gone, and one with the same index counts from zero`, (t) => {
    const trace = new Trace(t, counter);
    const { run, veth7 } = withDevice(trace);
    run.retire(veth7, 'gone');
    // At once, before any reader has collected, let alone freed it.
    const again = run.define({ epoch: 'boot 1 veth index 7 fall 1', began: 109, startUs: at(109), life: 1 });
    run.report({ [again]: 3 });
    t.is(trace.total(), 53);
    t.like(trace.own('h'), { amount: 3, startUs: at(109) });
    trace.wait(10);
    run.report({ [again]: 9 });
    run.retire(again, 'gone');
    trace.wait(10);
    trace.wait(10);
    t.is(trace.core.store.seriesCount, 1, 'the second reader is yet to collect');
    trace.wait(10);
    trace.wait(10);
    t.is(trace.core.store.seriesCount, 0, 'it was freed');
    t.is(trace.total(), 59);
    // And once more after that.
    const third = run.define({ epoch: 'boot 1 veth index 7 fall 2', began: 145, startUs: at(145), life: 2 });
    run.report({ [third]: 1 });
    t.is(trace.total(), 60);
    t.like(trace.own('h'), { amount: 1, startUs: at(145) });
    trace.end({ total: 60 }, { 'own h': 60 });
  });

  test(`${counter.name}: a device is gone, and back with a new index`, (t) => {
    const trace = new Trace(t, counter);
    const { run, veth7 } = withDevice(trace);
    trace.wait(10);
    // It counted 5 more, which the last report holds, and then it is gone.
    run.report({ [veth7]: 55 });
    run.retire(veth7, 'gone');
    trace.wait(60);
    const veth9 = run.define({ epoch: 'boot 1 veth index 9', began: 150, startUs: at(150), life: 1 });
    run.report({ [veth9]: 8 });
    t.is(trace.total(), 63);
    t.like(trace.own('h'), { amount: 8, startUs: at(150) });
    trace.end({ total: 63 }, { 'own h': 63 });
  });

  test(`${counter.name}: a device is back, and nobody knows since when it counts: its first value is a baseline`, (t) => {
    const trace = new Trace(t, counter);
    const { run, veth7 } = withDevice(trace);
    run.retire(veth7, 'gone');
    const again = run.define({ epoch: 'boot 1 veth index 9', began: undefined, life: 1 });
    run.report({ [again]: 12 });
    t.is(trace.total(), 50);
    t.like(
      trace.own('h'),
      { amount: 12, startUs: at(110) },
      'it shows the last sample of the life before as its start',
    );
    run.report({ [again]: 13 });
    t.deepEqual(trace.booked('h'), { reported: 63, counted: 51, baseline: 12 });
    trace.end({ total: 51 }, { 'own h': 51 });
  });
}
