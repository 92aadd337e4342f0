import test from 'ava';
import { until } from '../until.ts';
import { FakeCollector } from './fake-collector.ts';
import { gauge, uplinkRig } from './uplink-rig.ts';

const series = 4000;

/** Values that cost eight bytes and more each: a few reports fill every window between the two ends. */
function scramble(values: Float64Array): void {
  for (let i = 0; i < series; i++) values[i] = Math.random() * 10 ** (i % 200);
}

test('while the transport takes nothing no report is cut, and then the newest state goes out', async (t) => {
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  for (let i = 0; i < series; i++) rig.group.define(gauge(`g${i}`));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  stream.call.pause();
  const { uplink } = rig;
  for (let turn = 0; uplink.status().skipped < 50; turn++) {
    t.true(turn < 2000, 'the agent goes on cutting reports that nobody takes');
    scramble(rig.group.values);
    rig.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { reports, skipped } = uplink.status();
  t.true(reports < 40, `${reports} reports were cut, and ${skipped} collections skipped`);
  scramble(rig.group.values);
  const lastUs = rig.tick();
  t.is(uplink.status().reports, reports);
  t.is(uplink.status().skipped, skipped + 1);

  stream.call.resume();
  await until('the last collection is there', () => stream.last.timesUs.get(0) === lastUs);
  t.is(uplink.status().reports, reports + 1, 'one report stands for all that were skipped');
  t.deepEqual([...stream.last.values.values()], [...rig.group.values.subarray(0, series)]);
  t.deepEqual(collector.problems, []);
});
