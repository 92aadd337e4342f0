import test from 'ava';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { CatalogueSeries } from '../../model/catalogue.ts';
import { birthUs, Core } from '../core.ts';

const gauge: CatalogueSeries = {
  metric: metric({ name: 'temperature', kind: 'gauge' }),
  attributes: attributes({}),
  group: 0,
  isForeign: false,
};
const other: CatalogueSeries = { ...gauge, attributes: attributes({ other: 1 }) };
const counter: CatalogueSeries = {
  ...gauge,
  metric: metric({ name: 'jobs', kind: 'sum', isMonotonic: true }),
};

test('a silent member leaves gauges after the staleness, and is back with its next report on the same stream', (t) => {
  const core = new Core();
  const stream = core.stream();
  stream.hello('m', 1, attributes({}));
  const numbers = [
    stream.define(gauge, '', undefined, 0),
    stream.define({ ...other, group: 1 }, '', undefined, 0),
  ];
  stream.report(0, birthUs, new Map([[numbers[0], 1]]), 1);
  stream.report(1, birthUs, new Map([[numbers[1], 2]]), 2);
  core.wait(300);
  t.deepEqual(core.values('temperature'), [1, 2]);
  core.wait(1);
  t.deepEqual(core.values('temperature'), []);
  t.is(core.counters.membersStale, 1);
  // Unchanged, and only the group that is reported.
  stream.report(0, birthUs, new Map(), 3);
  t.deepEqual(core.values('temperature'), [1]);
  stream.report(1, birthUs, new Map(), 4);
  t.deepEqual(core.values('temperature'), [1, 2]);
});

test('what a new stream does not define again leaves gauges after the staleness', (t) => {
  const core = new Core();
  const first = core.stream();
  first.hello('m', 1, attributes({}));
  const numbers = [gauge, other].map((series) => first.define(series, '', undefined, 0));
  first.report(
    0,
    birthUs,
    new Map([
      [numbers[0], 1],
      [numbers[1], 2],
    ]),
    1,
  );
  const second = core.stream();
  second.hello('m', 2, attributes({}));
  const again = second.define(gauge, '', undefined, 0);
  second.report(0, birthUs, new Map([[again, 3]]), 1);
  t.deepEqual(core.values('temperature'), [2, 3]);
  core.wait(200);
  second.report(0, birthUs, new Map(), 2);
  core.wait(101);
  t.deepEqual(core.values('temperature'), [3]);
  // A day later it is freed, though its member lives.
  for (let hour = 0; hour < 26; hour++) {
    second.report(0, birthUs, new Map(), 3 + hour);
    core.wait(3601);
  }
  t.is(core.store.seriesCount, 1);
  t.is(core.store.members.size, 1);
});

test('a member is freed after the eviction, but not while its stream is held', (t) => {
  const core = new Core();
  const stream = core.stream();
  stream.hello('m', 1, attributes({}));
  stream.report(0, birthUs, new Map([[stream.define(counter, 'e', 0, 0), 1]]), 1);
  core.wait(86_401);
  t.is(core.store.members.size, 1);
  stream.session.closed();
  core.wait(0);
  t.is(core.store.members.size, 0);
  t.is(core.counters.membersEvicted, 1);
  t.is(core.store.horizonUs, birthUs);
  core.wait(1);
  t.is(core.store.seriesCount, 0);
  t.is(core.store.clocks.size, 0);
});

test('a member without series is not kept once its stream has gone', (t) => {
  const core = new Core();
  for (let i = 0; i < 5; i++) {
    const stream = core.stream();
    stream.hello(`m${i}`, 1, attributes({ i: BigInt(i) }));
    stream.session.closed();
  }
  core.wait(1);
  t.is(core.store.members.size, 0);
  t.is(core.store.references.resources.size, 0);
  t.is(core.counters.membersEvicted, 0);
});

test('reports are acknowledged together', async (t) => {
  const core = new Core();
  const stream = core.stream();
  stream.hello('m', 1, attributes({}));
  const number = stream.define(counter, 'e', 0, 0);
  for (let i = 1; i <= 5; i++) stream.report(0, birthUs + i, new Map([[number, i]]), i);
  t.is(stream.count('ack'), 0);
  while (stream.count('ack') === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  t.like(stream.received.at(-1), { type: 'ack', report: 5 });
  t.is(stream.count('ack'), 1);
});

test('a drain tells every agent, waits for those that leave, and ends those that do not', async (t) => {
  const core = new Core();
  const [leaves, stays] = ['a', 'b'].map((id) => {
    const stream = core.stream();
    stream.hello(id, 1, attributes({}));
    return stream;
  });
  const silent = core.stream();
  const drained = core.sessions.drain(50);
  t.is(silent.ended?.cause, 'draining');
  for (const stream of [leaves, stays])
    t.like(stream.received.at(-1), { type: 'instruct', instruction: { type: 'drain' } });
  t.true(core.sessions.refusal()?.isRetryable);
  leaves.session.receivedEnd();
  t.deepEqual(await drained, { left: 2, cutOff: 1 });
  t.is(leaves.ended?.cause, 'half_closed');
  t.is(stays.ended?.cause, 'draining');
});

test('no more streams than are allowed', (t) => {
  const core = new Core({ limits: { maxStreams: 1 } });
  t.is(core.sessions.refusal(), undefined);
  const stream = core.stream();
  t.like(core.sessions.refusal(), { isRetryable: false });
  t.regex(core.sessions.refusal()?.reason ?? '', /1 streams are held; at most 1 .*grpc.limits.max_streams/);
  stream.session.closed();
  t.is(core.sessions.refusal(), undefined);
});

test('over max_members the longest silent ones without a stream are freed', (t) => {
  const core = new Core({ limits: { maxMembers: 2 } });
  const streams = ['first', 'second', 'third', 'live'].map((id, i) => {
    core.nowUs = birthUs + i * 1e6;
    const stream = core.stream();
    stream.hello(id, i + 1, attributes({}));
    const number = stream.define(counter, id, 0, 0);
    stream.report(0, core.nowUs, new Map([[number, 1]]), 1);
    return stream;
  });
  for (const stream of streams.slice(0, 3)) stream.session.closed();
  core.sessions.tick();
  t.deepEqual(
    [...core.outputs.store.members].map(({ id }) => id),
    ['third', 'live'],
  );
  t.is(core.counters.membersEvicted, 2);
});
