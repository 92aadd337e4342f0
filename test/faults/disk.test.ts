import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { until } from '../interop/until.ts';
import { fixedPort } from '../process/fixed-port.ts';
import { startCollectorProcess, startStreamgauge } from '../process/streamgauge.ts';
import { isTaken } from '../sinks/fault-plan.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import { counters, merged, passing, passingCounters, writeCollectorFile } from './rig/collector-file.ts';
import { CountingMember } from './rig/counting-member.ts';
import { ExportBook } from './rig/export-book.ts';
import { injectedDisk, smallDisk, type TestDisk } from './rig/test-disk.ts';

const rounds = 2;

/** Answers of a collector over HTTP: the status and the body. */
async function ask(port: number, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) });
  return { status: response.status, body: await response.text() };
}

/** The disk fails under traffic and works again; then the collector is killed, so that what it has is what the disk has. */
async function survives(
  t: ExecutionContext,
  disk: TestDisk,
  saying: RegExp,
  kind: 'fails' | 'is slow',
): Promise<void> {
  t.timeout(180_000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const cumulative = new ExportBook({ temporality: 'cumulative', names: counters });
  const delta = new ExportBook({ temporality: 'delta', names: counters, mayRest: passingCounters });
  let requests = 0;
  const sinks = await Promise.all(
    ([startGrpcSink, startHttpSink] as const).map((start, i) =>
      start({
        onAttempt: ({ request, bytes, fault }) => {
          [cumulative, delta][i]!.take(request, bytes, isTaken(fault));
          if (bytes.includes('fleet.')) requests++;
        },
      }),
    ),
  );
  for (const sink of sinks) t.teardown(() => sink.stop());
  const file = writeCollectorFile(folder, [
    { kind: 'otlp_grpc', url: sinks[0]!.url, temporality: 'cumulative', intervalMs: 100, timeoutMs: 2000 },
    { kind: 'otlp_http', url: sinks[1]!.url, temporality: 'delta', intervalMs: 100, timeoutMs: 2000 },
  ]);
  const args = ['--config', file, '--data-dir', disk.directory];
  const ports = { grpcPort: await fixedPort(), httpPort: await fixedPort(), adminPort: await fixedPort() };
  let collector = await startCollectorProcess(args, ports, disk.env);
  t.teardown(() => collector.child.kill());
  const members = ['a', 'b'].map((id) => new CountingMember(id, () => ports.grpcPort, new Random(seed)));
  for (const member of members) {
    t.teardown(() => member.vanish());
    member.start();
  }
  const acknowledged = (): number => members.reduce((sum, member) => sum + member.acknowledged, 0);
  const sent = (): number => members.reduce((sum, member) => sum + member.sent, 0);
  const moves = async (): Promise<void> => {
    const [from, before] = [acknowledged(), requests];
    await until(
      () =>
        acknowledged() > from &&
        requests > before + 4 &&
        [cumulative, delta].every((book) => fleetOf(book) > 0),
      'it acknowledges and exports',
      60_000,
    );
  };
  const storage = async (): Promise<{ state: string; error: string | null; pendingBytes: number }> =>
    JSON.parse((await ask(ports.adminPort, '/status')).body).storage;
  await moves();
  for (let round = 0; round < rounds; round++) {
    disk.fail();
    if (kind === 'fails') {
      await until(async () => (await storage()).error !== null, 'the collector says so', 60_000);
      await until(stops(acknowledged), 'nothing is acknowledged any more', 60_000);
      t.regex((await storage()).error!, saying);
      const ready = await ask(ports.httpPort, '/readyz');
      t.is(ready.status, 503);
      t.regex(ready.body, saying);
      t.is((await ask(ports.httpPort, '/metrics')).status, 503, 'what is not committed is shown to nobody');
      const [was, known, pending] = [acknowledged(), sent(), (await storage()).pendingBytes];
      await until(() => sent() > known + 2000, 'more is sent');
      await delay(500);
      t.is(acknowledged(), was, 'nothing is acknowledged');
      // What was committed before may be sent once more.
      for (const book of [cumulative, delta])
        t.true(fleetOf(book) <= known, 'nothing is exported that was not committed');
      t.true((await storage()).pendingBytes > pending, 'streams are merged in memory all the while');
      t.true(
        members.every(({ streams }) => streams === 1 + round),
        'streams stay',
      );
    } else await moves();
    disk.heal();
    await moves();
    if (kind === 'fails')
      await until(async () => (await ask(ports.httpPort, '/readyz')).status === 200, 'it is ready');
    const sure = acknowledged();
    await collector.child.kill();
    t.notRegex(collector.child.output, /please report/);
    collector = await startCollectorProcess(args, ports, disk.env);
    t.true(acknowledged() >= sure);
    await moves();
  }
  for (const member of members) await member.leave();
  t.is(await collector.child.stop(), 0, collector.child.output);
  t.notRegex(collector.child.output, /acknowledged data was lost|please report/);
  t.deepEqual(cumulative.faults, []);
  t.deepEqual(delta.faults, []);
  const total = members.reduce((sum, { value }) => sum + value, 0);
  for (const book of [cumulative, delta]) {
    for (const { id, value } of members)
      t.deepEqual(book.of(passing.kernel).find(({ instance }) => instance === id)!.total, [value]);
    const [fleet, ...others] = book.of(merged.kernel);
    t.deepEqual(others, []);
    t.deepEqual(fleet!.total, [total]);
  }
  t.is(cumulative.of(merged.kernel)[0]!.starts.size, 1);
  t.is(
    members.reduce((sum, { refusals }) => sum + refusals, 0),
    0,
  );
}

/** What all members together are shown to have counted. */
function fleetOf(book: ExportBook): number {
  return book.of(merged.kernel)[0]?.total[0] ?? 0;
}

/** Whether a number has not changed for half a second. */
function stops(value: () => number): () => boolean {
  let [last, sinceMs] = [value(), performance.now()];
  return () => {
    if (value() !== last) [last, sinceMs] = [value(), performance.now()];
    return performance.now() - sinceMs > 500;
  };
}

test.serial('a disk that is full, then has space again', async (t) => {
  const disk = smallDisk(t) ?? injectedDisk(t, 'full');
  await survives(t, disk, /the disk is full: make space/, 'fails');
});

test.serial('a disk of which every write says that it is full', async (t) => {
  await survives(t, injectedDisk(t, 'full'), /the disk is full: make space/, 'fails');
});

test.serial('a disk that becomes read-only', async (t) => {
  await survives(t, injectedDisk(t, 'read-only'), /read-only|EROFS/, 'fails');
});

test.serial('a disk that fails to sync, and forgets what it was given', async (t) => {
  await survives(t, injectedDisk(t, 'sync'), /EIO|disk/, 'fails');
});

test.serial('a disk that takes 300 ms for each sync', async (t) => {
  await survives(t, injectedDisk(t, 'slow 300'), /./, 'is slow');
});

test.serial(
  'a disk that cannot be written when the collector starts: one sentence, and exit 1',
  async (t) => {
    const disk = injectedDisk(t, 'read-only');
    disk.fail();
    const child = startStreamgauge(
      ['collector', '--grpc-port', '0', '--data-dir', disk.directory],
      'sources',
      disk.env,
    );
    t.teardown(() => child.kill());
    t.is((await child.wait()).code, 1);
    t.regex(child.output, /^streamgauge: cannot .*(read-only|EROFS)/m);
    t.true(child.output.includes(disk.directory), child.output);
  },
);
