import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { until } from '../agent/until.ts';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { fixedPort } from '../process/fixed-port.ts';
import { startCollectorProcess } from '../process/streamgauge.ts';
import { isTaken } from '../sinks/fault-plan.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { counters, merged, passing, passingCounters, writeCollectorFile } from './rig/collector-file.ts';
import { CountingMember } from './rig/counting-member.ts';
import { ExportBook } from './rig/export-book.ts';
import { preloaded } from './rig/preload.ts';

const seed = seedOfRun();

/** Where the collector is killed: places of preload/kill-at.ts, and how often it may come by before; the last one is the backend's. */
const places: readonly (readonly [name: string, place: string, most: number])[] = [
  ['between merge and commit', 'merged', 100],
  ['while the journal is written', 'writing', 60],
  ['between commit and ack', 'committed', 60],
  ['behind an ack', 'acknowledged', 60],
  ['between encode and send', 'encoded', 12],
  ['between send and answer', 'sent', 12],
  ['between answer and record', 'answered', 6],
  ['between record and its commit', 'recorded', 6],
  ['where a checkpoint starts', 'checkpoint begun', 2],
  ['where a checkpoint is written and has no name', 'checkpoint written', 2],
  ['where a checkpoint has its name', 'checkpoint named', 2],
  ['where a checkpoint takes away what it covers', 'checkpoint covering', 2],
];

async function killsAt(t: ExecutionContext, place: string, most: number): Promise<void> {
  t.timeout(120_000);
  const random = new Random(seed + place.length);
  const count = random.int(1, most);
  t.log(`STREAMGAUGE_TEST_SEED=${seed}, the ${count}. time`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const cumulative = new ExportBook({ temporality: 'cumulative', names: counters });
  const delta = new ExportBook({ temporality: 'delta', names: counters, mayRest: passingCounters });
  let onRequest = (): void => {};
  const [grpc, http] = await Promise.all(
    ([startGrpcSink, startHttpSink] as const).map((start, i) =>
      start({
        onAttempt: ({ request, bytes, fault }) => {
          [cumulative, delta][i]!.take(request, bytes, isTaken(fault));
          if (bytes.includes('fleet.')) onRequest();
        },
      }),
    ),
  );
  for (const sink of [grpc!, http!]) t.teardown(() => sink.stop());
  const file = writeCollectorFile(folder, [
    { kind: 'otlp_grpc', url: grpc!.url, temporality: 'cumulative', intervalMs: 100, timeoutMs: 1000 },
    { kind: 'otlp_http', url: http!.url, temporality: 'delta', intervalMs: 100, timeoutMs: 1000 },
  ]);
  const args = ['--config', file, '--data-dir', path.join(folder, 'data')];
  const ports = { grpcPort: await fixedPort(), httpPort: await fixedPort(), adminPort: await fixedPort() };
  const aim = { STREAMGAUGE_TEST_KILL_AT: `${place}:${count}` };
  const first = await startCollectorProcess(args, ports, {
    ...preloaded(...(place === 'sent' ? [] : ['kill-at']), 'often-checkpoints'),
    ...aim,
  });
  t.teardown(() => first.child.kill());
  if (place === 'sent') {
    let left = count;
    onRequest = () => {
      if (--left <= 0) void first.child.kill();
    };
  }
  const [gone, back] = ['gone', 'back'].map((id) => new CountingMember(id, () => ports.grpcPort, random));
  for (const member of [gone!, back!]) {
    t.teardown(() => member.vanish());
    member.start();
  }
  await until(`the collector is killed ${place}`, () => first.child.ended, 40_000);
  t.is((await first.child.wait()).signal, 'SIGKILL', first.child.output);
  onRequest = () => {};
  // The agent goes down with it, and never comes back.
  await gone!.vanish();
  const exported = [...cumulative.series, ...delta.series].map((series) => ({
    ...series,
    total: [...series.total],
  }));

  const second = await startCollectorProcess(args, ports, preloaded('often-checkpoints'));
  t.teardown(() => second.child.kill());
  const { streams } = back!;
  await until('the other one is back', () => back!.streams > streams || back!.acknowledged === back!.value);
  await delay(300);
  await back!.leave();
  t.is(await second.child.stop(), 0, second.child.output);
  t.notRegex(second.child.output, /acknowledged data was lost|please report/);

  t.deepEqual(cumulative.faults, []);
  t.deepEqual(delta.faults, []);
  t.is(gone!.refusals + back!.refusals, 0);
  const totals: number[] = [];
  for (const [name, book] of [
    ['cumulative', cumulative],
    ['delta', delta],
  ] as const) {
    const of = new Map(book.of(passing.kernel).map(({ instance, total }) => [instance, total[0]!]));
    const ofGone = of.get('gone') ?? 0;
    t.true(
      ofGone >= gone!.acknowledged && ofGone <= gone!.sent,
      `${name}: what is gone for ever is ${ofGone}; acknowledged were ${gone!.acknowledged}, sent ${gone!.sent}`,
    );
    t.is(of.get('back'), back!.value, `${name}: who came back`);
    const [fleet, ...others] = book.of(merged.kernel);
    t.deepEqual(others, []);
    t.deepEqual(fleet!.total, [ofGone + back!.value], `${name}: the total is what there is of both`);
    if (book === cumulative) t.is(fleet!.starts.size, 1, 'the total keeps its start');
    totals.push(ofGone);
  }
  t.is(totals[0], totals[1], 'both readers have the same');
  for (const { name, instance, total } of exported) {
    const after = cumulative.series.find((one) => one.name === name && one.instance === instance);
    t.true(after!.total[0]! >= total[0]!, `${name} of ${instance} holds what was exported before`);
  }
}

for (const [name, place, most] of places)
  test.serial(`killed ${name}, with an agent that never comes back`, killsAt, place, most);
