import type { Refuse } from '../../proto/messages/collector-message.ts';
import type { GroupState } from '../../proto/report/write-report.ts';
import type { AgentState } from '../state/agent-state.ts';
import type { FinalState } from '../state/final-states.ts';
import { SamplingGroup } from '../state/sampling-group.ts';
import type { SeriesBook } from './series-book.ts';

/** A sampling group of their own, above those of sources. */
const finalsGroup = 65_535;
/** A final state that found no room on the stream is tried again after so long. */
const noRoomRetryMs = 60_000;

/** What a stream writes for final states. */
export interface FinalWriter {
  /** Retire for numbers that wait in the book, and Define for those that wait in the batches. */
  writeDefinitions(): void;
  /** @returns the number of the report */
  writeReport(states: readonly GroupState[]): number;
}

/**
 * Tells one stream the final states: Define with the old epoch, a report of their own, then Retire as idle where the series goes on in a
 * new life, which is defined behind it. One that does not keeps its number until the report is acknowledged and the state file no longer
 * holds it, and is then retired as gone: its epoch never returns.
 */
export class FinalDelivery {
  readonly #state: AgentState;
  readonly #book: SeriesBook;
  readonly #writer: FinalWriter;
  readonly #group = new SamplingGroup(finalsGroup, 0, '');
  readonly #cells = new Map<FinalState, number>();
  /** By the number that brought it, until it is acknowledged: refusals come before that, and after the number is retired. */
  readonly #told = new Map<number, FinalState>();

  constructor(state: AgentState, book: SeriesBook, writer: FinalWriter) {
    this.#state = state;
    this.#book = book;
    this.#writer = writer;
  }

  /**
   * Before other series are defined, and after those that have ended were retired in the book.
   * @param mayTell see AgentState
   * @param sampledUs the latest sample of any group: what has been reported goes up to there. A final state is told with no earlier time, since collectors show a
   * series that is not defined yet on this stream with the times of its group, and backends do not take what comes with an earlier one
   */
  deliver(nowMs: number, mayTell: boolean, sampledUs: number): void {
    const { finals } = this.#state;
    if (finals.isIdle && this.#cells.size === 0) return;
    // What has been told makes way for the next life of its series.
    for (const state of [...this.#cells.keys()]) if (this.#goesOn(state)) this.#leave(state, 'idle');
    if (!mayTell) {
      this.#book.retire(this.#group, nowMs);
      return;
    }
    const endings = finals.takeEndings().filter((state) => !this.#goesOn(state));
    const fresh = [...finals.deliverable(nowMs)];
    for (const state of [...endings, ...fresh]) this.#enter(state);
    this.#book.retire(this.#group, nowMs);
    if (endings.length + fresh.length === 0) return;
    this.#book.define(this.#group, nowMs, 0, true);
    this.#writer.writeDefinitions();
    this.#report(fresh, nowMs, sampledUs);
    for (const state of endings) this.#leave(state, 'gone');
    for (const state of fresh) if (this.#goesOn(state)) this.#leave(state, 'idle');
    this.#book.retire(this.#group, nowMs);
  }

  /**
   * A refusal that concerns final states: one that is old or below what the collector holds was delivered before, and is acknowledged
   * with its report; no room is tried again later; what is not valid is dropped, and booked.
   * @returns the refusal of all other series; `undefined`: there are none
   */
  refused(refuse: Refuse, untilMs: number | undefined): Refuse | undefined {
    if (this.#told.size === 0 || refuse.series.length === 0) return refuse;
    const others: number[] = [];
    for (const number of refuse.series) {
      const state = this.#told.get(number);
      if (state === undefined) others.push(number);
      else this.#refused(refuse, state, untilMs);
    }
    return others.length === 0 ? undefined : { ...refuse, series: others };
  }

  #refused({ kind }: Refuse, state: FinalState, untilMs: number | undefined): void {
    if (kind === 'epoch_fell' || kind === 'epoch_old') return;
    this.#leave(state, 'idle');
    if (kind === 'limit') {
      state.report = 0;
      state.heldUntilMs = untilMs ?? Number.POSITIVE_INFINITY;
    } else this.#state.finals.drop(state);
  }

  /** There is a newer life of the series: one that counts, or another final state. */
  #goesOn(state: FinalState): boolean {
    const { lives, finals } = this.#state;
    return lives.isLive(state.key) || (finals.first(state.key) ?? state) !== state;
  }

  #enter(state: FinalState): void {
    if (this.#cells.has(state)) return;
    const { series, known, value } = state;
    const epoch = known ? { token: series.epoch!.token, beganMs: undefined } : series.epoch;
    const cell = this.#group.define({ ...series, epoch });
    this.#group.set(cell, value);
    this.#cells.set(state, cell);
  }

  #leave(state: FinalState, reason: 'gone' | 'idle'): void {
    const cell = this.#cells.get(state);
    if (cell === undefined) return;
    this.#group.retire(cell, reason);
    this.#cells.delete(state);
  }

  #report(fresh: readonly FinalState[], nowMs: number, sampledUs: number): void {
    const told: FinalState[] = [];
    for (const [number, { doneAt }] of this.#told) if (doneAt !== undefined) this.#told.delete(number);
    for (const state of fresh) {
      const number = this.#book.numberOf(this.#group, this.#cells.get(state)!);
      if (number > 0) {
        told.push(state);
        this.#told.set(number, state);
        continue;
      }
      this.#leave(state, 'idle');
      state.heldUntilMs = nowMs + noRoomRetryMs;
    }
    if (told.length === 0) return;
    const timesUs = told.map(({ timeUs }) => timeUs);
    this.#group.timeUs = Math.max(this.#group.timeUs, sampledUs, ...timesUs);
    this.#group.collections++;
    const values = this.#book.stateOf(this.#group);
    if (values === undefined) return;
    const number = this.#writer.writeReport([values]);
    for (const state of told) state.report = number;
  }
}
