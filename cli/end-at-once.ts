/** What a shell shows of a program that was ended by one of these. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The signals that end the program. */
export type EndingSignal = keyof typeof exitCodes;

/**
 * Ends the process as the signal does where nobody handles it: whoever started it sees that signal, and a shell 128 and its number. `process.exit` would wait
 * for the runtime's threads, one of which may be in a call to a disk that hangs. To the first process of a container the system does not do that, so it exits.
 */
export function endAtOnce(signal: EndingSignal): void {
  process.removeAllListeners(signal);
  if (process.pid !== 1) process.kill(process.pid, signal);
  process.exit(exitCodes[signal]);
}
