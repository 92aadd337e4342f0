import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CollectorProcess } from '../../process/streamgauge.ts';
import { benchGrpc } from '../streams/collector-load.ts';
import type { ReportScript } from '../streams/report-script.ts';
import type { ReportSender } from '../streams/report-sender.ts';
import { type Swallow, startSwallow } from './swallow.ts';

/** The reader exports so often, so that every load has exports in it. */
export const exportIntervalMs = 2000;

export interface CollectorSetUp {
  /** Arguments of a collector. */
  readonly args: readonly string[];
  readonly backend: Swallow;
}

/**
 * Runs with the configuration of a collector that exports to a backend of the benchmark's own; `isMerging`: it joins ten series to one, by
 * the attributes that the benchmark's streams give them.
 */
export async function withSetUp<T>(
  isMerging: boolean,
  run: (setUp: CollectorSetUp) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-bench-'));
  const backend = await startSwallow();
  try {
    const file = path.join(folder, 'collector.yaml');
    const exporter = { otlp_http: { endpoint: backend.url } };
    const view = {
      selector: { instrument_name: 'bench.*' },
      stream: {
        attribute_keys: { included: ['target'] },
        aggregation_cardinality_limit: 1_000_000,
        streamgauge: { resource_keys: ['shard'] },
      },
    };
    const configuration = {
      file_format: '1.0',
      grpc: benchGrpc,
      meter_provider: {
        readers: [{ periodic: { interval: exportIntervalMs, exporter } }],
        ...(isMerging ? { views: [view] } : {}),
      },
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(configuration));
    return await run({ args: ['--config', file], backend });
  } finally {
    backend.stop();
    await rm(folder, { recursive: true });
  }
}

/** What merged sums, or the counts of merged histograms, come to at /metrics is what the streams counted. @throws Error when it is not */
export async function verifyMerged(
  collector: CollectorProcess,
  senders: readonly ReportSender[],
): Promise<void> {
  const { script } = senders[0]!;
  const text = await (await fetch(`http://127.0.0.1:${collector.httpPort}/metrics`)).text();
  const name = sampleName(script);
  let shown = 0;
  let points = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}{`)) continue;
    shown += Number(line.slice(line.lastIndexOf(' ') + 1));
    points++;
  }
  const counted = senders.reduce((sum, sender) => sum + sender.counted, 0);
  const targets = (senders.length * script.groups * script.seriesPerReport) / 10;
  if (points !== targets) throw new Error(`${points} merged points are shown for ${targets}`);
  if (shown !== counted) throw new Error(`${counted} were counted and ${shown} are shown`);
}

function sampleName({ metric }: ReportScript): string {
  return metric.kind === 'sum' ? 'bench_requests_total' : 'bench_duration_milliseconds_count';
}
