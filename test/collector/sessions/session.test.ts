import test from 'ava';
import { type Attributes, type AttributeValue, attributes } from '../../../otel/model/attributes.ts';
import { type MetricDescription, metric } from '../../../otel/model/metric.ts';
import { encodeAgentMessage } from '../../../proto/messages/agent-message.ts';
import type { Refuse, Welcome } from '../../../proto/messages/collector-message.ts';
import type { Define } from '../../../proto/messages/define.ts';
import type { CatalogueSeries } from '../../model/catalogue.ts';
import type { FakeStream, Value } from '../../model/fake-agent.ts';
import { birthUs, Core } from '../core.ts';

const counter = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const upDown = metric({ name: 'inflight', kind: 'sum' });
const gauge = metric({ name: 'temperature', kind: 'gauge' });
const histogram = metric({ name: 'latency', kind: 'histogram', explicitBounds: [1, 2], hasSum: true });

function of(m: MetricDescription, own: Record<string, AttributeValue> = {}, group = 0): CatalogueSeries {
  return { metric: m, attributes: attributes(own), group, isForeign: false };
}

const host: Attributes = attributes({ host: 'h' });

function joined(core: Core, incarnation = 1): FakeStream {
  const stream = core.stream();
  stream.hello('m', incarnation, host);
  return stream;
}

let times = 0;

function report(stream: FakeStream, values: Record<number, Value | undefined>, group = 0): void {
  const next = Math.max(stream.session.lastReport, stream.columns.lastReport) + 1;
  const list = Object.entries(values).map(([number, value]) => [Number(number), value] as const);
  stream.report(group, birthUs + ++times, new Map(list), next);
}

function refusals(stream: FakeStream): Refuse[] {
  return stream.received.filter((message) => message.type === 'refuse');
}

const nothing: Define = { type: 'define', resources: [], scopes: [], metrics: [], epochs: [], series: [] };

test('welcome tells the session, what is known and what is allowed', (t) => {
  const core = new Core();
  const welcome = joined(core).received[0] as Welcome;
  t.like(welcome, { type: 'welcome', lastReport: 0, durability: 'memory', protocolVersion: 1 });
  t.is(welcome.limits.maxSeries, 1000);
  t.truthy(welcome.session);
  t.deepEqual(welcome.position?.directoryId, Buffer.alloc(16));
});

const ends = test.macro<[(stream: FakeStream, core: Core) => void, string, RegExp]>({
  exec(t, act, cause, message) {
    const core = new Core({ limits: { maxAttributes: 2, maxAttributeBytes: 8 } });
    const stream = core.stream();
    act(stream, core);
    t.is(stream.ended?.cause, cause);
    t.regex(stream.ended?.message ?? '', message);
    t.is(core.counters.streamsEnded[cause as 'invalid'], 1);
    t.is(core.sessions.size, 0);
    const told = stream.received.length;
    stream.session.receive(Buffer.from([0xff]));
    t.is(stream.received.length, told, 'an ended session hears and says no more');
  },
  title: (name) => `ends the stream: ${name}`,
});

const hello = (stream: FakeStream) => stream.hello('m', 1, host);

