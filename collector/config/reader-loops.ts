import { isIP } from 'node:net';
import { bareHost, hostPort, isLoopback, isThisMachine } from '../../otel/config/addresses.ts';
import { ConfigError } from '../../otel/config/config-error.ts';
import type { MetricReaderConfig } from '../../otel/config/metric-readers.ts';

/** One of the collector's own addresses: `grpc`, `http` or `admin`, with the port it is bound to. */
export interface OwnListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface ReaderLoop {
  /** The reader's place in the list. */
  readonly index: number;
  readonly reader: MetricReaderConfig;
  readonly listener: OwnListener;
}

/** The readers that would send to, or listen on, one of the collector's own addresses. A listener's port 0 is not known yet and matches none. */
export function readerLoops(
  readers: readonly MetricReaderConfig[],
  listeners: readonly OwnListener[],
): ReaderLoop[] {
  const loops: ReaderLoop[] = [];
  for (const [index, reader] of readers.entries()) {
    const target = addressOf(reader);
    if (target === undefined || target.port === 0) continue;
    const listener = listeners.find((own) => own.port === target.port && isReachedBy(own.host, target.host));
    if (listener !== undefined) loops.push({ index, reader, listener });
  }
  return loops;
}

/** Throws {@link ConfigError} when a reader would send to one of the addresses that the collector is bound to. */
export function refuseReaderLoops(
  readers: readonly MetricReaderConfig[],
  listeners: readonly OwnListener[],
): void {
  const problems = readerLoops(readers, listeners).map(({ reader, listener }) => {
    const own = `the ${listener.name} port of the collector itself (${hostPort(listener.host, listener.port)})`;
    const found = reader.kind === 'periodic' ? `sends to ${own}, a loop` : `listens on ${own}`;
    const message = `${found}; allowed: ${reader.kind === 'periodic' ? 'the endpoint of another backend' : 'another port'}`;
    return { file: `reader ${reader.name}`, line: 0, column: 0, path: '', message };
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

function addressOf(reader: MetricReaderConfig): { host: string; port: number } | undefined {
  if (reader.kind === 'prometheus') return reader;
  if (reader.exporter.kind === 'console') return undefined;
  const url = new URL(reader.exporter.endpoint);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { host: bareHost(url.hostname), port };
}

/** Whether what is sent to a host arrives at an address that is listened on. */
function isReachedBy(listening: string, host: string): boolean {
  const own = bareHost(listening).toLowerCase();
  const target = bareHost(host).toLowerCase();
  if (own === target) return true;
  if (isUnspecified(own)) return isThisMachine(target);
  // Connecting to an unspecified address is connecting to this machine's loopback.
  if (isUnspecified(target) || target === 'localhost') return isLoopback(own);
  if (own === 'localhost') return isLoopback(target);
  return isIP(target) === 0 && isThisMachine(target);
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
