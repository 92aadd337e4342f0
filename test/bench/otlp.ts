import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import type { Temporality } from '../../otel/model/metric.ts';
import { readPartialSuccess } from '../../otel/otlp/export-answer.ts';
import { sameBytes } from '../../proto/service.ts';
import type { CollectorProcess } from '../process/streamgauge.ts';
import { otelcolMissing, otelcolUnderLoad } from './engine/otelcol-load.ts';
import { OtlpRequests, pointsPerRequest } from './engine/otlp-requests.ts';
import { secondsArgument } from './host/arguments.ts';
import { pin } from './host/pin.ts';
import { cpuAtRest, cpuSeconds } from './host/process-usage.ts';
import type { Figures } from './main.ts';
import { benchGrpc, inCollector } from './streams/collector-load.ts';

export const summary =
  '[SECONDS=2]  Points per CPU-second that a collector takes in as OTLP, merged; beside the OpenTelemetry Collector where it is built';

const exportPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
/** Requests under way at a time, each on a connection of its own. */
const connections = 4;
const target = 1.5e6;
/** Of the collector. */
const warmUpCpuSeconds = 2;

interface Load {
  readonly attributes: 4 | 6;
  readonly series: number;
  readonly temporality: Temporality;
  /** Of the collector's CPU time. */
  readonly seconds: number;
}

const config = {
  grpc: benchGrpc,
  meter_provider: {
    views: [
      {
        selector: { instrument_name: 'bench.requests' },
        stream: {
          name: 'fleet.requests',
          attribute_keys: { included: ['http.request.method'] },
          streamgauge: { resource_keys: [] },
        },
      },
    ],
  },
};

/** A collector process on one processor and the senders, this process, on the other. */
export async function run(args: readonly string[]): Promise<Figures> {
  const seconds = secondsArgument(args, 2);
  const isPinned = pin(process.pid, 1);
  console.log(
    `OTLP in over gRPC, ${pointsPerRequest} points a request, merged; points per CPU-second; target ${million(target)} at 4 attributes${isPinned ? '' : '; not pinned to processors'}`,
  );
  const figures: Record<string, number | string> = { seconds };
  for (const where of ['memory', 'disk'] as const)
    for (const attributes of [4, 6] as const)
      for (const series of [10_000, 100_000])
        for (const temporality of ['cumulative', 'delta'] as const) {
          // What a request costs on a disk hardly depends on what it holds.
          if (where === 'disk' && (attributes === 6 || temporality === 'cumulative')) continue;
          const value = await inFolder(where, (folderArgs) =>
            collectorUnderLoad({ attributes, series, temporality, seconds }, folderArgs),
          );
          const what = `${temporality}, ${attributes} attributes, ${series / 1000}k series${where === 'disk' ? ', committed to a disk' : ''}`;
          console.log(`  ${what.padEnd(58)} ${million(value).padStart(14)}`);
          figures[`${where}_${temporality}_${attributes}_${series}`] = value;
        }
  for (const [name, isAggregating] of [
    ['otelcol, deltatocumulative and interval', true],
    ['otelcol, to nowhere', false],
  ] as const)
    for (const series of [10_000, 100_000]) {
      const usage = await otelcolUnderLoad({ kind: 'sum', series, seconds, isAggregating });
      const value = usage?.pointsPerCpuSecond;
      const shown = value === undefined ? otelcolMissing : million(value);
      console.log(`  ${`${name}, ${series / 1000}k series`.padEnd(58)} ${shown.padStart(14)}`);
      figures[`${isAggregating ? 'otelcol_aggregating' : 'otelcol_nop'}_${series}`] = value ?? shown;
    }
  return figures;
}

function million(value: number): string {
  return `${(value / 1e6).toFixed(2)} million`;
}

/** With the arguments of a collector that keeps its state there. */
async function inFolder<T>(
  where: 'memory' | 'disk',
  use: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'streamgauge-otlp-'));
  try {
    const file = path.join(folder, 'collector.yaml');
    await writeFile(file, JSON.stringify(config));
    const kept = where === 'memory' ? ['--memory'] : ['--data-dir', path.join(folder, 'data')];
    return await use(['--config', file, ...kept]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Points per second of the collector's CPU time. @throws Error when it did not count what was sent */
async function collectorUnderLoad(
  { attributes, series, temporality, seconds }: Load,
  args: readonly string[],
): Promise<number> {
  const requests = new OtlpRequests('sum', temporality, series, attributes);
  return await inCollector(args, async (collector) => {
    const senders = Array.from({ length: connections }, () => new Sender(collector.grpcPort));
    try {
      let sent = 0;
      const send = async (isEnough: () => boolean): Promise<void> => {
        await Promise.all(
          senders.map(async (sender) => {
            while (!isEnough()) {
              sent++;
              await sender.export(requests.next());
            }
          }),
        );
      };
      const { pid } = collector.child;
      // So that it does not matter what else the machine does.
      const used = (cpu: number) => {
        const before = cpuSeconds(pid);
        return () => cpuSeconds(pid) - before >= cpu;
      };
      // Twice over all series, and then until what runs often has been compiled.
      await send(() => sent >= 2 * requests.perRound);
      await send(used(warmUpCpuSeconds));
      const sentBefore = sent;
      const cpuBefore = await cpuAtRest(pid);
      await send(used(seconds));
      const cpu = (await cpuAtRest(pid)) - cpuBefore;
      await verify(collector, temporality, sent * pointsPerRequest, series);
      return ((sent - sentBefore) * pointsPerRequest) / cpu;
    } finally {
      for (const sender of senders) sender.close();
    }
  });
}

/** A delta counts one, and what the first point of a cumulative series held is set aside. */
async function verify(
  collector: CollectorProcess,
  temporality: Temporality,
  points: number,
  series: number,
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${collector.httpPort}/metrics`);
  let counted = 0;
  for (const line of (await answer.text()).split('\n'))
    if (line.startsWith('fleet_requests_total{')) counted += Number(line.split(' ')[1]);
  const expected = temporality === 'delta' ? points : points - series;
  // Requests under way at once may be taken in another order: then a newer point holds what an older one does.
  const isRight = temporality === 'delta' ? counted === expected : Math.abs(counted - expected) <= series;
  if (!isRight) throw new Error(`${expected} were counted at the sender, and ${counted} by the collector`);
}

class Sender {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Rejects unless everything was accepted. */
  export(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(exportPath, sameBytes, sameBytes, Buffer.from(bytes), (error, answer) => {
        const partial = answer === undefined ? undefined : readPartialSuccess(answer);
        if (error !== null) reject(error);
        else if (partial !== undefined) reject(new Error(partial.message));
        else resolve();
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}