test('bytes that are no message', ends, (s) => s.session.receive(Buffer.from([0xff, 0xff])), 'invalid', /./);
test('no bytes', ends, (s) => s.session.receive(Buffer.alloc(0)), 'invalid', /holds nothing/);
test(
  'a report before hello',
  ends,
  (s) => s.session.receive(Buffer.from([0x0a, 0])),
  'invalid',
  /before hello/,
);
test(
  'define before hello',
  ends,
  (s) => s.session.receive(encodeAgentMessage(nothing)),
  'invalid',
  /define came before hello/,
);
test('goodbye before hello', ends, (s) => s.goodbye(0), 'invalid', /goodbye came before hello/);
test(
  'hello twice',
  ends,
  (s) => {
    hello(s);
    hello(s);
  },
  'invalid',
  /hello came twice/,
);
test(
  'a report of a group without series',
  ends,
  (s) => {
    hello(s);
    s.session.receive(Buffer.from([0x0a, 0, 0x38, 1]));
  },
  'invalid',
  /group 0 is reported/,
);
test(
  'too many attributes of the resource',
  ends,
  (s) => s.hello('m', 1, attributes({ a: 1, b: 2, c: 3 })),
  'invalid',
  /3 attributes; at most 2/,
);
test(
  'too long a value in the resource',
  ends,
  (s) => s.hello('m', 1, attributes({ a: 'x'.repeat(9) })),
  'invalid',
  /hello.resource.*9 bytes; at most 8/,
);
test(
  'a retire of what is not defined',
  ends,
  (s) => {
    hello(s);
    s.session.receive(encodeAgentMessage({ type: 'retire', series: [3], reason: 'gone' }));
  },
  'invalid',
  /series 3 is retired but not defined/,
);
test(
  'a metric number that is in use',
  ends,
  (s) => {
    hello(s);
    const definition = { ...counter, number: 1, scope: 0 };
    s.session.receive(encodeAgentMessage({ ...nothing, metrics: [definition, definition] }));
  },
  'invalid',
  /metrics\[1\].number.*in use/,
);
test(
  'a series of an unknown metric',
  ends,
  (s) => {
    hello(s);
    const series = { number: 1, resource: 0, metric: 7, attributes: [], group: 0, epoch: 0, startTimeUs: 0 };
    s.session.receive(encodeAgentMessage({ ...nothing, series: [series] }));
  },
  'invalid',
  /series\[0\].metric: metric 7 is not defined/,
);
test(
  'goodbye that claims more reports than came',
  ends,
  (s) => {
    hello(s);
    report(s, { [s.define(of(counter), 'e', 0, 0)]: 1 });
    s.goodbye(2);
  },
  'invalid',
  /goodbye.last_report: is 2, but the last report that came is 1/,
);
test(
  'half-close',
  ends,
  (s) => {
    hello(s);
    s.session.receivedEnd();
  },
  'half_closed',
  /^$/,
);
test(
  'a clone',
  ends,
  (s, core) => {
    joined(core);
    s.hello('m', 2, host, 'another boot');
    core.sessions.stop();
  },
  'clone',
  /^the agent at 127\.0\.0\.1:1 has the same id .* agent_id of its own$/,
);
test(
  'a stream with more cells than it may have',
  ends,
  (s) => {
    hello(s);
    const wide = metric({
      name: 'wide',
      kind: 'histogram',
      explicitBounds: Array.from({ length: 1024 }, (_, i) => i),
    });
    for (let i = 0; i < 16; i++) if (s.ended === undefined) s.define(of(wide, { i: BigInt(i) }), 'e', 0, 0);
  },
  'limit',
  /above 16000 values/,
);

test('a report number that is not above the last one of the incarnation ends the stream', (t) => {
  const core = new Core();
  const first = joined(core);
  report(first, { [first.define(of(counter), 'e', 0, 0)]: 1 });
  report(first, {});
  const second = joined(core);
  t.is((second.received[0] as Welcome).lastReport, 2);
  t.is(first.ended?.cause, 'displaced');
  const number = second.define(of(counter), 'e', 0, 0);
  second.report(0, birthUs, new Map([[number, 1]]), 2);
  t.regex(second.ended?.message ?? '', /report number 2 is not above 2/);
});

test('goodbye is acknowledged before the stream ends, and the member leaves gauges', (t) => {
  const core = new Core();
  const stream = joined(core);
  report(stream, { [stream.define(of(gauge), '', undefined, 0)]: 5 });
  t.deepEqual(core.values('temperature'), [5]);
  stream.goodbye(1);
  t.like(stream.received.at(-1), { type: 'ack', report: 1 });
  t.is(stream.ended?.cause, 'goodbye');
  t.deepEqual(core.values('temperature'), []);
});

const baseline = test.macro<[number | undefined, number]>({
  exec(t, beganUs, shown) {
    const views = [
      { selector: {}, stream: { name: 'all', resourceKeys: [], aggregation: 'default' as const } },
    ];
    const core = new Core({ views });
    core.nowUs += 10_000_000;
    const stream = joined(core);
    const number = stream.define(of(counter), 'e', beganUs, 0);
    report(stream, { [number]: 100 });
    report(stream, { [number]: 130 });
    t.deepEqual(core.values('all'), [shown]);
    t.is(core.counters.baselines, shown === 130 ? 0 : 1);
  },
  title: (_, beganUs, shown) =>
    `an epoch that began ${beganUs ?? 'nobody knows when'} us from Welcome counts ${shown}`,
});

