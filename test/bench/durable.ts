import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SyncPolicy } from '../../collector/journal/sync-policy.ts';
import { run as runProgram } from '../process/child.ts';
import { startAgentProcess, startCollectorProcess } from '../process/streamgauge.ts';
import type { FillFigures, OpenFigures, PaceFigures, StateProcessOptions } from './durable/state-process.ts';
import { pin } from './host/pin.ts';
import type { Figures } from './main.ts';
import { saturated } from './streams/collector-load.ts';
import { reportScript } from './streams/report-script.ts';

export const summary =
  '[DIR]  what keeping the state costs: ingest with and without, bytes, commits, checkpoints, restarts';

const seconds = 5;
const rounds = 3;
const agentSeconds = 30;
const sizes = [10_000, 100_000, 1_000_000] as const;
const syncs: readonly (readonly [string, SyncPolicy])[] = [
  ['always', { mode: 'always' }],
  ['interval', { mode: 'interval', intervalMs: 1000 }],
];

/** @param args a directory on the disk to measure; default: the system's temporary one */
export async function run([disk = os.tmpdir()]: readonly string[]): Promise<Figures> {
  const folder = mkdtempSync(path.join(disk, 'streamgauge-durable-'));
  const figures: Record<string, number> = {};
  const note = (key: string, text: string, value: number, unit: string, target = ''): void => {
    figures[key] = value;
    const shown = value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 3);
    console.log(
      `  ${text.padEnd(64)} ${shown.padStart(9)} ${unit.padEnd(6)} ${target === '' ? '' : `target ${target}`}`,
    );
  };
  try {
    pin(process.pid, 1);
    console.log('durable');
    await ingest(folder, note);
    await journalBytes(folder, note);
    for (const [name, sync] of syncs) {
      const figures = await state<PaceFigures>({
        what: 'pace',
        directory: path.join(folder, `pace-${name}`),
        series: 300_000,
        sync,
      });
      note(`commit_p50_ms_${name}`, `commit at 1,000 reports/s, sync ${name}: p50`, figures.p50Ms, 'ms');
      note(`commit_p99_ms_${name}`, `commit at 1,000 reports/s, sync ${name}: p99`, figures.p99Ms, 'ms');
    }
    for (const series of sizes) await restart(folder, series, note);
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Note = (key: string, text: string, value: number, unit: string, target?: string) => void;

/** In turns, so that what else goes on is in both; the medians of three. */
async function ingest(folder: string, note: Note): Promise<void> {
  const script = reportScript();
  for (const streams of [8, 1000]) {
    const ratios: number[] = [];
    const points: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const directory = path.join(folder, `ingest-${streams}-${round}`);
      const off = await saturated({ streams, seconds, script, args: ['--memory'] });
      const on = await saturated({ streams, seconds, script, args: ['--data-dir', directory] });
      rmSync(directory, { recursive: true, force: true });
      ratios.push(off / on);
      points.push(1 / on);
    }
    const label = `${streams.toLocaleString('en')} streams saturated`;
    note(
      `ingest_${streams}_points_per_cpu_second`,
      `${label}, million points per CPU-second`,
      median(points) / 1e6,
      '',
    );
    note(`ingest_${streams}_ratio`, `${label}, against none kept`, median(ratios), 'x', '0.85');
  }
}

/** What this machine's agent says at one report a second, as in `bench wire`. */
async function journalBytes(folder: string, note: Note): Promise<void> {
  const collector = await startCollectorProcess(['--data-dir', path.join(folder, 'agent')]);
  const agent = startAgentProcess(collector.grpcPort, ['--agent-id', 'bench']);
  try {
    await delay(5000);
    const before = await written(collector.adminPort);
    await delay(agentSeconds * 1000);
    const after = await written(collector.adminPort);
    const points = after.points - before.points;
    note(
      'journal_bytes_per_point',
      `journal bytes per point, one agent at 1 s (${(points / agentSeconds).toFixed(0)} points/s)`,
      (after.bytes - before.bytes) / points,
      'B',
      '1',
    );
  } finally {
    await agent.kill();
    await collector.child.kill();
  }
}

async function written(adminPort: number): Promise<{ bytes: number; points: number }> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/status`);
  const status = (await answer.json()) as { storage: { writtenBytes: number }; streams: { points: number } };
  return { bytes: status.storage.writtenBytes, points: status.streams.points };
}

async function restart(folder: string, series: number, note: Note): Promise<void> {
  const directory = path.join(folder, `state-${series}`);
  const sync = { mode: 'always' } as const;
  const filled = await state<FillFigures>({ what: 'fill', directory, series, sync });
  const of = `${filled.series.toLocaleString('en')} series`;
  const isLargest = series === sizes.at(-1);
  note(
    `checkpoint_bytes_per_series_${series}`,
    `${of}: checkpoint, bytes per series`,
    filled.checkpointBytes / filled.series,
    'B',
  );
  note(`checkpoint_ms_${series}`, `${of}: checkpoint under load`, filled.checkpointMs, 'ms');
  note(`moment_ms_${series}`, `${of}: copying of its moment`, filled.momentMs, 'ms');
  note(
    `stall_ms_${series}`,
    `${of}: longest stall of the event loop meanwhile`,
    filled.longestStallMs,
    'ms',
    isLargest ? '20' : '',
  );
  note(`stall_without_ms_${series}`, `${of}: the same without a checkpoint`, filled.stallWithoutMs, 'ms');
  note(`peak_mib_${series}`, `${of}: most resident memory`, filled.peakMib, 'MiB');
  const opened = await state<OpenFigures>({ what: 'open', directory, series, sync });
  if (opened.series !== filled.series)
    throw new Error(`${filled.series} series were kept and ${opened.series} are there again`);
  note(
    `restart_ms_${series}`,
    `${of}: restart, with two reports of each stream to play again`,
    opened.openMs,
    'ms',
    isLargest ? '2000' : '',
  );
  note(`restart_peak_mib_${series}`, `${of}: most resident memory of that`, opened.peakMib, 'MiB');
  rmSync(directory, { recursive: true, force: true });
}

async function state<T>(options: StateProcessOptions): Promise<T> {
  const program = path.join(import.meta.dirname, 'durable', 'state-process.ts');
  const output = await runProgram(process.execPath, [program, JSON.stringify(options)], {
    timeoutMs: 300_000,
  });
  return JSON.parse(output.trim().split('\n').at(-1)!) as T;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
