// `node state-process.ts JSON`: fills a data directory, or opens one; its figures as one line of JSON.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { collectorDefaults } from '../../../collector/config/collector-config.ts';
import { DirectoryStorage } from '../../../collector/durability/directory-storage.ts';
import { KeptIntervals } from '../../../collector/durability/kept-intervals.ts';
import { type OpenedState, openState } from '../../../collector/durability/open-state.ts';
import { stateRules } from '../../../collector/durability/state-rules.ts';
import { silentLog } from '../../../collector/journal/journal-log.ts';
import type { SyncPolicy } from '../../../collector/journal/sync-policy.ts';
import { OutputProblems } from '../../../collector/outputs/output-problems.ts';
import { SessionCounters } from '../../../collector/sessions/session-counters.ts';
import { residentMemory } from '../host/process-usage.ts';
import { Fleet, seriesPerStream } from './fleet.ts';

export interface StateProcessOptions {
  readonly what: 'fill' | 'open' | 'pace';
  readonly directory: string;
  readonly series: number;
  readonly sync: SyncPolicy;
}

export interface FillFigures {
  readonly series: number;
  readonly checkpointMs: number;
  readonly checkpointBytes: number;
  /** Copying of the moment, and the longest that the event loop stood still while the checkpoint was made under load. */
  readonly momentMs: number;
  readonly longestStallMs: number;
  readonly stallWithoutMs: number;
  readonly peakMib: number;
}

export interface OpenFigures {
  readonly series: number;
  readonly openMs: number;
  readonly peakMib: number;
}

export interface PaceFigures {
  readonly commits: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const options = JSON.parse(process.argv[2]!) as StateProcessOptions;
const view = {
  selector: { instrumentName: 'bench.metric.*' },
  stream: { aggregation: 'default', resourceKeys: [] },
} as const;
const commitMs: number[] = [];

async function open(): Promise<{ opened: OpenedState; storage: DirectoryStorage; openMs: number }> {
  const beganMs = performance.now();
  const intervals = new KeptIntervals([], silentLog);
  const opened = await openState({
    directory: options.directory,
    journal: { sync: options.sync, onCommit: ({ durationMs }) => void commitMs.push(durationMs) },
    rules: { ...stateRules(collectorDefaults), views: [view] },
    problems: new OutputProblems(() => {}),
    counters: new SessionCounters(),
    intervals,
    log: { ...silentLog, info() {} },
    sessionLog: () => {},
  });
  const openMs = performance.now() - beganMs;
  const storage = new DirectoryStorage({ opened, openedMs: openMs, parts: [intervals], log: silentLog });
  return { opened, storage, openMs };
}

const peakMib = (): number => residentMemory(process.pid).peakMiB;

/** Reports of all streams, spread over each second; gives the longest time that the event loop stood still, milliseconds. */
async function underLoad(fleet: Fleet, until: Promise<unknown>): Promise<number> {
  let isOver = false;
  void until.finally(() => {
    isOver = true;
  });
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const began = performance.now();
  for (let sent = 0; !isOver; ) {
    const due = ((performance.now() - began) / 1000) * fleet.streams;
    // Not more at a time than a port hands on in one turn.
    for (let i = 0; i < 32 && sent < due; i++, sent++) fleet.reportOf(sent % fleet.streams);
    if (sent < due) await nextTurn();
    else await delay(1);
  }
  delays.disable();
  return delays.max / 1e6;
}

async function fill(): Promise<FillFigures> {
  const { opened, storage } = await open();
  const { journal } = opened.durable;
  const fleet = new Fleet();
  const turn = async (): Promise<void> => {
    if (journal.isCongested) await journal.drained();
    else await nextTurn();
  };
  await fleet.join(opened.sessions, Math.round(options.series / seriesPerStream), turn);
  for (let i = 0; i < 3; i++) await fleet.report(turn);
  // The first one makes room; those that follow are what goes on.
  await storage.checkpoint(AbortSignal.timeout(120_000));
  const stallWithoutMs = await underLoad(fleet, delay(2000));
  let checkpointMs = 0;
  const longestStallMs = await underLoad(
    fleet,
    (async () => {
      const beganMs = performance.now();
      if (!(await storage.checkpoint(AbortSignal.timeout(120_000))))
        throw new Error('no checkpoint was written');
      checkpointMs = performance.now() - beganMs;
    })(),
  );
  // What a start has to play again.
  for (let i = 0; i < 2; i++) await fleet.report(turn);
  const { status } = storage;
  if (status.kind !== 'directory' || status.checkpoint === null) throw new Error('there is no checkpoint');
  const series = opened.state.store.seriesCount;
  const { bytes: checkpointBytes, longestMomentMs: momentMs } = status.checkpoint;
  await journal.committed(journal.position);
  return {
    series,
    checkpointMs,
    checkpointBytes,
    momentMs,
    longestStallMs,
    stallWithoutMs,
    peakMib: peakMib(),
  };
}

async function reopen(): Promise<OpenFigures> {
  const { opened, openMs } = await open();
  const series = opened.state.store.seriesCount;
  return { series, openMs, peakMib: peakMib() };
}

/** A thousand reports a second, one by one. */
async function pace(): Promise<PaceFigures> {
  const { opened } = await open();
  const fleet = new Fleet();
  await fleet.join(opened.sessions, Math.round(options.series / seriesPerStream), nextTurn);
  for (let i = 0; i < 3; i++) await fleet.report(nextTurn);
  commitMs.length = 0;
  await underLoad(fleet, delay(4000));
  const sorted = commitMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)]!;
  return { commits: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

const run = { fill, open: reopen, pace }[options.what];
console.log(JSON.stringify(await run()));
// As a killed process ends: what is behind the checkpoint has to be played again.
process.exit(0);