// The collector was born ten seconds before Welcome.
test(baseline, -9_999_999, 130);
test(baseline, -10_000_000, 30);
test(baseline, -20_000_000, 30);
test(baseline, 0, 130);
test(baseline, undefined, 30);

test('a fall under the same epoch is refused once, counted each time, and changes nothing', (t) => {
  const core = new Core();
  const stream = joined(core);
  const number = stream.define(of(counter), 'e', 0, 0);
  for (const value of [10, 4, 5, 11]) report(stream, { [number]: value });
  t.is(refusals(stream).length, 1);
  t.like(refusals(stream)[0], { kind: 'epoch_fell', report: 2, series: [number], retryDelayMs: undefined });
  t.is(core.counters.refusedPoints.epoch_fell, 2);
  t.deepEqual(core.values('jobs'), [11]);
});

test('a fall over a reconnect is refused, and counts once a report', (t) => {
  const core = new Core();
  const first = joined(core);
  report(first, { [first.define(of(counter), 'e', 0, 0)]: 10 });
  const second = joined(core);
  const number = second.define(of(counter), 'e', 0, 0);
  report(second, { [number]: 4 });
  t.is(core.counters.refusedPoints.epoch_fell, 1);
  t.like(refusals(second)[0], { kind: 'epoch_fell', report: 2 });
  t.deepEqual(core.values('jobs'), [10]);
  report(second, { [number]: 12 });
  t.deepEqual(core.values('jobs'), [12]);
});

test('an older epoch is refused; a new one after it is not', (t) => {
  const core = new Core();
  const stream = joined(core);
  for (const [i, epoch] of ['e1', 'e2', 'e1', 'e3'].entries()) {
    const number = stream.define(of(counter), epoch, 0, 0);
    report(stream, { [number]: 1 + i });
    stream.retire(number, 'idle');
  }
  t.deepEqual(
    refusals(stream).map(({ kind, report: at, series }) => ({ kind, at, series })),
    [{ kind: 'epoch_old', at: 0, series: [3] }],
  );
  t.is(core.counters.refusedSeries.epoch_old, 1);
});

for (const value of [Number.NaN, Infinity, -Infinity])
  test(`a sum of ${value} is refused, of both kinds, and of a gauge it is not`, (t) => {
    const core = new Core();
    const stream = joined(core);
    const numbers = [of(counter), of(upDown), of(gauge)].map((series) => stream.define(series, 'e', 0, 0));
    report(stream, { [numbers[0]]: value, [numbers[1]]: value, [numbers[2]]: value });
    t.deepEqual(
      refusals(stream).map(({ kind }) => kind),
      ['not_finite', 'not_finite'],
    );
    t.is(core.counters.refusedPoints.not_finite, 2);
    t.deepEqual(core.values('temperature'), [value]);
    t.deepEqual(core.values('jobs'), []);
    report(stream, { [numbers[0]]: 3, [numbers[1]]: -3, [numbers[2]]: 1 });
    t.deepEqual([core.values('jobs'), core.values('inflight')], [[3], [-3]]);
  });

test('a counter below zero is invalid, and what others count is not touched', (t) => {
  const views = [
    { selector: {}, stream: { name: 'all', resourceKeys: [], aggregation: 'default' as const } },
  ];
  const core = new Core({ views });
  const stream = joined(core);
  const good = stream.define(of(counter, { a: 1 }), 'e', 1, 0);
  const bad = stream.define(of(counter, { a: 2 }), 'e', 1, 0);
  report(stream, { [good]: 5, [bad]: -1000 });
  t.like(refusals(stream)[0], { kind: 'invalid', series: [bad] });
  t.is(core.counters.refusedPoints.negative, 1);
  t.deepEqual(core.values('all').sort(), [0, 5]);
});

test('a first report without a recorded value is no first value', (t) => {
  const views = [
    { selector: {}, stream: { name: 'all', resourceKeys: [], aggregation: 'default' as const } },
  ];
  const core = new Core({ views });
  const stream = joined(core);
  const number = stream.define(of(counter), 'e', undefined, 0);
  report(stream, { [number]: undefined });
  report(stream, { [number]: 1_000_000 });
  report(stream, { [number]: 1_000_001 });
  t.deepEqual(core.values('all'), [1]);
});

