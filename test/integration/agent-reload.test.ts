import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { until } from '../interop/until.ts';
import { startStreamgauge } from '../process/streamgauge.ts';
import { startCollector } from './in-process.ts';

test('at SIGHUP an agent reads its file again; a bad one changes nothing and is told of', async (t) => {
  const collector = await startCollector(t);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-reload-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'agent.yaml');
  const write = (host: string) =>
    writeFile(
      file,
      `collector: {endpoint: "${collector.addresses.grpc}"}\nagent_id: reloaded\nstate_dir: ${folder}\nhost: ${host}\n`,
    );
  await write('{interval: 200ms}');
  const agent = startStreamgauge(['agent', '--config', file]);
  t.teardown(() => agent.kill());
  await agent.waitForOutput(/"msg":"connected/);
  const [session] = collector.agents().map((one) => one.session);
  await until(() => (collector.agents()[0]?.reports ?? 0) > 0, 'it reports');
  const series = (): number => collector.agents()[0]!.series;
  const before = series();
  await write('{interval: fast, cpus: 1}');
  process.kill(agent.pid, 'SIGHUP');
  await agent.waitForOutput(
    /"problems":\[.*agent\.yaml.*interval.*\],"msg":"the configuration cannot be used, so the agent goes on/,
  );
  t.is(series(), before);
  await write('{interval: 200ms, cpu: {enabled: false}}');
  process.kill(agent.pid, 'SIGHUP');
  await agent.waitForOutput(
    /"changed":\["host\.cpu\.enabled"\],"msg":"the configuration was read again: host\.cpu\.enabled changed"/,
  );
  await until(() => series() < before, 'the series have left');
  t.is(collector.agents()[0]!.session, session!);
  t.is(await agent.stop(), 0);
});
