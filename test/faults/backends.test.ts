import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { until } from '../agent/until.ts';
import { seedOfRun } from '../integration/conservation/conserves.ts';
import { Random } from '../integration/conservation/random.ts';
import { fixedPort } from '../process/fixed-port.ts';
import { startCollectorProcess } from '../process/streamgauge.ts';
import { type Fault, isTaken } from '../sinks/fault-plan.ts';
import { startGrpcSink } from '../sinks/grpc-sink.ts';
import { startHttpSink } from '../sinks/http-sink.ts';
import type { OtlpSink } from '../sinks/otlp-sink.ts';
import { counters, merged, passing, passingCounters, writeCollectorFile } from './rig/collector-file.ts';
import { CountingMember } from './rig/counting-member.ts';
import { ExportBook } from './rig/export-book.ts';

const intervalMs = 800;
const timeoutMs = intervalMs;

/** What a backend does to each request for a while. */
const troubles: readonly (readonly [name: string, fault: Fault])[] = [
  ['ends connections', 'close'],
  ['is unavailable', 'unavailable'],
  ['refuses for good', 'invalid'],
  ['throttles', { throttleMs: 400 }],
  ['answers partial success', { rejected: 1, message: 'one too many' }],
  ['hangs', 'hang'],
  ['answers garbage', 'garbage'],
  ['answers late', { lateMs: 500 }],
  ['answers too late', { lateMs: timeoutMs + 300 }],
];

interface Backend {
  readonly name: string;
  readonly temporality: 'cumulative' | 'delta';
  readonly kind: 'otlp_grpc' | 'otlp_http';
  readonly sink: OtlpSink;
  readonly book: ExportBook;
  attempts: number;
}

test('backends that refuse, throttle, take a part, hang, answer garbage or late, for each kind of reader, and the collector is killed meanwhile', async (t) => {
  t.timeout(240_000);
  const seed = seedOfRun();
  t.log(`STREAMGAUGE_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'streamgauge-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  let isTrouble = false;
  const backends: Backend[] = [];
  for (const [kind, start] of [
    ['otlp_grpc', startGrpcSink],
    ['otlp_http', startHttpSink],
  ] as const)
    for (const temporality of ['cumulative', 'delta'] as const)
      for (const [name, fault] of troubles) {
        // What is refused for good is gone, and the next state makes up for it; a delta interval is lost, and counted as failed.
        if (fault === 'invalid' && temporality === 'delta') continue;
        const book = new ExportBook({ temporality, names: counters, mayRest: passingCounters });
        const sink = await start({
          // The collector's own metrics are counted, too, so some get through.
          plan: () => (isTrouble && random.chance(0.8) ? fault : 'ok'),
          onAttempt: (attempt) => {
            backend.attempts++;
            book.take(attempt.request, attempt.bytes, isTaken(attempt.fault));
          },
        });
        const backend: Backend = {
          name: `${kind} ${temporality} ${name}`,
          temporality,
          kind,
          sink,
          book,
          attempts: 0,
        };
        t.teardown(() => sink.stop());
        backends.push(backend);
      }
  const file = writeCollectorFile(
    folder,
    backends.map(({ kind, temporality, sink: { url } }) => ({
      kind,
      temporality,
      url,
      intervalMs,
      timeoutMs,
    })),
  );
  const args = ['--config', file, '--data-dir', path.join(folder, 'data')];
  const ports = { grpcPort: await fixedPort(), httpPort: await fixedPort(), adminPort: await fixedPort() };
  let collector = await startCollectorProcess(args, ports);
  t.teardown(() => collector.child.kill());
  const members = ['a', 'b'].map((id) => new CountingMember(id, () => ports.grpcPort, random, 50));
  for (const member of members) {
    t.teardown(() => member.vanish());
    member.start();
  }
  const shown = ({ book }: Backend): number => book.of(merged.kernel)[0]?.total[0] ?? 0;
  await until('every backend has something', () => backends.every((backend) => shown(backend) > 0), 60_000);
  for (let round = 0; round < 2; round++) {
    isTrouble = true;
    const before = new Map(backends.map((backend) => [backend, backend.attempts]));
    await until(
      'every backend was asked in its trouble',
      () => backends.every((backend) => backend.attempts >= before.get(backend)! + 2),
      60_000,
    );
    const acknowledged = members.map((member) => member.acknowledged);
    await until('streams go on', () => members.every((member, i) => member.acknowledged > acknowledged[i]!));
    if (round === 0) {
      await delay(random.int(0, 500));
      await collector.child.kill();
      collector = await startCollectorProcess(args, ports);
    }
    isTrouble = false;
    const sure = members.reduce((sum, member) => sum + member.acknowledged, 0);
    await until(
      'every backend has what was acknowledged',
      () => backends.every((each) => shown(each) >= sure),
      90_000,
    );
  }
  for (const member of members) await member.leave();
  const total = members.reduce((sum, { value }) => sum + value, 0);
  await until('every backend has all', () => backends.every((backend) => shown(backend) === total), 90_000);
  t.is(await collector.child.stop(), 0, collector.child.output);
  for (const { name, book } of backends) {
    t.deepEqual(book.faults, [], name);
    for (const { id, value } of members)
      t.deepEqual(book.of(passing.kernel).find(({ instance }) => instance === id)!.total, [value], name);
    const [fleet, ...others] = book.of(merged.kernel);
    t.deepEqual(others, [], name);
    t.deepEqual(fleet!.total, [total], name);
  }
});
