import type { Clock } from '../../otel/clock.ts';
import { StreamgaugeError } from '../../proto/error.ts';
import type { AgentLog } from '../log.ts';
import { isOtherAlive, ownMark } from '../resource/process-mark.ts';
import { bodyOf, type SavedRun, type StateContent, stateFromBody } from './state-content.ts';
import type { StateStorage } from './state-file.ts';
import { type KeptState, StateTextMaker, type WrittenState } from './state-text-maker.ts';

/** Whose state it is. */
export interface StateOwner {
  readonly memberId: string;
  /** Empty: not known. */
  readonly bootId: string;
}

export interface StateKeeperOptions {
  readonly owner: StateOwner;
  readonly storage: StateStorage;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly snapshot: () => KeptState;
  /** What the clock since the boot is ahead of the process's. */
  readonly bootOffsetMs: number;
  /** The file holds this version of the final states. */
  readonly onSaved: (version: number) => void;
}

/** A change is in the file after so long at most, and the time of writing it. */
const everyMs = 1000;
/** A collection comes once a second by another timer than this one. */
const earlyMs = 100;
/** After a failure it is tried again so often. */
const retryMs = 10_000;

/** When the state file is written, and what becomes of failures. */
export class StateKeeper {
  readonly bootOffsetMs: number;
  readonly #options: StateKeeperOptions;
  readonly #file: StateStorage;
  readonly #run: Pick<SavedRun, 'incarnation' | 'bootId' | 'pid' | 'startTicks'>;
  readonly #texts: StateTextMaker;
  /** What the file holds. */
  #written = '';
  #writing: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #startedMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** The last writing failed, so nothing can wait for the file. */
  isFailing = false;
  /** The file says that collectors may know of kept counters. */
  isSeenSaved = false;
  /** The version of the final states that the file holds. */
  savedVersion = -1;
  /** When the file was written last, milliseconds since the Unix epoch. */
  savedMs = 0;

  constructor(options: StateKeeperOptions) {
    const { owner, storage, incarnation, bootOffsetMs } = options;
    this.#options = options;
    this.#file = storage;
    this.bootOffsetMs = bootOffsetMs;
    this.#texts = new StateTextMaker(owner.memberId, bootOffsetMs);
    this.#run = { incarnation, bootId: owner.bootId, ...ownMark() };
  }

  get path(): string {
    return this.#file.path;
  }

  /** What an earlier run left; `undefined`, with a warning where one is due, when there is nothing that can be used. */
  read(): StateContent | undefined {
    const { log, owner } = this.#options;
    let why: string;
    try {
      const found = this.#file.read();
      if (found.kind === 'none') return undefined;
      if (found.kind === 'body') {
        const content = stateFromBody(found.body);
        if (content.run.bootId === owner.bootId && isOtherAlive(content.run)) {
          this.#isClosed = true;
          log.warn(
            { path: this.path, pid: content.run.pid },
            `the agent with process id ${content.run.pid} keeps its state in ${this.path}: this one keeps none; give it a state directory of its own (--state-dir)`,
          );
          return undefined;
        }
        if (content.memberId === owner.memberId) return content;
        why = `it is the state of agent ${JSON.stringify(content.memberId)}, and this is ${JSON.stringify(owner.memberId)}`;
      } else why = found.why;
    } catch (thrown) {
      const error = StreamgaugeError.from(thrown);
      if (error.kind !== 'invalid_data') {
        this.#warn(thrown);
        this.#isClosed = true;
        return undefined;
      }
      why = error.message;
    }
    this.#setAside(why);
    return undefined;
  }

  /** Writes the file, to see that it can be. @returns false, after one warning, when it cannot, or another agent's is there */
  begin(): boolean {
    if (this.#isClosed) return false;
    const { version, isSeen, text } = this.#texts.make(this.#options.snapshot(), false);
    try {
      this.#file.writeSync(bodyOf(this.#savedRun(), text));
    } catch (error) {
      this.#warn(error);
      this.#isClosed = true;
      return false;
    }
    this.#wrote(version, isSeen, text);
    return true;
  }

  /** Something may have changed: the file holds it a second later. */
  changed(): void {
    if (this.#isClosed || this.#cancel !== undefined) return;
    const { clock } = this.#options;
    const sinceMs = clock.monotonicMs() - this.#startedMs;
    const waitMs = (this.isFailing ? retryMs : everyMs) - sinceMs;
    if (waitMs <= earlyMs) this.saveSoon();
    else
      this.#cancel = clock.setTimeout(() => {
        this.#cancel = undefined;
        this.saveSoon();
      }, waitMs);
  }

  /** Writes what changed as soon as the file is free. */
  saveSoon(): void {
    void this.save();
  }

  /** The same; resolves when it is written, or has failed. */
  async save(): Promise<void> {
    if (this.#writing !== undefined) await this.#writing;
    if (this.#isClosed || this.#writing !== undefined) return this.#writing;
    this.#startedMs = this.#options.clock.monotonicMs();
    const state = this.#texts.make(this.#options.snapshot(), false);
    if (state.text === this.#written) {
      this.#wrote(state.version, state.isSeen, state.text);
      return;
    }
    this.#writing = this.#write(state).finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** The last writing. */
  async close(delivered: boolean): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel?.();
    await this.#writing;
    await this.#write(this.#texts.make(this.#options.snapshot(), delivered));
  }

  async #write({ version, isSeen, text }: WrittenState): Promise<void> {
    try {
      await this.#file.write(bodyOf(this.#savedRun(), text));
    } catch (error) {
      if (!this.isFailing) this.#warn(error);
      this.isFailing = true;
      this.changed();
      return;
    }
    if (this.isFailing)
      this.#options.log.info({ path: this.path }, `the state is kept in ${this.path} again`);
    this.isFailing = false;
    this.#wrote(version, isSeen, text);
  }

  #wrote(version: number, isSeen: boolean, text: string): void {
    this.#written = text;
    this.savedMs = this.#nowMs();
    this.isSeenSaved ||= isSeen;
    this.savedVersion = Math.max(this.savedVersion, version);
    this.#options.onSaved(version);
  }

  #nowMs(): number {
    return Math.round(this.#options.clock.nowUs() / 1000);
  }

  #savedRun(): SavedRun {
    const { lastReport, acknowledgedReport } = this.#options.snapshot();
    return { ...this.#run, lastReport, acknowledged: acknowledgedReport, writtenMs: this.#nowMs() };
  }

  #setAside(why: string): void {
    const { log, clock } = this.#options;
    try {
      const to = this.#file.setAside(new Date(clock.nowUs() / 1000));
      log.warn(
        { path: this.path, to },
        `the state file ${this.path} cannot be used: ${why}; it is ${to} now, and counting begins anew`,
      );
    } catch (error) {
      this.#isClosed = true;
      log.warn(
        { path: this.path },
        `the state file ${this.path} cannot be used: ${why}; nor can it be moved away (${(error as Error).message}), so no state is kept; remove it, or choose another directory (--state-dir)`,
      );
    }
  }

  #warn(error: unknown): void {
    this.#options.log.warn(
      { path: this.path },
      `cannot keep the agent's state in ${this.path} (${(error as Error).message}): what only the agent counts does not outlive it; make the directory writable, or choose another one (--state-dir)`,
    );
  }
}
