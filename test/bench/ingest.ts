import { setTimeout as delay } from 'node:timers/promises';
import { ackDelayMs } from '../../agent/uplink/session.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import { encodeReport } from '../../proto/report/write-report.ts';
import { counter, SyntheticAgent } from '../agents/synthetic-agent.ts';
import { type CollectorProcess, startCollectorProcess } from '../process/streamgauge.ts';
import { secondsArgument } from './host/arguments.ts';
import { pin } from './host/pin.ts';
import { cpuSeconds, residentMemory } from './host/process-usage.ts';
import type { Figures } from './main.ts';

export const summary =
  '[SECONDS=10]  Points per CPU-second that a collector merges: 8 and 1,000 streams saturated, 1,000 at one report a second';

const seriesPerStream = 300;
const changedPerReport = 180;
const patterns = 10;
const targets = { saturated8: 20e6, saturated1000: 12e6, pacedUs: 60 };

/**
 * What one stream sends: a first report with everything, a second that sets the pace, and then reports that each change 60 % of the
 * values. Reports are differences, so these can be sent over and over.
 */
interface Script {
  readonly first: Buffer;
  readonly second: Buffer;
  readonly cycle: readonly Buffer[];
}

function script(): Script {
  const columns = new StreamColumns();
  for (let number = 1; number <= seriesPerStream; number++) columns.define({ number, group: 0, kind: 'sum' });
  const sums = Float64Array.from({ length: seriesPerStream }, (_, k) => 1000 + k);
  let timeUs = Date.now() * 1000;
  let turn = 0;
  const next = (number?: number): Buffer => {
    timeUs += 1e6;
    turn++;
    const bytes = encodeReport(columns, [{ group: 0, timeUs, sums }], number);
    for (let k = 0; k < seriesPerStream; k++)
      if ((k * 7 + turn * 3) % 10 < 6) sums[k] += 1 + ((k * 31 + turn) % 40);
    return Buffer.from(bytes);
  };
  return { first: next(1), second: next(), cycle: Array.from({ length: patterns }, () => next()) };
}

class Sender {
  readonly agent: SyntheticAgent;
  readonly #script: Script;
  sent = 0;

  constructor(agent: SyntheticAgent, sends: Script) {
    this.agent = agent;
    this.#script = sends;
  }

  /** Gives whether the transport wants more. */
  send(): boolean {
    const { first, second, cycle } = this.#script;
    const bytes = this.sent === 0 ? first : this.sent === 1 ? second : cycle[(this.sent - 2) % patterns];
    this.sent++;
    this.agent.lastReport = this.sent;
    return this.agent.write(bytes);
  }

  async saturate(untilMs: number): Promise<void> {
    while (performance.now() < untilMs) if (!this.send()) await this.agent.drain();
  }
}

async function senders(collector: CollectorProcess, count: number, sends: Script): Promise<Sender[]> {
  const metric = counter('bench.ingest');
  const series = Array.from({ length: seriesPerStream }, (_, k) => ({
    metric,
    attributes: { series: String(k) },
    epoch: 'bench',
    beganUs: -3600e6,
  }));
  const list: Sender[] = [];
  for (let i = 0; i < count; i++) {
    const agent = new SyntheticAgent({
      memberId: `bench-${i}`,
      resource: { 'host.name': `bench-${i}` },
      ackDelayMs,
    });
    await agent.connect(`127.0.0.1:${collector.grpcPort}`, {
      // Without these grpc-js hides the transport's back pressure behind a buffer of its own.
      'grpc.per_rpc_retry_buffer_size': 0,
    });
    list.push(new Sender(agent, sends));
  }
  for (const { agent } of list) agent.define(series);
  return list;
}

interface Counters {
  readonly points: number;
  readonly changedValues: number;
  readonly refusedPoints: Readonly<Record<string, number>>;
}

async function counters(collector: CollectorProcess): Promise<Counters> {
  const answer = await fetch(`http://127.0.0.1:${collector.adminPort}/status`);
  return ((await answer.json()) as { streams: Counters }).streams;
}

/** All reports sent are acknowledged, and the collector counted them all. */
async function check(collector: CollectorProcess, list: readonly Sender[]): Promise<number> {
  for (const { agent } of list)
    await agent.until(() => agent.acknowledged === agent.lastReport, 'the last ack', 120_000);
  const sent = list.reduce((sum, { sent: reports }) => sum + reports, 0);
  const expected = sent * seriesPerStream;
  const { points, changedValues, refusedPoints } = await counters(collector);
  if (points !== expected) throw new Error(`${expected} points were sent and ${points} merged`);
  const changes = list.reduce(
    (sum, s) => sum + Math.min(s.sent, 1) * seriesPerStream + Math.max(0, s.sent - 1) * changedPerReport,
    0,
  );
  if (changedValues !== changes)
    throw new Error(`${changes} values changed and ${changedValues} were merged`);
  if (Object.values(refusedPoints).some((count) => count > 0)) throw new Error('points were refused');
  return points;
}

async function inCollector<T>(run: (collector: CollectorProcess) => Promise<T>): Promise<T> {
  const collector = await startCollectorProcess(['--log-level', 'warn']);
  pin(collector.child.pid, 0);
  try {
    return await run(collector);
  } finally {
    await collector.child.kill();
  }
}

