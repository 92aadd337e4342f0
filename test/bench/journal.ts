import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLog } from '../../collector/journal/journal-log.ts';
import type { JournalOptions } from '../../collector/journal/journal-options.ts';
import { openDataDirectory } from '../../collector/journal/open-data-directory.ts';
import type { SyncPolicy } from '../../collector/journal/sync-policy.ts';

export const name = 'journal';
export const summary =
  'the journal: MB/s, records per CPU-second, commit latency; checkpoints; replay. DIR puts it on another disk';

const timedMs = 2000;
const checkpointBytes = 128 * 2 ** 20;
const chunkBytes = 32 * 1024;

interface Row {
  readonly title: string;
  readonly key: string;
  readonly bytes: number;
  readonly sync: SyncPolicy;
}

const always: SyncPolicy = { mode: 'always' };
const rows: readonly Row[] = [
  { title: '300 B, synced', key: 'small', bytes: 300, sync: always },
  {
    title: '300 B, interval',
    key: 'small_interval',
    bytes: 300,
    sync: { mode: 'interval', intervalMs: 1000 },
  },
  { title: '64 KiB, synced', key: 'large', bytes: 65_536, sync: always },
  {
    title: '64 KiB, interval',
    key: 'large_interval',
    bytes: 65_536,
    sync: { mode: 'interval', intervalMs: 1000 },
  },
];

