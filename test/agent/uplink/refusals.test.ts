import test from 'ava';
import { until } from '../until.ts';
import { FakeCollector, type SeenStream } from './fake-collector.ts';
import { counter, gauge, uplinkRig } from './uplink-rig.ts';

/** Kinds of Refuse by number, as in the .proto. */
const invalid = 1;
const limit = 2;
const epochFell = 3;
const epochOld = 4;
const notFinite = 5;

async function opened(collector: FakeCollector, rig: ReturnType<typeof uplinkRig>): Promise<SeenStream> {
  rig.uplink.start();
  rig.tick();
  return collector.reported(0, 1);
}

for (const [name, kind] of [
  ['fell', epochFell],
  ['is old', epochOld],
] as const) {
  test(`an epoch that ${name} is retired as gone, and the series goes on in a new one`, async (t) => {
    await using collector = await FakeCollector.start();
    await using rig = uplinkRig(collector.address);
    const cell = rig.group.define(counter('octets'));
    rig.group.define(gauge('load'));
    rig.group.setCounter(cell, 5);
    const stream = await opened(collector, rig);
    const before = stream.live('octets');
    stream.send({ refuse: { kind, report: '1', series: [before.number], reason: 'below 7' } });
    await until('it is counted', () => Object.values(rig.uplink.status().refused).includes(1));
    rig.tick();
    await collector.reported(0, 2);
    const after = stream.live('octets');
    t.is(before.retired, 'gone');
    t.true(after.number > before.number);
    t.regex(after.epoch, /^boot\/octets#feedfacefeedface\.1$/);
    t.is(after.beganUs, undefined);
    t.is(after.value, 5);
    t.is(stream.live('load').number, 2);
    // A refusal of the number that is no longer used changes nothing.
    stream.send({ refuse: { kind, report: '1', series: [before.number], reason: 'late' } });
    await until('it is counted', () => Object.values(rig.uplink.status().refused).includes(2));
    rig.tick();
    await collector.reported(0, 3);
    t.is(stream.live('octets').number, after.number);
    t.is(rig.log.lines.filter(({ message }) => message.includes('refused')).length, 1);
    t.deepEqual(collector.problems, []);
  });
}

test('a series over a limit is held for the delay, also on the next stream, and its counter then starts a new epoch', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const cell = rig.group.define(counter('octets'));
  rig.group.define(gauge('load'));
  rig.group.define(gauge('held gauge'));
  rig.group.setCounter(cell, 5);
  const stream = await opened(collector, rig);
  const refusedAt = performance.now();
  stream.send({
    refuse: { kind: limit, report: '0', series: [1, 3], reason: 'at most 1 series', retryDelayMs: 2000 },
  });
  await until('it is counted', () => rig.uplink.status().refused.limit === 2);
  rig.tick();
  await collector.reported(0, 2);
  t.is(stream.series.get(1)!.retired, 'idle');
  t.deepEqual([...stream.last.values.keys()], [2]);
  stream.fail(14, 'cut');
  const second = await collector.reported(1, 1);
  t.deepEqual(
    [...second.series.values()].map(({ metric }) => metric),
    ['load'],
  );

  while (second.series.size < 3 && performance.now() < refusedAt + 20_000) {
    const reports = second.reports.length;
    rig.tick();
    await until('the report', () => second.reports.length > reports);
  }
  t.true(performance.now() - refusedAt >= 2000);
  t.like(second.live('octets'), { value: 5, epoch: 'boot/octets#feedfacefeedface.1' });
  t.is(second.live('held gauge').value, 0);
  t.deepEqual(collector.problems, []);
});

test('an invalid series is not sent again on this stream, and is tried on the next', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  rig.group.define(gauge('bad'));
  rig.group.define(gauge('good'));
  const stream = await opened(collector, rig);
  stream.send({
    refuse: { kind: invalid, report: '0', series: [1], reason: 'no', fieldPath: 'series[0].x' },
  });
  await until('it is counted', () => rig.uplink.status().refused.invalid === 1);
  rig.group.define(gauge('new'));
  rig.tick();
  await collector.reported(0, 2);
  t.deepEqual([...stream.last.values.keys()], [2, 3]);
  t.is(stream.series.get(1)!.retired, 'idle');
  const line = rig.log.lines.find(({ message }) => message.includes('refused'))!;
  t.like(line.fields, {
    kind: 'invalid',
    metric: 'bad',
    attributes: { name: 'bad' },
    fieldPath: 'series[0].x',
  });
  stream.fail(14, 'cut');
  const second = await collector.reported(1, 1);
  t.is(second.live('bad').value, 0);
});

test('a value that is not finite is counted and sent all the same', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const cell = rig.group.define(counter('octets'));
  const stream = await opened(collector, rig);
  for (let i = 0; i < 3; i++)
    stream.send({ refuse: { kind: notFinite, report: '1', series: [1], reason: 'Infinity' } });
  await until('all are counted', () => rig.uplink.status().refused.not_finite === 3);
  rig.group.setCounter(cell, 9);
  rig.tick();
  await collector.reported(0, 2);
  t.is(stream.series.get(1)!.value, 9);
  t.is(rig.log.lines.filter(({ message }) => message.includes('refused')).length, 1);
});

test('a refused report holds back all reports for its delay', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  rig.group.define(gauge('load'));
  const stream = await opened(collector, rig);
  stream.send({ refuse: { kind: limit, report: '1', reason: 'too often', retryDelayMs: 250 } });
  await until('it is counted', () => rig.uplink.status().refused.limit === 1);
  const since = performance.now();
  rig.tick();
  t.is(rig.uplink.status().skipped, 1);
  rig.group.set(0, 3);
  while (stream.reports.length < 2) {
    rig.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.true(performance.now() - since >= 240);
  t.is(stream.live('load').value, 3);
});

test('series beyond the collector’s limit are left out, and come when there is room', async (t) => {
  await using collector = await FakeCollector.start({ welcome: { limits: { maxSeries: '2' } } });
  let nowMs = 1000;
  const clock = {
    nowUs: () => Date.now() * 1000,
    monotonicMs: () => nowMs,
    setTimeout: (run: () => void, ms: number) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  await using rig = uplinkRig(collector.address, { clock });
  rig.group.define(gauge('a'));
  const b = rig.group.define(gauge('b'));
  rig.group.define(counter('c'));
  const stream = await opened(collector, rig);
  t.deepEqual(
    [...stream.series.values()].map(({ metric }) => metric),
    ['a', 'b'],
  );
  t.is(rig.uplink.status().leftOut, 1);
  t.regex(rig.log.lines.at(-1)!.message, /as many series as the collector accepts/);
  rig.group.retire(b, 'gone');
  nowMs += 60_001;
  rig.tick();
  await collector.reported(0, 2);
  t.is(stream.series.get(2)!.retired, 'gone');
  t.like(stream.live('c'), { number: 3, epoch: 'boot/c#feedfacefeedface.1' });
  // Retire goes before Define, so that the limit holds at every moment.
  t.deepEqual(stream.order, ['hello', 'define', 'report', 'retire', 'define', 'report']);
  t.deepEqual(collector.problems, []);
});
