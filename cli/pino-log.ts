import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { LogLevel } from '../otel/config/log-level.ts';

/** The collector's log: JSON lines, to the standard error unless told otherwise. */
export function pinoLog(level: LogLevel, to: DestinationStream = destination(2)): Logger {
  return pino({ level }, to);
}
