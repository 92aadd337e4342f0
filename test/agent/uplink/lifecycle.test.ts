import test from 'ava';
import { FakeClock } from '../fake-clock.ts';
import { until } from '../until.ts';
import { FakeCollector } from './fake-collector.ts';
import { gauge, uplinkRig } from './uplink-rig.ts';

test('a Goodbye that nobody acknowledges ends at the deadline', async (t) => {
  await using collector = await FakeCollector.start({ acknowledge: false, endAfterGoodbye: false });
  await using rig = uplinkRig(collector.address);
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  const startedMs = performance.now();
  t.deepEqual(await rig.uplink.drain(150), {
    delivered: false,
    lastReport: 1,
    acknowledged: 0,
    reason: 'the deadline of 150 ms passed first',
  });
  t.true(performance.now() - startedMs < 5_000);
  t.is(stream.goodbye.lastReport, '1');
  await until('the stream is cancelled', () => stream.cancelled);
});

test('everything acknowledged, but no end of the stream: delivered all the same', async (t) => {
  await using collector = await FakeCollector.start({ endAfterGoodbye: false });
  await using rig = uplinkRig(collector.address);
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  await collector.reported(0, 1);
  t.deepEqual(await rig.uplink.drain(200), { delivered: true, lastReport: 1, acknowledged: 1, reason: '' });
});

test('draining without a stream tries once', async (t) => {
  const gone = await FakeCollector.start();
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  await using rig = uplinkRig(address, { backOff: { initialMs: 60_000, maxMs: 60_000 } });
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  await until('it waits', () => rig.uplink.status().lastError !== '');
  const drained = await rig.uplink.drain(8_000);
  t.false(drained.delivered);
  t.is(drained.lastReport, 0);
  t.regex(drained.reason, /ECONNREFUSED/);
  t.notRegex(drained.reason, /Resolution note/);
  t.is(await rig.uplink.drain(1), drained, 'called again it gives the same report');
});

test('draining while the first stream is being opened waits for it', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  rig.group.set(rig.group.define(gauge('load')), 4);
  rig.tick();
  rig.uplink.start();
  t.like(await rig.uplink.drain(5_000), { delivered: true, lastReport: 1, acknowledged: 1 });
  t.deepEqual(collector.streams[0]!.order, ['hello', 'define', 'report', 'goodbye']);
});

test('an uplink that was never started drains and stops at once', async (t) => {
  await using rig = uplinkRig('127.0.0.1:1');
  rig.uplink.stop();
  t.like(await rig.uplink.drain(1_000), { delivered: false, reason: 'the agent was not running' });
  rig.uplink.stop();
  rig.uplink.stop();
});

test('stopping ends the stream and a drain that is under way', async (t) => {
  await using collector = await FakeCollector.start({ acknowledge: false, endAfterGoodbye: false });
  await using rig = uplinkRig(collector.address);
  rig.uplink.start();
  const stream = await collector.stream();
  const drained = rig.uplink.drain(60_000);
  await until('Goodbye came', () => stream.goodbye !== undefined);
  rig.uplink.stop();
  t.like(await drained, { reason: '', delivered: true, lastReport: 0 });
  await until('the stream is cancelled', () => stream.cancelled);
  t.false(rig.uplink.status().connected);
});

test('a collector that drains gets the last state and a half-close, and the agent comes back after the delay', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address, { backOff: { initialMs: 10, maxMs: 10 } });
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  const sinceMs = performance.now();
  stream.send({ instruct: { number: '4', drain: { reconnectDelayMs: 200 } } });
  await until('it half-closes', () => stream.halfClosed);
  t.like(stream.answers, [{ instruction: '4', error: '' }]);
  t.is(stream.goodbye, undefined);
  const second = await collector.reported(1, 1);
  t.true(performance.now() - sinceMs >= 200);
  t.is(second.last.number, 2);
  t.is(rig.log.lines.filter(({ level }) => level === 'warn').length, 0);
});

test('instructions that the agent does not know are answered so, those in Welcome too', async (t) => {
  await using collector = await FakeCollector.start({
    welcome: { instructions: [{ number: '1', samplingInterval: { instrumentName: '*', intervalMs: 1 } }] },
  });
  await using rig = uplinkRig(collector.address);
  rig.uplink.start();
  const stream = await collector.stream();
  stream.send({ instruct: { number: '2', configuration: { yaml: 'a: 1' } } });
  stream.send({ instruct: { number: '3' } });
  await until('all are answered', () => stream.answers.length === 3);
  t.deepEqual(
    stream.answers.map(({ instruction }) => instruction),
    ['1', '2', '3'],
  );
  for (const { error } of stream.answers) t.regex(error, /^this agent does not /);
  t.true(rig.uplink.status().connected);
});

test('without Welcome the stream is given up after the time-out', async (t) => {
  await using collector = await FakeCollector.start({ welcome: false });
  const clock = new FakeClock();
  await using rig = uplinkRig(collector.address, {
    clock,
    welcomeTimeoutMs: 10_000,
    backOff: { initialMs: 1_000 },
  });
  rig.uplink.start();
  const stream = await collector.stream();
  clock.advance(9_999);
  t.is(rig.uplink.status().lastError, '');
  clock.advance(1);
  await until('it is given up', () => rig.uplink.status().lastError !== '');
  t.regex(rig.uplink.status().lastError, /DEADLINE_EXCEEDED: no Welcome came within 10000 ms/);
  await until('the stream is cancelled', () => stream.cancelled);
});

for (const [what, message, pattern] of [
  ['Ack before Welcome', { ack: { report: '1' } }, /sent ack before Welcome/],
  [
    'another protocol version',
    { welcome: { protocolVersion: 2 } },
    /wants protocol version 2, and this agent speaks 1/,
  ],
  ['an empty message', {}, /cannot be read/],
] as const) {
  test(`${what} ends the stream`, async (t) => {
    await using collector = await FakeCollector.start({ welcome: false });
    await using rig = uplinkRig(collector.address, { backOff: { initialMs: 60_000, maxMs: 60_000 } });
    rig.uplink.start();
    (await collector.stream()).send(message);
    await until('it ends', () => rig.uplink.status().lastError !== '');
    t.regex(rig.uplink.status().lastError, pattern);
  });
}

for (const [what, message, pattern] of [
  ['a second Welcome', { welcome: { protocolVersion: 1 } }, /sent Welcome twice/],
  [
    'an Ack of what was never sent',
    { ack: { report: '9' } },
    /acknowledged report 9, and the last one sent is 1/,
  ],
] as const) {
  test(`${what} ends the stream`, async (t) => {
    await using collector = await FakeCollector.start();
    await using rig = uplinkRig(collector.address, { backOff: { initialMs: 60_000, maxMs: 60_000 } });
    rig.group.define(gauge('load'));
    rig.uplink.start();
    rig.tick();
    (await collector.reported(0, 1)).send(message);
    await until('it ends', () => rig.uplink.status().lastError !== '');
    t.regex(rig.uplink.status().lastError, pattern);
  });
}
