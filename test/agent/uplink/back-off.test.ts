import test from 'ava';
import { BackOff } from '../../../otel/stream/back-off.ts';
import { FakeClock } from '../fake-clock.ts';
import { until } from '../until.ts';
import { FakeCollector } from './fake-collector.ts';
import { gauge, uplinkRig } from './uplink-rig.ts';

test('delays double up to the cap, are drawn from the upper half, and start over after a stream that held', (t) => {
  let random = 1;
  const backOff = new BackOff({ initialMs: 1000, maxMs: 30_000, stableMs: 10_000, random: () => random });
  t.deepEqual(
    Array.from({ length: 7 }, () => backOff.next(0)),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
  random = 0;
  t.is(backOff.next(9_999), 15_000, 'a stream that fell over soon resets nothing');
  t.is(backOff.next(10_000), 500);
  t.is(backOff.next(0), 1000);
  t.is(backOff.next(0, true), 15_000, 'where only people can help the cap applies at once');
});

test('a collector that is not there is tried again after the back-off, and logged once', async (t) => {
  // A port that was free a moment ago.
  const gone = await FakeCollector.start();
  const { address, port } = gone;
  await gone[Symbol.asyncDispose]();
  const clock = new FakeClock();
  await using rig = uplinkRig(address, {
    clock,
    backOff: { initialMs: 1000, maxMs: 4000, random: () => 1 },
    welcomeTimeoutMs: 60_000,
  });
  rig.group.define(gauge('load'));
  rig.uplink.start();
  for (const delay of [1000, 2000, 4000, 4000]) {
    await until('it waits', () => clock.delays.length === 1 && clock.delays[0] !== 60_000);
    t.deepEqual(clock.delays, [delay]);
    clock.advance(delay - 1);
    t.deepEqual(clock.delays, [1]);
    clock.advance(1);
  }
  await until('it waits', () => clock.delays[0] === 4000);
  t.is(rig.uplink.status().reconnects, 5);
  const warnings = () => rig.log.lines.filter(({ level }) => level === 'warn');
  t.is(warnings().length, 1);
  t.regex(warnings()[0]!.message, /^127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED.*; retrying$/);
  t.like(warnings()[0]!.fields, { code: 14, retryInMs: 1000 });
  t.regex(rig.uplink.status().lastError, /ECONNREFUSED/);

  // The outage goes on: a reminder after five minutes, not before.
  for (let i = 0; i < 75; i++) {
    clock.advance(4000);
    await until('it waits', () => clock.delays[0] === 4000);
  }
  t.is(warnings().length, 2);
  t.true((warnings()[1]!.fields.outageMs as number) >= 300_000);

  await using collector = await FakeCollector.start({ port });
  clock.advance(4000);
  rig.tick();
  await collector.reported(0, 1);
  const recovered = rig.log.lines.at(-1)!;
  t.is(recovered.message, 'connected again');
  t.true((recovered.fields.outageMs as number) >= 311_000);
});

test('a clone is refused with a line that names agent_id, and waits the longest delay', async (t) => {
  await using collector = await FakeCollector.start({
    admit: () => ({ code: 6, details: 'the agent at 10.0.0.7:1234 has the same id' }),
  });
  const clock = new FakeClock();
  await using rig = uplinkRig(collector.address, {
    clock,
    backOff: { initialMs: 1000, maxMs: 30_000, random: () => 1 },
    welcomeTimeoutMs: 60_000,
  });
  rig.uplink.start();
  await until('it waits', () => clock.delays[0] === 30_000);
  const { message, level } = rig.log.lines.at(-1)!;
  t.is(level, 'warn');
  t.is(
    message,
    `${collector.address} has turned this agent away, agent_id "member-1": the agent at 10.0.0.7:1234 has the same id; retrying`,
  );
});

for (const [code, pattern] of [
  [16, /does not accept this agent's credentials/],
  [7, /does not permit this agent/],
  [12, /does not serve streamgauge\.v1\.TelemetryStream/],
  [8, /a limit was reached/],
  [13, /failed with INTERNAL/],
] as const) {
  test(`status ${code} is told in a sentence`, async (t) => {
    await using collector = await FakeCollector.start({ admit: () => ({ code, details: 'because' }) });
    await using rig = uplinkRig(collector.address, { backOff: { initialMs: 60_000, maxMs: 60_000 } });
    rig.uplink.start();
    await until('it is told', () => rig.uplink.status().lastError !== '');
    t.regex(rig.uplink.status().lastError, pattern);
    t.regex(rig.uplink.status().lastError, /because/);
  });
}
