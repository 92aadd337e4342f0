import type { Clock } from '../../otel/clock.ts';
import type { Position } from '../../proto/messages/position.ts';
import type { AgentLog } from '../log.ts';
import { EpochFalls } from './epoch-falls.ts';
import { FinalStates } from './final-states.ts';
import { NotCounted } from './not-counted.ts';
import { SeriesLives } from './series-lives.ts';
import type { StateContent } from './state-content.ts';
import type { StateStorage } from './state-file.ts';
import { StateKeeper, type StateOwner } from './state-keeper.ts';

export type { StateOwner } from './state-keeper.ts';

export interface AgentStateOptions {
  /** Tells this run of the agent from others: 32 hexadecimal digits. */
  readonly incarnation: string;
  readonly clock: Clock;
  readonly log: AgentLog;
  /** Milliseconds of the clock that runs since the boot, for all processes alike. Default: `process.hrtime`'s. */
  readonly bootClockMs?: (() => number) | undefined;
}

/** What is kept over restarts, for status pages. */
export interface AgentStateStatus {
  /** Empty: nothing is kept. */
  readonly path: string;
  /** The state file holds what it should, or will within a second. */
  readonly isSaved: boolean;
  /** When it was written last, milliseconds since the Unix epoch; 0: not yet. */
  readonly savedMs: number;
  /** Counters that only the agent has. */
  readonly kept: number;
  /** Final states of lives that have ended, which no collector has acknowledged. */
  readonly finals: number;
}

/**
 * What only the agent holds, for its life and beyond: the lives of its counters, the final states of those that ended, and the last
 * Ack. A state file carries it from run to run (docs/agent-state.md); without one it lasts as long as the process.
 */
export class AgentState {
  readonly notCounted = new NotCounted();
  readonly falls = new EpochFalls();
  readonly finals = new FinalStates(this.notCounted);
  readonly lives: SeriesLives;
  /** The last Ack's place in the collector's journal, of whichever run, for the next Hello. */
  position: Position | undefined;
  /** Reports sent, and the highest that was acknowledged. */
  lastReport = 0;
  acknowledgedReport = 0;
  readonly #options: AgentStateOptions;
  readonly #bootClockMs: () => number;
  readonly #startUs: number;
  /** Collectors may be told of kept counters from now on. */
  #isSeen = false;
  /** The version of the final states that says which of them collectors may be told of. */
  #seenVersion = 0;
  /** Of everything that comes and goes, at the last collection. */
  #collectedVersion = 0;
  #keeper: StateKeeper | undefined;

  constructor(options: AgentStateOptions) {
    const { incarnation, clock, log } = options;
    const { falls, finals, notCounted } = this;
    this.#options = options;
    this.#bootClockMs = options.bootClockMs ?? (() => Number(process.hrtime.bigint() / 1000n) / 1000);
    this.#startUs = clock.nowUs();
    const onTooMany = (limit: number) =>
      log.warn(
        { limit },
        `there are more than ${limit} counters that only the agent has: the others do not outlive it; report fewer series`,
      );
    this.lives = new SeriesLives({ incarnation, clock, falls, finals, notCounted, onTooMany });
  }

  /**
   * Takes over what the state file holds, and keeps it from now on. A file that cannot be used is set aside, a place that cannot is left
   * alone, each with one warning. Never throws.
   * @param onReady something that had to wait for the file can be sent
   */
  open(owner: StateOwner, storage: StateStorage, onReady: () => void): void {
    const { clock, log, incarnation } = this.#options;
    const keeper = new StateKeeper({
      owner,
      storage,
      clock,
      log,
      incarnation,
      snapshot: () => this,
      bootOffsetMs: this.#bootClockMs() - clock.monotonicMs(),
      onSaved: (version) => {
        this.finals.saved(version);
        onReady();
      },
    });
    const content = keeper.read();
    if (content !== undefined) this.#takeOver(content, owner.bootId, keeper.bootOffsetMs);
    if (keeper.begin()) this.#keeper = keeper;
    // What cannot be written down as delivered would be delivered by every start, after newer lives at last.
    else this.finals.clear();
  }