test('a recorded value on a new stream takes back that there was none on the old one', (t) => {
  const core = new Core();
  const first = joined(core);
  const number = first.define(of(gauge), '', undefined, 0);
  report(first, { [number]: 4 });
  report(first, { [number]: undefined });
  t.true(core.scrape().get('temperature')?.[0].isWithoutValue);
  const second = joined(core);
  report(second, { [second.define(of(gauge), '', undefined, 0)]: 4 });
  t.false(core.scrape().get('temperature')?.[0].isWithoutValue);
});

test('over the limit of series: refused with a delay, cells kept, the rest goes on', (t) => {
  const core = new Core({ limits: { maxSeries: 2 } });
  const stream = joined(core);
  const numbers = [1, 2, 3].map((a) => stream.define(of(counter, { a }), 'e', 0, 0));
  t.deepEqual(
    refusals(stream).map(({ kind, series, retryDelayMs, fieldPath }) => ({
      kind,
      series,
      retryDelayMs,
      fieldPath,
    })),
    [{ kind: 'limit', series: [numbers[2]], retryDelayMs: 60_000, fieldPath: 'series[0]' }],
  );
  report(stream, { [numbers[0]]: 1, [numbers[1]]: 2, [numbers[2]]: 3 });
  t.deepEqual(core.values('jobs'), [1, 2]);
  // With room again, the same series is taken under a new number.
  stream.retire(numbers[0], 'gone');
  stream.retire(numbers[2], 'idle');
  const again = stream.define(of(counter, { a: 3 }), 'e', 0, 0);
  report(stream, { [again]: 7 });
  t.deepEqual(core.values('jobs'), [2, 7]);
  t.is(core.counters.refusedSeries.limit, 1);
});

const badAttributes = test.macro<[Attributes, RegExp]>({
  exec(t, list, reason) {
    const core = new Core({ limits: { maxAttributes: 2, maxAttributeBytes: 8 } });
    const stream = joined(core);
    const bad = stream.define({ ...of(counter), attributes: list }, 'e', 0, 0);
    const good = stream.define(of(counter), 'e', 0, 0);
    t.is(stream.ended, undefined);
    t.like(refusals(stream)[0], { kind: 'invalid', series: [bad], retryDelayMs: undefined });
    t.regex(refusals(stream)[0].reason, reason);
    t.regex(refusals(stream)[0].fieldPath, /^series\[0\]\.attributes/);
    report(stream, { [bad]: 5, [good]: 6 });
    t.deepEqual(core.values('jobs'), [6]);
    stream.retire(bad, 'gone');
    report(stream, { [good]: 7 });
    t.is(stream.ended, undefined);
    t.deepEqual(core.values('jobs'), [7]);
  },
  title: (name) => `attributes over a limit are refused: ${name}`,
});

test('too many', badAttributes, attributes({ a: 1, b: 2, c: 3 }), /3 attributes; at most 2/);
test('a long value', badAttributes, attributes({ a: 'x'.repeat(9) }), /value of 9 bytes; at most 8/);
test('a long key', badAttributes, attributes({ abcdefghi: 1 }), /key of 9/);
test('eight bytes in three characters', badAttributes, attributes({ a: '日日日' }), /value of 9/);
test('an empty key', badAttributes, attributes({ '': 1 }), /not empty/);
test(
  'a key twice',
  badAttributes,
  [
    ['a', 1],
    ['a', 2],
  ],
  /comes twice/,
);

test('a series that has a number already is refused, in the same group and in another; the first number goes on', (t) => {
  const core = new Core();
  const stream = joined(core);
  const first = stream.define(of(counter), 'e', 0, 0);
  const same = stream.define(of(counter), 'e', 0, 0);
  const elsewhere = stream.define(of(counter, {}, 1), 'other', 0, 0);
  t.deepEqual(
    refusals(stream).map(({ kind, series }) => ({ kind, series })),
    [
      { kind: 'invalid', series: [same] },
      { kind: 'invalid', series: [elsewhere] },
    ],
  );
  report(stream, { [first]: 3, [same]: 9 });
  report(stream, { [elsewhere]: 11 }, 1);
  t.deepEqual(core.values('jobs'), [3]);
  // What the refused number does harms neither the first one nor whoever has the slot later.
  stream.retire(same, 'gone');
  stream.retire(elsewhere, 'gone');
  core.wait(5);
  report(stream, { [first]: 4 });
  t.deepEqual(core.values('jobs'), [4]);
  t.is(core.store.seriesCount, 1);
});

