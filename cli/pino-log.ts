import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { LogLevel } from '../otel/config/log-level.ts';

/** The collector's log: JSON lines, to the standard error unless told otherwise. */
export function pinoLog(level: LogLevel, to: DestinationStream = standardError()): Logger {
  return pino({ level }, to);
}

function standardError(): DestinationStream {
  const stream = destination(2);
  // A log that nobody reads, as when its terminal is gone, must not end the collector, nor keep it from ending in order.
  stream.on('error', () => {});
  return stream;
}