  /**
   * Asks whether kept counters and final states may be defined on a stream. They may once the file says that collectors may know of
   * them, or when there is none; otherwise the file is written, and `onReady` called.
   */
  mayTell(): boolean {
    const hasNew = this.finals.markSeen() || !this.#isSeen;
    if (hasNew) this.#seenVersion = this.finals.version;
    this.#isSeen = true;
    const keeper = this.#keeper;
    if (keeper === undefined) return true;
    if (hasNew) keeper.saveSoon();
    return keeper.isFailing || (keeper.isSeenSaved && keeper.savedVersion >= this.#seenVersion);
  }

  /** A collector may know of the kept counters. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  /** Resolves when kept counters may be told, so that a last report holds them. Never rejects. */
  async settled(): Promise<void> {
    if ((this.lives.size > 0 || this.finals.size > 0) && !this.mayTell()) await this.#keeper?.save();
  }

  /** Groups were collected, so that kept counters may have other values, and others may have come, gone or fallen. */
  collected(): void {
    const { lives, finals, falls, notCounted } = this;
    const version = lives.version + finals.version + falls.version + notCounted.version;
    if (lives.size === 0 && version === this.#collectedVersion) return;
    this.#collectedVersion = version;
    this.#keeper?.changed();
  }

  welcomed(lastReport: number): void {
    this.finals.welcomed(lastReport);
    this.#forget();
  }

  /** All reports up to this one are committed. */
  acknowledged(report: number, position: Position | undefined): void {
    this.position = position ?? this.position;
    this.acknowledgedReport = Math.max(this.acknowledgedReport, report);
    this.lives.acknowledged(report);
    this.finals.acknowledged(report);
    this.#forget();
  }

  /**
   * Writes the file a last time. Never rejects.
   * @param delivered every report was acknowledged, so what collectors know of kept counters is all there is
   */
  async close(delivered: boolean): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    await keeper?.close(delivered);
  }

  status(): AgentStateStatus {
    return {
      path: this.#keeper?.path ?? '',
      isSaved: this.#keeper?.isFailing === false,
      savedMs: this.#keeper?.savedMs ?? 0,
      kept: this.lives.size,
      finals: this.finals.size,
    };
  }

  #forget(): void {
    if (this.#keeper === undefined) this.finals.saved(Number.POSITIVE_INFINITY);
    else this.#keeper.changed();
  }

  #takeOver(content: StateContent, bootId: string, bootOffsetMs: number): void {
    this.position = content.position;
    for (const fall of content.falls) this.falls.note(fall);
    for (const line of content.notCounted) this.notCounted.add(line);
    const isSameBoot = bootId !== '' && content.run.bootId === bootId;
    for (const counter of [...content.finals, ...content.counting]) {
      const { series, beganBootMs, value, seen, known, refused } = counter;
      if (refused) {
        const { name } = series.metric;
        if (value > 0) this.notCounted.add({ metric: name, cause: 'refused', series: 1, amount: value });
        continue;
      }
      // By another boot's clock nothing is known; nor is it where a collector knows the epoch, and would count one it has forgotten again.
      const beganMs =
        isSameBoot && !known && beganBootMs !== undefined ? beganBootMs - bootOffsetMs : undefined;
      const epoch = { token: series.epoch!.token, beganMs };
      this.finals.add({ series: { ...series, epoch }, value, timeUs: this.#startUs, seen, known });
    }
    const { finals, falls } = this;
    if (finals.size + falls.size > 0)
      this.#options.log.info(
        { finals: finals.size, falls: falls.size, incarnation: content.run.incarnation },
        'the state of an earlier run is taken over',
      );
  }
}
