import { Client, credentials } from '@grpc/grpc-js';
import type { Temporality } from '../../../otel/model/metric.ts';
import { readPartialSuccess } from '../../../otel/otlp/export-answer.ts';
import { sameBytes } from '../../../proto/service.ts';
import { isOtelcolBuilt } from '../../interop/otelcol/build-otelcol.ts';
import { type Otelcol, startOtelcol } from '../../interop/otelcol/otelcol.ts';
import { pin } from '../host/pin.ts';
import { cpuAtRest, cpuSeconds, residentMemory } from '../host/process-usage.ts';
import { exportIntervalMs } from './merged-load.ts';
import { OtlpRequests, pointsPerRequest } from './otlp-requests.ts';

/** What stands in the table for the OpenTelemetry Collector where there is none. */
export const otelcolMissing = 'not built: `SUITE=interop npm test` builds it, which takes Go';

export interface OtelcolLoad {
  readonly kind: 'sum' | 'histogram';
  /** A multiple of a thousand. */
  readonly series: number;
  readonly seconds: number;
  /** Whether deltas are made cumulative and sent on at an interval; otherwise what comes goes nowhere. */
  readonly isAggregating: boolean;
}

export interface OtelcolUsage {
  readonly pointsPerCpuSecond: number;
  /** Once every series has come. */
  readonly residentMiB: number;
}

const exportPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
/** Requests under way at a time, each on a connection of its own. */
const connections = 4;

/** The OpenTelemetry Collector under OTLP, on one processor. `undefined`: there is none. @throws Error when it does not take everything */
export async function otelcolUnderLoad(load: OtelcolLoad): Promise<OtelcolUsage | undefined> {
  if (!(await isOtelcolBuilt())) return undefined;
  const processors = load.isAggregating
    ? {
        deltatocumulative: { max_streams: load.series },
        interval: { interval: `${exportIntervalMs}ms` },
      }
    : {};
  const otelcol = await startOtelcol({
    config: { processors, exporters: { nop: {} } },
    env: { GOMAXPROCS: '1' },
  });
  pin(otelcol.pid, 0);
  try {
    return await measure(otelcol, load);
  } finally {
    await otelcol.kill();
  }
}

async function measure(
  otelcol: Otelcol,
  { kind, series, seconds, isAggregating }: OtelcolLoad,
): Promise<OtelcolUsage> {
  const temporality: Temporality = isAggregating ? 'delta' : 'cumulative';
  const requests = new OtlpRequests(kind, temporality, series);
  const senders = Array.from({ length: connections }, () => new OtlpClient(otelcol.grpcPort));
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
    // Once over all series, and a second more to warm up.
    await send(() => sent >= requests.perRound);
    const warmMs = performance.now() + 1000;
    await send(() => performance.now() >= warmMs);
    const residentMiB = residentMemory(otelcol.pid).nowMiB;
    const sentBefore = sent;
    const cpuBefore = cpuSeconds(otelcol.pid);
    const untilMs = performance.now() + seconds * 1000;
    await send(() => performance.now() >= untilMs);
    const cpu = (await cpuAtRest(otelcol.pid)) - cpuBefore;
    return { pointsPerCpuSecond: ((sent - sentBefore) * pointsPerRequest) / cpu, residentMiB };
  } finally {
    for (const sender of senders) sender.close();
  }
}

class OtlpClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Rejects unless everything was accepted. */
  async export(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.makeUnaryRequest(exportPath, sameBytes, sameBytes, Buffer.from(bytes), (error, answer) => {
        const partial = answer === undefined ? undefined : readPartialSuccess(answer);
        if (error !== null) reject(error);
        else if (partial !== undefined)
          reject(new Error(`the Collector refused ${partial.rejected} points: ${partial.message}`));
        else resolve();
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}
