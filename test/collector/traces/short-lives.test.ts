import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { emptyResource } from '../../../otel/model/resource.ts';
import { emptyScope } from '../../../otel/model/scope.ts';
import { PointIntake } from '../../../otel/state/intake/point-intake.ts';
import { birthUs } from '../core.ts';
import { counters } from './counters.ts';
import { skewUs } from './run.ts';
import { day, second, Trace } from './trace.ts';

const at = (seconds: number) => birthUs + seconds * second + skewUs;

for (const counter of counters) {
  test(`${counter.name}: a pod lives ten seconds, and readers collect meanwhile: its whole count is in the total for good`, (t) => {
    const trace = new Trace(t, counter);
    trace.wait(100);
    const pod = trace.run('pod');
    const jobs = pod.define({ epoch: 'pod', began: 99, startUs: at(99) });
    pod.report({ [jobs]: 3 });
    trace.wait(5);
    pod.report({ [jobs]: 8 });
    trace.wait(5);
    pod.report({ [jobs]: 12 });
    pod.goodbye();
    t.is(pod.end, 'goodbye');
    t.is(trace.total(), 12);
    trace.wait(60);
    t.is(trace.own('pod'), undefined, 'it left when it said goodbye');
    for (let hours = 0; hours < 25; hours++) trace.wait(3600);
    t.is(trace.core.store.members.size, 0);
    t.is(trace.core.store.seriesCount, 0, 'nothing is held of it');
    t.deepEqual(trace.booked('pod'), { reported: 12, counted: 12, baseline: 0 });
    trace.end({ total: 12 }, { 'own pod': 12 });
  });

  test(`${counter.name}: a pod is over before any reader collected: all of it reaches them all the same`, (t) => {
    const trace = new Trace(t, counter);
    trace.core.nowUs += 100 * second;
    const pod = trace.run('pod');
    const jobs = pod.define({ epoch: 'pod', began: 99, startUs: at(99) });
    pod.report({ [jobs]: 3 });
    trace.core.nowUs += 10 * second;
    pod.report({ [jobs]: 12 });
    pod.retire(jobs, 'gone');
    pod.goodbye();
    trace.core.sessions.tick();
    trace.core.outputs.sweep();
    t.is(trace.core.store.seriesCount, 1, 'held until readers have seen it');
    const seen = trace.core.outputs.addReader('cumulative');
    const [shown] = trace.pointsFor(seen).filter(({ output }) => output === 'own');
    t.like(shown, { amount: 12, startUs: at(99), timeUs: at(110) }, 'its last state, once');
    trace.core.outputs.delivered(seen);
    t.is(trace.total(), 12);
    trace.end({ total: 12 }, { 'own pod': 12 });
  });

  test(`${counter.name}: a pod that is older than the collector: what it counted before is set aside, and nothing of it twice`, (t) => {
    const trace = new Trace(t, counter);
    trace.core.nowUs += 2 * second;
    const pod = trace.run('pod', { run: 1 });
    const jobs = pod.define({ epoch: 'pod', began: -3, startUs: at(-3) });
    pod.report({ [jobs]: 9 });
    pod.report({ [jobs]: 11 });
    // Its connection breaks, and its last report is sent once more on the next one.
    pod.cut();
    const again = trace.run('pod', { run: 1 });
    const same = again.define({ epoch: 'pod', began: -3, startUs: at(-3) });
    again.report({ [same]: 11 });
    again.report({ [same]: 14 });
    again.goodbye();
    trace.wait(10);
    t.is(trace.total(), 5);
    t.deepEqual(trace.booked('pod'), { reported: 14, counted: 5, baseline: 9 });
    trace.end({ total: 5 }, { 'own pod': 5 });
  });

  test(`${counter.name}: a hundred pods, one after the other, of ten seconds each`, (t) => {
    const trace = new Trace(t, counter);
    let counted = 0;
    const hosts: Record<string, number> = {};
    for (let i = 0; i < 100; i++) {
      const pod = trace.run(`pod ${i}`);
      const jobs = pod.define({ epoch: `pod ${i}`, began: trace.seconds - 1, life: i });
      // The very first began before the collector did: its first 4 are set aside.
      pod.report({ [jobs]: 4 });
      trace.wait(10);
      pod.report({ [jobs]: 4 + (i % 7) });
      if (i % 2 === 0) pod.goodbye();
      else pod.cut();
      const own = (i === 0 ? 0 : 4) + (i % 7);
      counted += own;
      if (own > 0) hosts[`own pod ${i}`] = own;
    }
    t.is(counted, 396 + 14 * 21 + 1);
    t.is(trace.total(), counted);
    trace.wait(day);
    trace.wait(10);
    trace.wait(10);
    t.is(trace.core.store.members.size, 0);
    trace.end({ total: counted }, hosts);
  });
}

test('a pod that sends OTLP: deltas, and cumulative points of a known start, come to its whole count', (t) => {
  const [sum] = counters;
  const trace = new Trace(t, sum);
  const { core } = trace;
  const { store } = core;
  const intake = new PointIntake(store);
  trace.wait(100);
  for (const temporality of ['delta', 'cumulative'] as const) {
    const resource = { ...emptyResource, attributes: attributes({ host: temporality }) };
    const member = store.join(temporality, resource, core.nowUs);
    const handle = intake.define(
      member,
      { scope: emptyScope, metric: sum.metric, attributes: attributes({}), resource: undefined },
      core.nowUs,
    ) as number;
    const point = (fromS: number, toS: number, value: number) =>
      intake.sum(handle, temporality, at(fromS), at(toS), value, core.nowUs);
    const start = trace.seconds;
    trace.wait(5);
    t.is(point(start, start + 5, 8), 'merged');
    trace.wait(5);
    const [from, value] = temporality === 'delta' ? [start + 5, 4] : [start, 12];
    t.is(point(from, start + 10, value), 'merged');
    t.is(point(from, start + 10, value), 'duplicate', 'its exporter tried again');
    t.like(trace.own(temporality), { amount: 12, startUs: at(start), timeUs: at(start + 10) });
    intake.retire(handle, 'gone', core.nowUs);
  }
  t.is(trace.total(), 24);
  trace.wait(10);
  trace.wait(day);
  trace.end({ total: 24 }, { 'own delta': 12, 'own cumulative': 12 });
});
