import { isatty } from 'node:tty';

export interface HangupOptions {
  /** The configuration is to be read again. One call at a time; signals that come meanwhile bring about one more. Must not reject. */
  readonly reload: () => Promise<void>;
  /** The terminal that the program was started on is gone: it is to end. */
  readonly terminalGone: () => void;
  /** Whether the standard input, output or error is a terminal. Default: asks the system. */
  readonly hasTerminal?: () => boolean;
}

/**
 * Listens for SIGHUP, which says two things: "read your configuration again", and, from the system, "your terminal is gone". The second it is
 * when there was a terminal and there is none any more: one that has hung up is no terminal to the system. Gives a function that ends listening.
 */
export function onHangup({
  reload,
  terminalGone,
  hasTerminal = hasStandardTerminal,
}: HangupOptions): () => void {
  const hadTerminal = hasTerminal();
  let isRunning = false;
  let isAskedAgain = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    do {
      isAskedAgain = false;
      await reload();
    } while (isAskedAgain);
    isRunning = false;
  };
  const onSignal = (): void => {
    if (hadTerminal && !hasTerminal()) terminalGone();
    else if (isRunning) isAskedAgain = true;
    else void run();
  };
  process.on('SIGHUP', onSignal);
  return () => {
    isAskedAgain = false;
    process.off('SIGHUP', onSignal);
  };
}

function hasStandardTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}
