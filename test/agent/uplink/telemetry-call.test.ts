import test from 'ava';
import { FakeCollector } from './fake-collector.ts';
import { gauge, uplinkRig } from './uplink-rig.ts';

test('a proxy that the environment names is not asked for a collector on this machine', async (t) => {
  // Nobody listens there. This file runs in a process of its own.
  process.env.http_proxy = 'http://127.0.0.1:9';
  process.env.no_proxy = '';
  await using collector = await FakeCollector.start();
  await using rig = uplinkRig(collector.address);
  rig.group.define(gauge('load'));
  rig.uplink.start();
  rig.tick();
  const stream = await collector.reported(0, 1);
  t.is(stream.live('load').value, 0);
});
