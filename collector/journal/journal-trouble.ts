import type { Clock } from '../../otel/clock.ts';
import type { StreamgaugeError } from '../../proto/error.ts';
import type { JournalLog } from './journal-log.ts';
import { storageError } from './storage-error.ts';

/** Whether the disk takes the journal, and since when not. One log entry when that begins and one when it ends. */
export class JournalTrouble {
  readonly #directory: string;
  readonly #log: JournalLog;
  readonly #clock: Clock;
  #error: StreamgaugeError | undefined;
  #sinceMs: number | undefined;

  constructor(directory: string, log: JournalLog, clock: Clock) {
    this.#directory = directory;
    this.#log = log;
    this.#clock = clock;
  }

  /** The latest reason, while it lasts. */
  get error(): StreamgaugeError | undefined {
    return this.#error;
  }

  /** Milliseconds since the Unix epoch, while it lasts. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  begin(thrown: unknown): void {
    this.#error = storageError(this.#directory, 'write the journal', thrown);
    if (this.#sinceMs !== undefined) return;
    this.#sinceMs = this.#nowMs();
    this.#log.error({ err: this.#error }, 'the journal cannot be written: nothing is committed until it can');
  }

  end(message: string): void {
    if (this.#sinceMs === undefined) return;
    const durationMs = this.#nowMs() - this.#sinceMs;
    this.#error = undefined;
    this.#sinceMs = undefined;
    this.#log.info({ durationMs }, message);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000);
  }
}
