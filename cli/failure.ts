import { writeSync } from 'node:fs';
import { StreamgaugeError } from '../proto/error.ts';

const listenFaults: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already: stop it, or choose another port',
  EACCES: 'this user may not listen there: choose a port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address: choose another host',
};

/**
 * What to print about a failure that ends the program: the problems of a configuration, one sentence for what the user or the
 * system can put right, and for a bug the stack with a request to report it.
 */
export function failureText(thrown: unknown): string {
  const error = StreamgaugeError.from(thrown);
  if (error.name === 'ConfigError') return `${error.message}\n`;
  if (error.kind !== 'bug') return `streamgauge: ${error.message}\n`;
  const cause = (error.cause ?? thrown) as {
    code?: string;
    syscall?: string;
    address?: string;
    port?: number;
  };
  const fault = listenFaults[cause.code ?? ''];
  if (fault !== undefined && cause.syscall === 'listen') {
    return `streamgauge: cannot listen on ${cause.address}:${cause.port}: ${fault}.\n`;
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return `${stack}\nstreamgauge: this is a bug. Please report it with the lines above and the output of \`streamgauge --version\`.\n`;
}

/** Prints a failure and ends the program with exit code 1, whatever is still open. */
export function fail(thrown: unknown): never {
  // Synchronously, because what is written otherwise to a pipe is lost at the exit.
  try {
    writeSync(2, failureText(thrown));
  } catch {
    // Nobody reads it.
  }
  process.exit(1);
}
