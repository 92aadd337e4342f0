import type { NotCounted } from './not-counted.ts';
import type { AgentSeries } from './sampling-group.ts';
import { seriesKey } from './series-key.ts';

/** The last state of a counter's life that has ended. */
export interface FinalState {
  /** See seriesKey. */
  readonly key: string;
  readonly series: AgentSeries;
  value: number;
  /** Of the last sample, microseconds since the Unix epoch. */
  timeUs: number;
  /** A collector may have been told of the epoch. */
  seen: boolean;
  /** A collector has acknowledged a report with it, so when it began is nothing new. */
  readonly known: boolean;
  /** The report that brought it, of this run; 0: none yet. */
  report: number;
  /** Not told again before this moment, by the monotonic clock. */
  heldUntilMs: number;
  /** Acknowledged: the version from which on it is not in the state file. `undefined`: it is not acknowledged. */
  doneAt: number | undefined;
}

/** What is told of a life that ended. */
export type EndedLife = Pick<FinalState, 'series' | 'value' | 'timeUs' | 'seen' | 'known'>;

/** Final states that are held for a collector; beyond, the oldest are dropped, and booked. */
const maxFinals = 20_000;

/**
 * The final states of lives that no collector has acknowledged: of runs of the agent before this one, from the state file, and of counters
 * that ended or fell in this run. They go out before anything of the same series' next life.
 *
 * A collector keeps the last two epochs of a series and would take an older one for new, and count it twice. So that it never sees the third
 * before it is certain that the first will not come again: the epoch behind the next one is told only when the first is acknowledged *and*
 * the state file no longer holds it. What gathers meanwhile has been told to nobody, so its lives become one, by adding: whatever happens,
 * a series has three final states at most, and nothing is lost.
 */
export class FinalStates {
  /** Rises with every change that the state file is to hold. */
  version = 0;
  readonly #bySeries = new Map<string, FinalState[]>();
  readonly #notCounted: NotCounted;
  /** Acknowledged, and no longer in the file: the collector may free them. */
  #endings: FinalState[] = [];
  #size = 0;

  constructor(notCounted: NotCounted) {
    this.#notCounted = notCounted;
  }

  /** How many there are, acknowledged ones that the state file still holds included. */
  get size(): number {
    return this.#size;
  }

  /** Whether a stream has nothing to do with any. */
  get isIdle(): boolean {
    return this.#size === 0 && this.#endings.length === 0;
  }

  /** Those that the state file has to hold, for each series in their order. */
  *unacknowledged(): Generator<FinalState, undefined> {
    for (const list of this.#bySeries.values())
      for (const state of list) if (state.doneAt === undefined) yield state;
    return undefined;
  }

  /** A life ended with this value. @returns whether it is told: only what is above zero is worth it */
  add(life: EndedLife): boolean {
    if (!(life.value > 0 && life.value < Infinity)) return false;
    const key = seriesKey(life.series);
    let list = this.#bySeries.get(key);
    const last = list?.at(-1);
    this.version++;
    if (last !== undefined && !last.seen && !life.seen) {
      last.value += life.value;
      last.timeUs = Math.max(last.timeUs, life.timeUs);
      return true;
    }
    if (list === undefined) {
      list = [];
      this.#bySeries.set(key, list);
    }
    list.push({ ...life, key, report: 0, heldUntilMs: 0, doneAt: undefined });
    this.#size++;
    if (this.#size > maxFinals) {
      const [oldest] = this.#bySeries.values();
      this.drop(oldest![0]!);
    }
    return true;
  }

  /** The one of the series that is told first. */
  first(key: string): FinalState | undefined {
    return this.#bySeries.get(key)?.[0];
  }

  /** No collector is told of the next life of the series before the state file is another one. */
  hasSeveral(key: string): boolean {
    const list = this.#bySeries.get(key);
    return list !== undefined && list.length - (list[0]!.doneAt === undefined ? 0 : 1) > 1;
  }

  /** The next life of the series has to wait. */
  blocks(series: AgentSeries): boolean {
    if (this.#size === 0) return false;
    const list = this.#bySeries.get(seriesKey(series));
    if (list === undefined) return false;
    return list.length > 1 || (list[0]!.report === 0 && list[0]!.doneAt === undefined);
  }

  /** Those that a stream may tell now: of each series the first, unless it was told or is held. */
  *deliverable(nowMs: number): Generator<FinalState, undefined> {
    for (const [first] of this.#bySeries.values())
      if (first!.report === 0 && first!.doneAt === undefined && first!.heldUntilMs <= nowMs) yield first!;
    return undefined;
  }

  /** From now on a collector may know these. @returns whether that is new */
  markSeen(): boolean {
    let changed = false;
    for (const [first] of this.#bySeries.values()) {
      if (first!.seen) continue;
      first!.seen = true;
      changed = true;
    }
    if (changed) this.version++;
    return changed;
  }

  /** A new stream: what its collector has not committed is told again. */
  welcomed(lastReport: number): void {
    this.acknowledged(lastReport);
    for (const [first] of this.#bySeries.values()) {
      if (first!.doneAt === undefined) first!.report = 0;
      // Held for as long as the stream before.
      if (first!.heldUntilMs === Number.POSITIVE_INFINITY) first!.heldUntilMs = 0;
    }
  }

  /** All reports up to this one are committed. */
  acknowledged(report: number): void {
    if (this.#size === 0) return;
    for (const [first] of this.#bySeries.values()) {
      if (first!.doneAt !== undefined || first!.report === 0 || first!.report > report) continue;
      first!.doneAt = ++this.version;
    }
  }

  /** The state file holds this version, or there is none. */
  saved(version: number): void {
    if (this.#size === 0) return;
    for (const [first] of this.#bySeries.values()) {
      if (first!.doneAt === undefined || first!.doneAt > version) continue;
      this.#remove(first!);
      this.#endings.push(first!);
    }
  }

  /** Those that will not be told again, so that their epochs can be retired as gone. Each once. */
  takeEndings(): readonly FinalState[] {
    const endings = this.#endings;
    if (endings.length > 0) this.#endings = [];
    return endings;
  }

  /** It is told to nobody, and booked. */
  drop(state: FinalState): void {
    this.#remove(state);
    const { metric } = state.series;
    this.#notCounted.add({ metric: metric.name, cause: 'dropped', series: 1, amount: state.value });
    this.version++;
  }

  /** They stay in the file for another run of the agent; this one does not tell them. */
  clear(): void {
    this.#bySeries.clear();
    this.#size = 0;
  }

  #remove(state: FinalState): void {
    const list = this.#bySeries.get(state.key);
    const at = list?.indexOf(state) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.#bySeries.delete(state.key);
    this.#size--;
  }
}
