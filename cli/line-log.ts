import { writeSync } from 'node:fs';
import { hostname } from 'node:os';
import type { AgentLog } from '../agent/log.ts';
import type { LogLevel } from '../otel/config/log-level.ts';

const levels: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

/**
 * The agent's log: JSON lines on the standard error in the form of pino's, without the eight mebibytes that pino takes of a process
 * that logs a line a day. An `err` field is an Error.
 * @param level the least severe that is written, asked for each entry
 */
export function lineLog(level: () => LogLevel): AgentLog {
  const base = { pid: process.pid, hostname: hostname() };
  const at = (name: 'debug' | 'info' | 'warn' | 'error') => {
    return (fields: object, message: string): void => {
      if (levels[name] < levels[level()]) return;
      const { err, ...rest } = fields as { err?: unknown };
      const error = err === undefined ? {} : { err: errorFields(err) };
      write({ level: levels[name], time: Date.now(), ...base, ...rest, ...error, msg: message });
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  return { type: error.name, message: error.message, stack: error.stack };
}

function write(entry: object): void {
  const json = JSON.stringify(entry, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  try {
    writeSync(2, `${json}\n`);
  } catch {
    // A log that nobody reads, or reads too slowly, must not end or stop the agent.
  }
}
