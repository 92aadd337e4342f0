import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { buildPackage, startCollectorProcess } from '../process/streamgauge.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import type { ExporterKind, ServiceResult, ServiceTask } from './exporter/measured-service.ts';
import type { Figures } from './main.ts';

export const summary =
  '[EXPORTS=20]  the exporter for Node services against the stock OTLP exporter: CPU, bytes, memory';

const series = 10_000;
const intervalMs = 1000;
const mib = 1024 * 1024;

interface Measured extends ServiceResult {
  /** Of TCP payload from the service, over all exports but the first. */
  readonly bytes: number;
}

/**
 * Three services, each a process of its own and with a collector process of its own, one after the other: 10,000 series at 1 s, of which a tenth changes. What the
 * SDK itself costs, to record and to collect, is measured with an exporter that does nothing, and taken off. What the collector shows at the end
 * must be what was recorded.
 */
export async function run([exportsText = '20']: readonly string[]): Promise<Figures> {
  const exports = Number(exportsText);
  if (!Number.isInteger(exports) || exports < 1 || exports > 3600)
    throw new Error(`EXPORTS is ${exportsText}; whole numbers from 1 to 3600 are allowed`);
  await buildPackage();
  const none = await measure('none', exports);
  const otlp = await measure('otlp', exports);
  const stream = await measure('stream', exports);
  const cpuMs = ({ cpuUs }: Measured) => Math.max(0, cpuUs - none.cpuUs) / exports / 1000;
  const bytes = ({ bytes: sent }: Measured) => sent / exports;
  const rows: [what: string, of: (measured: Measured) => number, target: string][] = [
    ['CPU per export, ms', cpuMs, 'a fifth'],
    ['bytes per export', bytes, 'a fiftieth'],
    ['resident memory, MiB', ({ residentBytes }) => residentBytes / mib, ''],
    ['heap in use, MiB', ({ heapBytes }) => heapBytes / mib, ''],
  ];
  console.log(
    `${series} series of 6 attributes, a tenth changes, ${exports} exports at ${intervalMs} ms; the SDK itself takes ${(none.cpuUs / exports / 1000).toFixed(1)} ms a time, which is not in`,
  );
  console.log(
    `  ${''.padEnd(24)} ${'OTLP, gzip'.padStart(12)} ${'stream'.padStart(12)} ${'part'.padStart(8)}`,
  );
  for (const [what, of, target] of rows) {
    const [theirs, ours] = [of(otlp), of(stream)];
    console.log(
      `  ${what.padEnd(24)} ${theirs.toFixed(2).padStart(12)} ${ours.toFixed(2).padStart(12)} ${`1/${(theirs / ours).toFixed(1)}`.padStart(8)}  ${target}`,
    );
  }
  return {
    exports,
    sdk_cpu_ms: none.cpuUs / exports / 1000,
    otlp_cpu_ms: cpuMs(otlp),
    stream_cpu_ms: cpuMs(stream),
    otlp_bytes: bytes(otlp),
    stream_bytes: bytes(stream),
    none_resident_mib: none.residentBytes / mib,
    otlp_resident_mib: otlp.residentBytes / mib,
    stream_resident_mib: stream.residentBytes / mib,
  };
}

async function measure(kind: ExporterKind, exports: number): Promise<Measured> {
  const collector = await startCollectorProcess(['--memory']);
  const proxy = new TcpProxy(collector.grpcPort);
  const endpoint = `http://127.0.0.1:${await proxy.listen()}`;
  const service = fork(path.join(import.meta.dirname, 'exporter/measured-service.ts'), {
    execArgv: ['--expose-gc'],
  });
  try {
    const next = async (): Promise<unknown> => {
      const ended = once(service, 'exit').then(([code]) => {
        throw new Error(`the service of kind ${kind} ended with ${code}`);
      });
      const [message] = (await Promise.race([once(service, 'message'), ended])) as [unknown];
      ended.catch(() => {});
      return message;
    };
    const task: ServiceTask = { kind, endpoint, series, changing: series / 10, exports, intervalMs };
    service.send(task);
    await next();
    proxy.resetCounts();
    service.send('go');
    const result = (await next()) as ServiceResult;
    const bytes = proxy.bytesUp;
    const shown = await total(collector.httpPort);
    if (kind !== 'none' && shown !== result.recorded)
      throw new Error(`the collector shows ${shown} of ${kind}, and ${result.recorded} was recorded`);
    service.send('end');
    await once(service, 'exit');
    return { ...result, bytes };
  } finally {
    service.kill('SIGKILL');
    await proxy.close();
    await collector.child.stop();
  }
}

async function total(httpPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  const lines = (await response.text()).split('\n');
  return lines
    .filter((line) => line.startsWith('bench_requests_total{'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf('}') + 2).split(' ')[0]), 0);
}
