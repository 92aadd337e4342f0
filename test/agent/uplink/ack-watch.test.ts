import test from 'ava';
import { AckWatch } from '../../../otel/stream/ack-watch.ts';
import { FakeClock } from '../fake-clock.ts';
import { until } from '../until.ts';
import { FakeCollector } from './fake-collector.ts';
import { gauge, uplinkRig } from './uplink-rig.ts';

test('an Ack is overdue when the oldest report has waited for so long', (t) => {
  const clock = new FakeClock();
  let overdue = 0;
  const watch = new AckWatch(clock, 1000, () => overdue++);
  clock.advance(5000);
  t.is(overdue, 0, 'nothing was sent');
  watch.sent();
  clock.advance(900);
  watch.sent();
  clock.advance(99);
  t.is(overdue, 0);
  clock.advance(1);
  t.is(overdue, 1, 'the second report gave the first no more time');
});

test('an Ack of all reports ends the wait, one of some begins it anew', (t) => {
  const clock = new FakeClock();
  let overdue = 0;
  const watch = new AckWatch(clock, 1000, () => overdue++);
  watch.sent();
  clock.advance(999);
  watch.acknowledged(false);
  clock.advance(999);
  watch.acknowledged(true);
  clock.advance(5000);
  t.deepEqual(clock.delays, []);
  watch.sent();
  watch.stop();
  clock.advance(5000);
  t.is(overdue, 0);
});

test('a collector that acknowledges nothing for 30 s is left, and tried again', async (t) => {
  const clock = new FakeClock();
  await using collector = await FakeCollector.start({ acknowledge: false });
  await using rig = uplinkRig(collector.address, { clock });
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  clock.advance(29_999);
  rig.tick();
  await collector.reported(0, 2);
  t.true(rig.uplink.status().connected);
  clock.advance(1);
  await until('the stream is cancelled', () => stream.cancelled);
  await until('the agent knows', () => rig.uplink.status().lastError !== '');
  t.is(
    rig.uplink.status().lastError,
    `${collector.address} cannot be reached: no report has been acknowledged for 30 s`,
  );
  clock.advance(200);
  await collector.reported(1, 1);
  t.is(rig.uplink.status().reconnects, 1);
});

test('a collector that acknowledges is kept', async (t) => {
  const clock = new FakeClock();
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address, { clock });
  rig.group.define(gauge('load'));
  rig.uplink.start();
  for (let i = 1; i <= 4; i++) {
    rig.tick();
    await until('the Ack', () => rig.uplink.status().acknowledged === i);
    clock.advance(29_000);
  }
  t.is(collector.streams.length, 1);
  t.is(rig.uplink.status().lastError, '');
});
