import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { until } from '../agent/until.ts';
import { fixedPort } from '../process/fixed-port.ts';
import { startCollectorProcess } from '../process/streamgauge.ts';
import { isTaken } from '../sinks/fault-plan.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { counters, merged, passing, writeCollectorFile } from './rig/collector-file.ts';
import { ExportBook } from './rig/export-book.ts';
import { FloodingMember } from './rig/flooding-member.ts';
import { mebibytes, residentBytes } from './rig/process-figures.ts';

const seconds = Number(process.env.STREAMGAUGE_TEST_SECONDS ?? 12);
const times = 10;
/** The collector runs so much of each period only: a machine that is too small for its load, whatever machine this is. */
const periodMs = 150;
const runsMs = 15;
/** Beside what it has at rest: what may wait for the disk, and what the transport may hold for all members. */
const mostGrowthBytes = 256 * 2 ** 20;
const longestRecoveryMs = 30_000;

test(`${times} times the load that the collector can take for ${seconds} s, then normal again`, async (t) => {
  t.timeout((seconds + 180) * 1000);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const book = new ExportBook({ temporality: 'cumulative', names: counters });
  const sink = await startGrpcSink({
    onAttempt: ({ request, bytes, fault }) => book.take(request, bytes, isTaken(fault)),
  });
  t.teardown(() => sink.stop());
  const file = writeCollectorFile(
    folder,
    [{ kind: 'otlp_grpc', url: sink.url, temporality: 'cumulative', intervalMs: 2000, timeoutMs: 2000 }],
    {
      // Else it is the limit that holds the senders back.
      grpc: { limits: { max_report_rate: 1_000_000 } },
    },
  );
  const args = ['--config', file, '--data-dir', path.join(folder, 'data')];
  const ports = { grpcPort: await fixedPort(), httpPort: await fixedPort(), adminPort: await fixedPort() };
  let collector = await startCollectorProcess(args, ports);
  t.teardown(() => collector.child.kill());
  const members = Array.from(
    { length: 6 },
    (_, i) => new FloodingMember({ id: `m${i}`, port: () => ports.grpcPort, series: 400, isRude: i === 0 }),
  );
  for (const member of members) {
    t.teardown(() => member.vanish());
    member.pace = 10;
    member.start();
  }
  const acknowledged = (): number => members.reduce((sum, one) => sum + one.acknowledged * one.series, 0);
  await until('all are welcome', () => members.every((one) => one.acknowledged > 0));
  const { pid } = collector.child;
  const atRest = residentBytes(pid);

  const throttle = setInterval(() => {
    process.kill(pid, 'SIGCONT');
    setTimeout(() => isThrottled && process.kill(pid, 'SIGSTOP'), runsMs);
  }, periodMs);
  let isThrottled = true;
  t.teardown(() => clearInterval(throttle));

  for (const member of members) member.pace = Infinity;
  // It takes some time until something that was sent under the load is acknowledged.
  const calm = acknowledged();
  await until(
    'the load is taken',
    () => members.every((one) => one.acknowledged > 100) && acknowledged() > calm,
    60_000,
  );
  const [from, fromMs] = [acknowledged(), performance.now()];
  await delay(3000);
  // Acks stand for many reports, and come seldom where the machine is busy, too.
  await until('more of the load is taken', () => acknowledged() > from, 30_000);
  const capacity = ((acknowledged() - from) * 1000) / (performance.now() - fromMs);
  t.true(capacity > 0, 'it takes something');

  const pace = (times * capacity) / members.reduce((sum, { series }) => sum + series, 0);
  for (const member of members) member.pace = pace;
  const sampled = members.reduce((sum, { total }) => sum + total, 0);
  const beganMs = performance.now();
  let most = atRest;
  while (performance.now() - beganMs < seconds * 1000) {
    await delay(100);
    most = Math.max(most, residentBytes(pid));
  }
  const offered =
    ((members.reduce((sum, { total }) => sum + total, 0) - sampled) * 1000) / (performance.now() - beganMs);
  const taken = acknowledged();

  for (const member of members) member.pace = 1;
  isThrottled = false;
  clearInterval(throttle);
  process.kill(pid, 'SIGCONT');
  const normalMs = performance.now();
  await until(
    'all that was counted under the load is acknowledged',
    () => acknowledged() >= sampled && members.every(isAlmostSettled),
    longestRecoveryMs,
  );
  const recoveryMs = performance.now() - normalMs;
  most = Math.max(most, residentBytes(pid));
  t.log({
    'can take, points/s': Math.round(capacity),
    'offered, points/s': Math.round(offered),
    'memory at rest': mebibytes(atRest),
    'memory, most': mebibytes(most),
    'recovered after, ms': Math.round(recoveryMs),
  });
  t.true(offered > 0.8 * times * capacity, `${offered} were offered of ${times * capacity}`);
  t.true(taken > from, 'it went on all the while');
  t.true(most - atRest < mostGrowthBytes, `memory grew by ${mebibytes(most - atRest)}`);
  t.false(collector.child.ended);

  // What it acknowledged it has, whatever becomes of it.
  const sure = acknowledged();
  await collector.child.kill();
  collector = await startCollectorProcess(args, ports);
  for (const member of members) await member.leave();
  t.is(await collector.child.stop(), 0, collector.child.output);
  t.deepEqual(book.faults, []);
  const total = members.reduce((sum, one) => sum + one.total, 0);
  t.true(total >= sure);
  t.deepEqual(
    book.of(merged.kernel).map((series) => series.total),
    [[total]],
  );
  for (const { instance, total: value } of book.of(passing.kernel))
    t.deepEqual(value, [members.find(({ id }) => id === instance)!.samples]);
  t.is(
    members.reduce((sum, { refusals }) => sum + refusals, 0),
    0,
  );
});

/** Its last sample may be on its way. */
function isAlmostSettled(member: FloodingMember): boolean {
  return member.samples - member.acknowledged <= 1;
}
