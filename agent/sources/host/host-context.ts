import type { InstrumentationScope } from '../../../otel/model/scope.ts';
import type { Boot } from './boot.ts';
import type { ProcText } from './proc-text.ts';

/** What the host source needs of a log: fields first, then the sentence for people. A pino logger is one. */
export interface HostLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** The two clocks of the process. */
export interface HostClock {
  /** Microseconds since the Unix epoch. */
  nowUs(): number;
  /** Monotonic, milliseconds: `performance.now()`. */
  monotonicMs(): number;
}

/** What all groups of the host source share. */
export interface HostContext {
  /** Stands before /proc and /sys: '' or the path where the host's root is mounted. */
  readonly root: string;
  readonly scope: InstrumentationScope;
  readonly boot: Boot;
  readonly clock: HostClock;
  readonly log: HostLog;
  readonly text: ProcText;
  /** Calls it when the source that the context was given to stops. */
  readonly onStop: (close: () => void) => void;
}

/** The cause of a failure in a few words: `EACCES: permission denied`. */
export function causeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // Node appends the system call and the path, which the sentence around this names already.
  return message.replace(/, [a-z]+( '.*')?$/s, '');
}
