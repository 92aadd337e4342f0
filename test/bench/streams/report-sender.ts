import { ackDelayMs } from '../../../agent/uplink/uplink.ts';
import { SyntheticAgent, type SyntheticSeries } from '../../agents/synthetic-agent.ts';
import type { CollectorProcess } from '../../process/streamgauge.ts';
import type { ReportScript, ScriptedReport } from './report-script.ts';

/** A Define holds at most so many series, to stay within the largest message. */
const seriesPerDefine = 5000;

/** Streams whose series the merging view of the benchmarks joins: see {@link seriesOf}. */
const streamsPerShard = 10;

/** A stream that follows a script. */
export class ReportSender {
  readonly agent: SyntheticAgent;
  readonly script: ReportScript;
  sent = 0;
  /** Values that changed in what was sent, and what was counted in it. */
  changed = 0;
  counted = 0;

  constructor(agent: SyntheticAgent, script: ReportScript) {
    this.agent = agent;
    this.script = script;
  }

  /** Gives whether the transport wants more. */
  send(): boolean {
    const { bytes, changed, counted } = this.#next();
    this.sent++;
    this.changed += changed;
    this.counted += counted;
    this.agent.lastReport = this.sent;
    return this.agent.write(bytes);
  }

  async saturate(untilMs: number): Promise<void> {
    while (performance.now() < untilMs) if (!this.send()) await this.agent.drain();
  }

  #next(): ScriptedReport {
    const { prelude, cycle } = this.script;
    return this.sent < prelude.length
      ? prelude[this.sent]!
      : cycle[(this.sent - prelude.length) % cycle.length]!;
  }
}

/**
 * The series of one of many streams. Ten streams share a `shard`, and of their series ten share a `target`: those of ten different streams
 * when there are as many.
 */
function seriesOf(stream: number, streams: number, script: ReportScript): SyntheticSeries[] {
  const { metric, groups, seriesPerReport } = script;
  const series = groups * seriesPerReport;
  const shard = Math.floor(stream / streamsPerShard);
  const inShard = Math.min(streams - shard * streamsPerShard, streamsPerShard);
  const targets = (inShard * series) / 10;
  return Array.from({ length: series }, (_, k) => ({
    metric,
    group: Math.floor(k / seriesPerReport),
    attributes: {
      series: String(k),
      target: String(((stream % streamsPerShard) * series + k) % targets),
    },
    epoch: 'bench',
    beganUs: -3600e6,
  }));
}

/** So many streams, connected and with their series defined. */
export async function reportSenders(
  collector: CollectorProcess,
  streams: number,
  script: ReportScript,
): Promise<ReportSender[]> {
  const senders: ReportSender[] = [];
  for (let i = 0; i < streams; i++) {
    const agent = new SyntheticAgent({
      memberId: `bench-${i}`,
      resource: { 'host.name': `bench-${i}`, shard: `shard-${Math.floor(i / streamsPerShard)}` },
      ackDelayMs,
    });
    await agent.connect(`127.0.0.1:${collector.grpcPort}`, {
      // Without these grpc-js hides the transport's back pressure behind a buffer of its own.
      'grpc.per_rpc_retry_buffer_size': 0,
    });
    senders.push(new ReportSender(agent, script));
  }
  for (const [i, { agent }] of senders.entries()) {
    const series = seriesOf(i, streams, script);
    for (let from = 0; from < series.length; from += seriesPerDefine)
      agent.define(series.slice(from, from + seriesPerDefine));
  }
  return senders;
}