/** The CPU time of a process once it has done all that it was sent: it does not wait for late Acks, and is not asked for its status before. */
async function cpuAtRest(pid: number): Promise<number> {
  for (;;) {
    const before = cpuSeconds(pid);
    await delay(100);
    const now = cpuSeconds(pid);
    if (now - before <= 0.01) return now;
  }
}

/** Points per CPU-second of the collector with so many streams that always have something to send. */
async function saturated(streams: number, seconds: number, sends: Script): Promise<number> {
  return await inCollector(async (collector) => {
    const list = await senders(collector, streams, sends);
    for (const sender of list) for (let i = 0; i < 4; i++) sender.send();
    await check(collector, list);
    // What is compiled at first use has been compiled after a second.
    const warmMs = performance.now() + 1000;
    await Promise.all(list.map((sender) => sender.saturate(warmMs)));
    const pointsBefore = await check(collector, list);
    const cpuBefore = cpuSeconds(collector.child.pid);
    const until = performance.now() + seconds * 1000;
    await Promise.all(list.map((sender) => sender.saturate(until)));
    const cpu = (await cpuAtRest(collector.child.pid)) - cpuBefore;
    const points = (await check(collector, list)) - pointsBefore;
    for (const { agent } of list) agent.cut();
    return points / cpu;
  });
}

interface Paced {
  readonly reportUs: number;
  readonly heldStreamKib: number;
  readonly streamWithSeriesKib: number;
}

/** What is compiled at first use has been compiled after so long. */
const warmUpSeconds = 3;

/** One report a second of each, evenly spread. */
async function pace(list: readonly Sender[], seconds: number): Promise<void> {
  const began = performance.now();
  const slices = 100;
  for (let tick = 0; tick < seconds * slices; tick++) {
    for (let i = tick % slices; i < list.length; i += slices) list[i].send();
    const waitMs = began + ((tick + 1) * 1000) / slices - performance.now();
    if (waitMs > 0) await delay(waitMs);
  }
}

/** A thousand streams that report once a second, evenly spread; and what they take of the collector's memory. */
async function paced(streams: number, seconds: number, sends: Script): Promise<Paced> {
  return await inCollector(async (collector) => {
    const { pid } = collector.child;
    const memory = (): number => residentMemory(pid).nowMiB * 1024;
    const before = memory();
    const idle: SyntheticAgent[] = [];
    for (let i = 0; i < streams; i++) {
      const agent = new SyntheticAgent({ memberId: `idle-${i}` });
      await agent.connect(`127.0.0.1:${collector.grpcPort}`);
      idle.push(agent);
    }
    const heldStreamKib = (memory() - before) / streams;
    for (const agent of idle) agent.cut();
    const list = await senders(collector, streams, sends);
    for (const sender of list) sender.send();
    await check(collector, list);
    const streamWithSeriesKib = (memory() - before) / streams;
    await pace(list, warmUpSeconds);
    const pointsBefore = await check(collector, list);
    const cpuBefore = await cpuAtRest(pid);
    await pace(list, seconds);
    const cpu = (await cpuAtRest(pid)) - cpuBefore;
    const points = (await check(collector, list)) - pointsBefore;
    for (const { agent } of list) agent.cut();
    return { reportUs: (cpu / (points / seriesPerStream)) * 1e6, heldStreamKib, streamWithSeriesKib };
  });
}

/** A collector process on one processor and the sender, this process, on the other. */
export async function run(args: readonly string[]): Promise<Figures> {
  const seconds = secondsArgument(args, 10);
  const isPinned = pin(process.pid, 1);
  const sends = script();
  const eight = await saturated(8, seconds, sends);
  const thousand = await saturated(1000, seconds, sends);
  const { reportUs, heldStreamKib, streamWithSeriesKib } = await paced(1000, seconds, sends);
  const million = (value: number): string => `${(value / 1e6).toFixed(1)} million`;
  const rows: [string, string, string][] = [
    ['8 streams saturated, points per CPU-second', million(eight), million(targets.saturated8)],
    ['1,000 streams saturated, points per CPU-second', million(thousand), million(targets.saturated1000)],
    ['1,000 streams at 1 report/s, CPU per report', `${reportUs.toFixed(1)} µs`, `${targets.pacedUs} µs`],
    ['resident memory per held stream', `${heldStreamKib.toFixed(1)} KiB`, ''],
    ['and with 300 series', `${streamWithSeriesKib.toFixed(1)} KiB`, ''],
  ];
  console.log(
    `ingest, reports of ${seriesPerStream} points of which ${changedPerReport} changed${isPinned ? '' : '; not pinned to processors'}`,
  );
  for (const [what, value, target] of rows)
    console.log(`  ${what.padEnd(50)} ${value.padStart(14)}  ${target === '' ? '' : `target ${target}`}`);
  return {
    seconds,
    points_per_cpu_second_8: eight,
    points_per_cpu_second_1000: thousand,
    cpu_us_per_paced_report: reportUs,
    held_stream_kib: heldStreamKib,
    stream_with_series_kib: streamWithSeriesKib,
    report_bytes: sends.cycle[0].length,
  };
}
