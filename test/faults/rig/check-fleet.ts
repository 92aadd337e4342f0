import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { sumOf } from '../../integration/conservation/truth.ts';
import { decodeExportRequest } from '../../sinks/export-request.ts';
import { counters, merged, passing, passingCounters } from './collector-file.ts';
import { ExportBook } from './export-book.ts';
import type { FaultWorld } from './fault-world.ts';
import { recordedRequests } from './recorded-requests.ts';

export interface CheckOptions {
  /** The collector's wall clock was set back, so that times of points may go back. */
  readonly mayGoBack?: boolean;
}

/** All that the backend has agrees with the truth, of which nothing is missing and nothing there twice. */
export function checkFleet(
  t: ExecutionContext,
  world: FaultWorld,
  { mayGoBack = false }: CheckOptions = {},
): void {
  const cumulative = new ExportBook({ temporality: 'cumulative', names: counters, mayGoBack });
  const delta = new ExportBook({ temporality: 'delta', names: counters, mayRest: passingCounters });
  for (const [file, book] of [
    ['grpc', cumulative],
    ['http', delta],
  ] as const)
    for (const { bytes, isTaken } of recordedRequests(path.join(world.folder, file)))
      book.take(decodeExportRequest(bytes), bytes, isTaken);
  t.deepEqual(cumulative.faults, [], 'cumulative');
  t.deepEqual(delta.faults, [], 'delta');
  const { hosts } = world;
  const kernel = hosts.flatMap((id) => world.kernelOf(id)).reduce((sum, value) => sum + value, 0);
  const kept = sumOf(hosts.map((id) => world.kept.get(id)!.range));
  t.true(kernel > 1000 && kept.most > 0, 'something was counted');
  for (const [name, book] of [
    ['cumulative', cumulative],
    ['delta', delta],
  ] as const) {
    t.is(book.of(passing.kernel).length, hosts.length * 3, name);
    for (const { instance, attributes, total, starts } of book.of(passing.kernel)) {
      const device = Number(String(attributes.device).slice(2));
      t.deepEqual(total, [world.kernelOf(instance)[device]!], `${name}: kernel.io of ${instance}`);
      if (book === cumulative) t.is(starts.size, 1, `kernel.io of ${instance} keeps its start`);
    }
    const [io, ...others] = book.of(merged.kernel);
    t.deepEqual(others, [], `${name}: fleet.io is one series`);
    t.deepEqual(io!.total, [kernel], `${name}: fleet.io`);
    if (book === cumulative) t.is(io!.starts.size, 1, 'fleet.io keeps its start');
    const [jobs] = book.of(merged.kept);
    const value = jobs!.total[0]!;
    t.true(
      value >= kept.least && value <= kept.most,
      `${name}: fleet.jobs is ${value}; counted were ${kept.least} to ${kept.most}`,
    );
  }
  t.deepEqual(cumulative.of(merged.kept)[0]!.total, delta.of(merged.kept)[0]!.total, 'fleet.jobs');
}
