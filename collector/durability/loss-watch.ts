import type { Position } from '../../proto/messages/position.ts';
import type { CollectorState } from '../collector-state.ts';
import type { DurableState } from '../journal/durable-state.ts';
import type { JournalLog } from '../journal/journal-log.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { beginAfresh } from './begin-afresh.ts';
import type { KnownLosses } from './known-losses.ts';
import type { Recorder } from './recorder.ts';
import type { IntervalRestoring } from './restoring.ts';

export interface LossWatchOptions {
  readonly state: CollectorState;
  readonly sessions: Sessions;
  readonly durable: DurableState;
  readonly recorder: Recorder;
  readonly losses: KnownLosses;
  readonly intervals: Pick<IntervalRestoring, 'finishNow'>;
  readonly log: JournalLog;
}

const consequence =
  'totals of merged outputs begin at zero with a new start time, and the next report of each member is its baseline';

/**
 * Finds out that something acknowledged is lost, and acts upon it once: what one opening and the agents that come after it find is one loss, since
 * everything that can be lost was acknowledged before.
 */
export class LossWatch {
  readonly #options: LossWatchOptions;
  #hasBegunAfresh = false;
  #onLoss: (() => void) | undefined;

  constructor(options: LossWatchOptions) {
    this.#options = options;
  }

  /** Times that merged outputs have begun anew in this run: 0 or 1. */
  get losses(): number {
    return this.#hasBegunAfresh ? 1 : 0;
  }

  /** Told when they do from now on. */
  set onLoss(run: () => void) {
    this.#onLoss = run;
  }

  /** What opening the directory found; tokens of losses that are known count no more. Gives whether there was a new one. */
  found(tokens: readonly Uint8Array[], nowUs: number): boolean {
    const { losses, durable, log } = this.#options;
    const found = tokens.filter((token) => !losses.has(token));
    if (found.length === 0) return false;
    log.error({ directory: durable.path }, `acknowledged data was lost: ${consequence}`);
    // Who was told of the end of the term before will come with a place beyond it.
    const before = durable.terms.all.at(-2);
    for (const token of before === undefined ? found : [...found, before.token]) this.#lose(token, nowUs);
    return true;
  }

  /** An agent tells where it was told that its reports were committed. A place in another directory proves nothing. */
  returned({ directoryId, term, journalPosition }: Position, nowUs: number): void {
    const { durable, losses, log } = this.#options;
    if (!durable.directoryId.equals(directoryId) || term.length === 0) return;
    const verdict = durable.terms.verdict(term, journalPosition);
    if (verdict === 'held' || losses.has(term)) return;
    const token = Buffer.from(term).toString('hex');
    const what =
      verdict === 'unknown_term'
        ? 'the directory does not know of that term'
        : 'that term ends before that place';
    const sentence = `an agent was told that its reports were kept up to position ${journalPosition} of term ${token}, and ${what}: acknowledged data was lost`;
    if (this.#hasBegunAfresh)
      log.warn({ directory: durable.path }, `${sentence}; that was acted upon before`);
    else log.error({ directory: durable.path }, `${sentence}; ${consequence}`);
    this.#lose(term, nowUs);
  }

  #lose(token: Uint8Array, nowUs: number): void {
    const { state, sessions, recorder, losses, intervals } = this.#options;
    const isNew = !this.#hasBegunAfresh;
    // What they are read from is about to become something else.
    if (isNew) intervals.finishNow();
    recorder.lost(nowUs, token, isNew);
    losses.add(token);
    if (!isNew) return;
    this.#hasBegunAfresh = true;
    beginAfresh(state, sessions, nowUs);
    this.#onLoss?.();
  }
}
