import test from 'ava';
import { SamplingGroup } from '../../../agent/state/sampling-group.ts';
import { until } from '../until.ts';
import { FakeCollector } from './fake-collector.ts';
import { counter, gauge, testIncarnation, uplinkRig } from './uplink-rig.ts';

test('a whole life: Hello, Define, reports, Goodbye', async (t) => {
  await using collector = await FakeCollector.start({ welcome: { durability: 2 } });
  await using rig = uplinkRig(collector.address);
  const { group, uplink, tick } = rig;
  const octets = group.define(counter('octets'));
  const load = group.define(gauge('load'));
  group.setCounter(octets, 2 ** 40);
  group.set(load, 0.25);
  const firstUs = tick();
  uplink.start();
  const stream = await collector.reported(0, 1);

  t.like(stream.hello, {
    protocolVersion: 1,
    memberId: 'member-1',
    bootId: 'boot-1',
    resourceSchemaUrl: 'https://schema/1',
    userAgent: 'streamgauge/test',
    lastAck: null,
  });
  t.is(stream.hello.incarnation.length, 16);
  t.is(stream.hello.resource[0].key, 'host.name');
  t.deepEqual(stream.order, ['hello', 'define', 'report']);
  t.is(stream.last.number, 1);
  t.is(stream.last.timesUs.get(0), firstUs);
  t.like(stream.live('octets'), {
    value: 2 ** 40,
    epoch: 'boot/octets',
    scope: 'test.scope',
    isMonotonic: true,
  });
  t.like(stream.live('load'), { value: 0.25, epoch: '', scope: '', attributes: { name: 'load' } });

  group.setCounter(octets, 2 ** 40 + 7);
  const secondUs = tick();
  await collector.reported(0, 2);
  t.is(stream.last.number, 2);
  t.is(stream.last.timesUs.get(0), secondUs);
  t.is(stream.live('octets').value, 2 ** 40 + 7);
  t.is(stream.live('load').value, 0.25);
  t.true(stream.last.bytes < 16, `${stream.last.bytes} bytes`);
  await until('both reports are acknowledged', () => uplink.status().acknowledged === 2);
  t.like(uplink.status(), {
    connected: true,
    session: 's1',
    durability: 'disk',
    reports: 2,
    points: 4,
    changedValues: 3,
    series: 2,
    skipped: 0,
  });

  group.setCounter(octets, 2 ** 40 + 9);
  tick();
  const drained = await uplink.drain(30_000);
  t.deepEqual(drained, { delivered: true, lastReport: 3, acknowledged: 3, reason: '' });
  t.is(stream.goodbye.lastReport, '3');
  t.is(stream.live('octets').value, 2 ** 40 + 9);
  t.deepEqual(stream.order, ['hello', 'define', 'report', 'report', 'report', 'goodbye']);
  t.false(uplink.status().connected);
  t.deepEqual(
    rig.log.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message),
    ['connected'],
  );
  t.deepEqual(collector.problems, []);
});

test('after a cut the new stream holds everything anew, and report numbers go on', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const { group, uplink, tick } = rig;
  const cell = group.define(counter('octets'));
  group.define(gauge('load'));
  uplink.start();
  group.setCounter(cell, 10);
  tick();
  const first = await collector.reported(0, 1);
  first.fail(14, 'the test cuts the stream');
  await until('the agent sees it', () => !uplink.status().connected);
  group.setCounter(cell, 11);
  tick();
  group.setCounter(cell, 12);
  tick();
  const second = await collector.reported(1, 1);
  t.is(second.last.number, 2);
  t.is(second.live('octets').value, 12);
  t.is(second.live('octets').epoch, first.live('octets').epoch);
  t.is(second.live('load').value, 0);
  t.deepEqual(second.hello.incarnation, first.hello.incarnation);
  t.is(uplink.status().reconnects, 1);
  const [lost, again] = rig.log.lines.filter(({ level }) => level !== 'debug').slice(1);
  t.is(lost!.level, 'warn');
  t.regex(lost!.message, /cannot be reached: the test cuts the stream; retrying/);
  t.is(again!.message, 'connected again');
  t.true((again!.fields.outageMs as number) >= 0);
  t.deepEqual(collector.problems, []);
});

test('the last Ack goes into the next Hello', async (t) => {
  const directoryId = Buffer.alloc(16, 1);
  const term = Buffer.alloc(8, 2);
  await using collector = await FakeCollector.start({
    welcome: { position: { directoryId, term, journalPosition: '77' } },
    acknowledge: false,
  });
  await using rig = uplinkRig(collector.address);
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  const first = await collector.reported(0, 1);
  first.send({ ack: { report: '1', position: { journalPosition: '123' } } });
  await until('it is acknowledged', () => rig.uplink.status().acknowledged === 1);
  first.fail(14, 'cut');
  const second = await collector.stream(1);
  t.deepEqual(second.hello.lastAck, { directoryId, term, journalPosition: '123' });
});

test('groups that are collected together share a report, others have their own', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const slow = new SamplingGroup(3, 10_000, testIncarnation);
  rig.groups.push(slow, new SamplingGroup(4, 10_000, testIncarnation));
  rig.group.define(gauge('fast'));
  slow.define(gauge('slow'));
  rig.uplink.start();
  rig.tick(...rig.groups);
  const stream = await collector.reported(0, 1);
  t.deepEqual([...stream.last.timesUs.keys()], [0, 3]);
  rig.tick();
  await collector.reported(0, 2);
  t.deepEqual([...stream.last.timesUs.keys()], [0]);
  rig.tick(slow);
  await collector.reported(0, 3);
  t.deepEqual([...stream.last.timesUs.keys()], [3]);
  t.deepEqual(collector.problems, []);
});

test('many series take several Define messages, each below the size', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const text = 'x'.repeat(200);
  const resource = { attributes: counter(text).attributes, schemaUrl: '' };
  for (let i = 0; i < 3000; i++)
    rig.group.set(
      rig.group.define(counter('many', { attributes: gauge(`${i}${text}`).attributes, resource })),
      i,
    );
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  t.true(stream.defines.length >= 3);
  t.is(stream.series.size, 3000);
  t.deepEqual(
    [...stream.series.values()].map(({ value }) => value),
    Array.from({ length: 3000 }, (_, i) => i),
  );
  t.deepEqual(stream.series.get(3000)!.resource, { name: text });
  // What is shared is told once.
  t.is(stream.defines.flatMap(({ metrics }) => metrics).length, 1);
  t.is(stream.defines.flatMap(({ resources }) => resources).length, 1);
  t.is(stream.defines.flatMap(({ epochs }) => epochs).length, 1);
  t.deepEqual(collector.problems, []);
});

test('epochs begin relative to the arrival of Welcome', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  const beforeMs = performance.now();
  const beganMs = beforeMs - 3_600_000;
  rig.group.define(counter('known', { epoch: { token: 'k', beganMs } }));
  rig.group.define(counter('unknown', { epoch: { token: 'u', beganMs: undefined } }));
  rig.group.define(counter('long', { epoch: { token: 'é'.repeat(33), beganMs: undefined } }));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  const { beganUs } = stream.live('known');
  const elapsedMs = performance.now() - beforeMs;
  t.true(beganUs! <= -3_600_000_000 && beganUs! >= -(3_600_000 + elapsedMs) * 1000, `${beganUs}`);
  t.is(stream.live('unknown').beganUs, undefined);
  t.is(stream.defines[0].epochs.find(({ number }: { number: number }) => number === 3).token.length, 32);
});