export async function run([directory = os.tmpdir()]: readonly string[]): Promise<Record<string, number>> {
  const folder = mkdtempSync(path.join(directory, 'streamgauge-bench-'));
  try {
    const figures: Record<string, number> = {};
    console.log('saturated            MB/s   records/s   records/CPU-s   commits/s   replayed records/s');
    for (const row of rows) await saturate(row, path.join(folder, row.key), figures);
    console.log('\none record at a time, 1,000/s      commits/s   CPU µs/record   commit ms p50     p99');
    await steady('at once', 'steady', 0, path.join(folder, 'steady'), figures);
    await steady('gathered for 5 ms', 'gathered', 5, path.join(folder, 'gathered'), figures);
    await checkpoint(path.join(folder, 'checkpoint'), figures);
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const opened = async (directory: string, options: JournalOptions) =>
  (await (await openDataDirectory(directory, silentLog)).begin({ segmentBytes: 32 * 2 ** 20, ...options }))
    .state;

/** As many records as are taken. */
async function saturate(
  { title, key, bytes, sync }: Row,
  directory: string,
  figures: Record<string, number>,
): Promise<void> {
  const state = await opened(directory, { sync });
  const { journal } = state;
  const record = Buffer.alloc(bytes, 'x');
  const cpu = process.cpuUsage();
  const began = performance.now();
  let records = 0;
  while (performance.now() - began < timedMs) {
    for (let i = 0; i < 64 && !journal.isCongested; i++) {
      record.writeUInt32LE(records++, 0);
      journal.append(1, record);
    }
    if (journal.isCongested) await journal.drained();
    else await nextTurn();
  }
  await journal.committed(journal.position);
  const seconds = (performance.now() - began) / 1000;
  const cpuSeconds = cpuSecondsOf(process.cpuUsage(cpu));
  const { commits } = journal.status;
  await state.close();
  const replayed = await replay(directory, records);
  const megabytes = (records * bytes) / 1e6 / seconds;
  console.log(
    `${title.padEnd(18)}${[megabytes, records / seconds, records / cpuSeconds, commits / seconds, replayed].map((figure, i) => Math.round(figure).toLocaleString('en-US').padStart([7, 12, 16, 12, 21][i]!)).join('')}`,
  );
  figures[`${key}_mb_per_s`] = Math.round(megabytes);
  figures[`${key}_records_per_cpu_s`] = Math.round(records / cpuSeconds);
  figures[`${key}_replayed_records_per_s`] = Math.round(replayed);
  rmSync(directory, { recursive: true });
}

/** Records a second; each must be the one that was written. */
async function replay(directory: string, expected: number): Promise<number> {
  const began = performance.now();
  const recovery = await openDataDirectory(directory, silentLog);
  let records = 0;
  for await (const commit of recovery.commits())
    for (const { bytes } of commit)
      if (bytes.readUInt32LE(0) !== records++) throw new Error(`record ${records - 1} is another one`);
  const seconds = (performance.now() - began) / 1000;
  if (records !== expected) throw new Error(`${records} records were read, ${expected} written`);
  await (await recovery.begin()).state.close();
  return records / seconds;
}

/** A thousand agents that report once a second. */
async function steady(
  title: string,
  key: string,
  gatherMs: number,
  directory: string,
  figures: Record<string, number>,
): Promise<void> {
  const state = await opened(directory, { gatherMs });
  const { journal } = state;
  const record = Buffer.alloc(300, 'x');
  const latencies: number[] = [];
  const idle = await idleCpu();
  const cpu = process.cpuUsage();
  const began = performance.now();
  let records = 0;
  while (performance.now() - began < timedMs) {
    for (; records < performance.now() - began; records++) {
      const appended = performance.now();
      journal.whenCommitted(journal.append(1, record), () => latencies.push(performance.now() - appended));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await journal.committed(journal.position);
  const seconds = (performance.now() - began) / 1000;
  const cpuMicros = (cpuSecondsOf(process.cpuUsage(cpu)) - idle * seconds) * 1e6;
  if (latencies.length !== records)
    throw new Error(`${latencies.length} of ${records} records were committed`);
  latencies.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((share) => latencies[Math.floor(share * latencies.length)]!);
  const commits = journal.status.commits / seconds;
  console.log(
    `${title.padEnd(34)}${commits.toFixed(0).padStart(10)}${(cpuMicros / records).toFixed(1).padStart(16)}${p50!.toFixed(2).padStart(16)}${p99!.toFixed(2).padStart(8)}`,
  );
  figures[`${key}_commits_per_s`] = Math.round(commits);
  figures[`${key}_cpu_us_per_record`] = Math.round((cpuMicros / records) * 10) / 10;
  figures[`${key}_commit_p50_ms`] = Math.round(p50! * 100) / 100;
  figures[`${key}_commit_p99_ms`] = Math.round(p99! * 100) / 100;
  await state.close();
}

/** CPU seconds a second of the loop that feeds `steady`. */
async function idleCpu(): Promise<number> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  while (performance.now() - began < timedMs / 2) await new Promise((resolve) => setTimeout(resolve, 1));
  return cpuSecondsOf(process.cpuUsage(cpu)) / ((performance.now() - began) / 1000);
}

/** A checkpoint of the state of about a million series, beside commits. */
async function checkpoint(directory: string, figures: Record<string, number>): Promise<void> {
  const state = await opened(directory, {});
  const { journal } = state;
  const position = journal.append(1, Buffer.from('first'));
  const latencies: number[] = [];
  let isWriting = true;
  const commits = (async () => {
    while (isWriting) {
      const began = performance.now();
      await journal.committed(journal.append(1, Buffer.alloc(300)));
      latencies.push(performance.now() - began);
    }
  })();
  const chunk = Buffer.alloc(chunkBytes);
  let longestMs = 0;
  let last = performance.now();
  const count = checkpointBytes / chunkBytes;
  const cpu = process.cpuUsage();
  const written = await state.writeCheckpoint(
    position,
    (async function* () {
      for (let key = 0; key < count; key++) {
        chunk.writeUInt32LE(key, 0);
        yield { type: 1, key, bytes: chunk };
        if (key % 8 !== 7) continue;
        await nextTurn();
        longestMs = Math.max(longestMs, performance.now() - last);
        last = performance.now();
      }
    })(),
  );
  const cpuMs = cpuSecondsOf(process.cpuUsage(cpu)) * 1000;
  isWriting = false;
  await commits;
  await state.close();
  const began = performance.now();
  const recovery = await openDataDirectory(directory, silentLog);
  let chunks = 0;
  for await (const { key, bytes } of recovery.chunks())
    if (key !== chunks++ || Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE() !== key)
      throw new Error(`chunk ${chunks - 1} is another one`);
  const readMs = performance.now() - began;
  if (chunks !== count) throw new Error(`${chunks} chunks were read, ${count} written`);
  await recovery.abandon();
  latencies.sort((a, b) => a - b);
  const p99 = latencies[Math.floor(0.99 * latencies.length)]!;
  console.log(
    `\ncheckpoint of ${checkpointBytes / 2 ** 20} MiB: written in ${written.durationMs.toFixed(0)} ms (${cpuMs.toFixed(0)} ms of CPU, commits beside it included), read and checked in ${readMs.toFixed(0)} ms; a chunk after at most ${longestMs.toFixed(1)} ms; commits meanwhile p99 ${p99.toFixed(1)} ms`,
  );
  figures.checkpoint_write_ms = Math.round(written.durationMs);
  figures.checkpoint_read_ms = Math.round(readMs);
  figures.checkpoint_commit_p99_ms = Math.round(p99 * 10) / 10;
}

function cpuSecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