test('a series may move to another group once its number is retired', (t) => {
  const core = new Core();
  const stream = joined(core);
  const first = stream.define(of(counter), 'e', 0, 0);
  report(stream, { [first]: 3 });
  stream.retire(first, 'idle');
  report(stream, { [stream.define(of(counter, {}, 1), 'e', 0, 0)]: 5 }, 1);
  t.deepEqual(core.values('jobs'), [5]);
  t.is(core.store.seriesCount, 1);
});

test('all kinds of metrics are taken, and said to be', (t) => {
  const core = new Core();
  const stream = joined(core);
  t.deepEqual((stream.received[0] as Welcome).capabilities, ['exponential_histogram', 'summary']);
  for (const kind of ['sum', 'gauge', 'histogram', 'exponential_histogram', 'summary'] as const)
    stream.define(of(metric({ name: kind, kind })), 'e', 0, 0);
  t.is(refusals(stream).length, 0);
  t.is(core.store.seriesCount, 5);
  for (let number = 1; number <= 5; number++) stream.retire(number, 'gone');
  t.is(stream.ended, undefined);
  t.is(core.store.endedCount, 5);
});

test('a histogram is taken whole or not at all', (t) => {
  const core = new Core();
  const stream = joined(core);
  const number = stream.define(of(histogram), 'e', 0, 0);
  report(stream, { [number]: [5, 5, 5, 30] });
  for (const bad of [
    [6, 4, 6, 31],
    [Number.NaN, 6, 6, 32],
    [6, Infinity, 6, 33],
  ]) {
    report(stream, { [number]: bad });
    t.deepEqual(core.values('latency'), [[5, 5, 5, 30]]);
  }
  t.deepEqual(core.counters.refusedPoints, { epoch_fell: 1, not_finite: 2, negative: 0, out_of_range: 0 });
  report(stream, { [number]: [6, 6, 6, 36] });
  t.deepEqual(core.values('latency'), [[6, 6, 6, 36]]);
});

test('a histogram without a value, or whose value is refused, has no range', (t) => {
  const core = new Core();
  const stream = joined(core);
  const withRange = metric({ ...histogram, hasMin: true, hasMax: true });
  const number = stream.define(of(withRange), 'e', 0, 0);
  const { histograms } = core.store;
  const range = () => [histograms.mins.get(1), histograms.maxes.get(1)];
  const tell = (counts: readonly number[] | undefined, min = 0, max = 0) => {
    const columns = stream.columns.groups.get(0)!;
    const isGiven = counts !== undefined;
    const group = {
      group: 0,
      timeUs: birthUs + ++times,
      histogramBucketCounts: isGiven ? Float64Array.from(counts) : undefined,
      histogramMins: isGiven ? Float64Array.of(min) : undefined,
      histogramMaxes: isGiven ? Float64Array.of(max) : undefined,
      noRecordedValue: isGiven ? [] : [0],
    };
    t.is(columns.places, 1);
    stream.send([group], stream.session.lastReport + 1);
  };
  tell(undefined);
  t.deepEqual(range(), [NaN, NaN]);
  tell([1, 2, 0], 3, 15);
  t.deepEqual(range(), [3, 15]);
  tell([0, 2, 0], 1, 99);
  t.is(core.counters.refusedPoints.epoch_fell, 1);
  t.deepEqual(range(), [3, 15]);
  stream.retire(number, 'idle');
  stream.define(of(withRange), 'e', 0, 0);
  tell(undefined);
  t.deepEqual(range(), [3, 15], 'of the same epoch under another number');
});

test('what is told on a session that ends in the midst of it is not sent', (t) => {
  const core = new Core({ limits: { maxSeries: 1 } });
  const stream = core.stream();
  const { session } = stream;
  stream.hello('m', 1, host);
  const send = stream.received.push.bind(stream.received);
  stream.received.push = (message) => {
    session.end('limit', 'enough');
    return send(message);
  };
  stream.define(of(counter), 'e', 0, 0);
  for (const a of [1, 2]) stream.define(of(counter, { a }), 'e', 0, 0);
  t.is(refusals(stream).length, 1);
});
