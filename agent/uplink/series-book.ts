import type { DefineBatches } from '../../otel/stream/define-batches.ts';
import type { HeldSeries } from '../../otel/stream/held-series.ts';
import type { NumberColumn } from '../../proto/columns/number-column.ts';
import { StreamColumns } from '../../proto/report/stream-columns.ts';
import type { GroupState } from '../../proto/report/write-report.ts';
import type { AgentState } from '../state/agent-state.ts';
import {
  type AgentSeries,
  changesOrder,
  type RetireReason,
  type SamplingGroup,
} from '../state/sampling-group.ts';

/** Where a series number leads. */
export interface Place {
  readonly group: SamplingGroup;
  readonly cell: number;
  readonly series: AgentSeries;
}

interface GroupBook {
  readonly group: SamplingGroup;
  /** The group's version that the numbers stand for; -1: look at all cells again. */
  version: number;
  /** `collections` of the group when it was reported last on this stream. */
  reported: number;
  /** By cell: what the cell's number stands for, and that number; 0 and `undefined` where it has none. */
  readonly series: (AgentSeries | undefined)[];
  readonly numbers: number[];
  readonly state: { group: number; timeUs: number; sums: Float64Array; gauges: Float64Array };
}

/** Copies the values of a column's cells out of the group's, and counts those that are not the column's own. */
function gather(values: Float64Array, column: NumberColumn, into: Float64Array): number {
  const { attached, size, values: before } = column;
  let changed = 0;
  for (let i = 0; i < size; i++) {
    const value = values[attached[i]];
    into[i] = value;
    if (value !== before[i]) changed++;
  }
  return changed;
}

/** Why a series is not sent on this stream. */
export type LeftOut = 'kind' | 'size' | 'limit';

export interface SeriesBookOptions {
  readonly held: HeldSeries;
  readonly state: AgentState;
  readonly defines: DefineBatches;
  /** Series at one time that the collector accepts from one stream. */
  readonly maxSeries: number;
  /** When a series that found no room may be tried again, in milliseconds. */
  readonly retryMs: number;
  readonly onLeftOut: (series: AgentSeries, why: LeftOut) => void;
}

/**
 * Which series has which number on one stream, and the columns of the stream's reports. It follows a group by comparing the series
 * object in each cell with the one that the cell's number was given to, and only when the group's version has changed: a cell
 * that was freed, used again or given a new epoch holds another object, so its old number is retired and a new one defined.
 * Each number is `attached` to its cell, so a report gathers its values by one pass over the columns.
 */
export class SeriesBook {
  readonly columns: StreamColumns;
  readonly #options: SeriesBookOptions;
  readonly #books = new Map<SamplingGroup, GroupBook>();
  readonly #places = new Map<number, Place>();
  /** Series that this stream is not to hear of again. */
  readonly #excluded = new WeakSet<AgentSeries>();
  /** Values in all states since the start of the stream, and how many of them differed from the one before. */
  points = 0;
  changedValues = 0;
  #retired: Record<RetireReason, number[]> = { gone: [], idle: [] };
  /** A kept counter of the group that is walked has to wait. */
  #isWaiting = false;
  /** When the first held series may be sent, by the monotonic clock. */
  #retryAtMs = Number.POSITIVE_INFINITY;

  constructor(options: SeriesBookOptions) {
    this.#options = options;
    this.columns = new StreamColumns();
  }

  /** Series with a number. */
  get size(): number {
    return this.#places.size;
  }

  /** What a number stands for; `undefined` when it is retired or was never given. */
  placeOf(number: number): Place | undefined {
    return this.#places.get(number);
  }

  /** The number of the series in a cell; 0: it has none. */
  numberOf(group: SamplingGroup, cell: number): number {
    return this.#books.get(group)?.numbers[cell] ?? 0;
  }

  /** Whether the group was collected since its last report on this stream. */
  isDue(group: SamplingGroup): boolean {
    return group.collections !== (this.#books.get(group)?.reported ?? 0);
  }

  /** Retires the numbers of cells that hold another series now, or none. What was retired waits in `takeRetired`. */
  retire(group: SamplingGroup, nowMs: number): void {
    if (nowMs >= this.#retryAtMs) this.#lookAgain();
    const book = this.#bookOf(group);
    if (book.version === group.version) return;
    const { series } = book;
    for (let cell = 0; cell < series.length; cell++) {
      const numbered = series[cell];
      if (numbered !== undefined && numbered !== group.seriesAt(cell))
        this.#retire(book, cell, group.reasonOf(numbered));
    }
  }

  /**
   * Gives a number to every series of the group that lacks one, those that change often first, after `retire` and `takeRetired`. The
   * definitions wait in the batches.
   * @param nextReport the number of the report that will hold them
   * @param mayTell kept counters may be told; otherwise they wait for another call
   */
  define(group: SamplingGroup, nowMs: number, nextReport: number, mayTell: boolean): void {
    const book = this.#bookOf(group);
    if (book.version === group.version) return;
    this.#isWaiting = false;
    for (const changes of changesOrder)
      for (let cell = 0; cell < group.cells; cell++)
        if (!book.numbers[cell] && (group.seriesAt(cell)?.changes ?? 'sometimes') === changes)
          this.#define(book, cell, nowMs, nextReport, mayTell);
    // Opening an epoch for a series that is held no longer has raised the version, so it is noted after the walk.
    book.version = this.#isWaiting ? -1 : group.version;
  }

  /**
   * The group's values, in the order of the columns; `undefined` when it has no series on this stream. Valid until the next call
   * for the same group. Marks the group as reported.
   */
  stateOf(group: SamplingGroup): GroupState | undefined {
    const book = this.#books.get(group);
    if (book === undefined) return undefined;
    book.reported = group.collections;
    const columns = this.columns.groups.get(group.number);
    if (columns === undefined || columns.places === 0) return undefined;
    const { state } = book;
    const { sums, gauges } = columns;
    if (state.sums.length < sums.size) state.sums = new Float64Array(sums.values.length);
    if (state.gauges.length < gauges.size) state.gauges = new Float64Array(gauges.values.length);
    const { values } = group;
    this.changedValues += gather(values, sums, state.sums) + gather(values, gauges, state.gauges);
    this.points += columns.places;
    state.timeUs = group.timeUs;
    return state;
  }

  /** The numbers retired since the last call with this reason, ascending. The columns no longer hold them. */
  takeRetired(reason: RetireReason): readonly number[] {
    const numbers = this.#retired[reason];
    if (numbers.length === 0) return numbers;
    this.#retired[reason] = [];
    numbers.sort((a, b) => a - b);
    this.columns.retire(numbers);
    return numbers;
  }

  /** Takes a number out of the reports and keeps its series off this stream, or, with `untilMs`, off every stream for a while. */
  leaveOut(number: number, hold: { readonly untilMs: number | undefined } | undefined): void {
    const place = this.#places.get(number);
    if (place === undefined) return;
    if (hold === undefined) this.#excluded.add(place.series);
    else this.#hold(place, hold.untilMs);
    const book = this.#books.get(place.group)!;
    this.#retire(book, place.cell, 'idle');
    // The walk must not wait for the group to change.
    book.version = -1;
  }

  #bookOf(group: SamplingGroup): GroupBook {
    let book = this.#books.get(group);
    if (book === undefined) {
      const state = {
        group: group.number,
        timeUs: 0,
        sums: new Float64Array(0),
        gauges: new Float64Array(0),
      };
      book = { group, version: -1, reported: 0, series: [], numbers: [], state };
      this.#books.set(group, book);
    }
    return book;
  }

  #lookAgain(): void {
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    for (const book of this.#books.values()) book.version = -1;
  }

  #hold({ group, cell, series }: Place, untilMs: number | undefined): void {
    group.heldBack(cell);
    this.#options.held.hold(series, this, untilMs);
    this.#retryAtMs = Math.min(this.#retryAtMs, untilMs ?? Number.POSITIVE_INFINITY);
  }

  #retire(book: GroupBook, cell: number, reason: RetireReason): void {
    const number = book.numbers[cell];
    book.numbers[cell] = 0;
    book.series[cell] = undefined;
    this.#places.delete(number);
    this.#retired[reason].push(number);
  }

  #define(book: GroupBook, cell: number, nowMs: number, nextReport: number, mayTell: boolean): void {
    const { held, state, defines, maxSeries, retryMs, onLeftOut } = this.#options;
    const { group } = book;
    let series = group.seriesAt(cell);
    if (series === undefined || this.#excluded.has(series)) return;
    const untilMs = held.untilMs(series, this);
    if (untilMs !== undefined) {
      if (untilMs > nowMs) {
        this.#retryAtMs = Math.min(this.#retryAtMs, untilMs);
        return;
      }
      held.release(series);
      if (series.metric.kind === 'sum' && series.metric.isMonotonic) group.openEpoch(cell);
      series = group.seriesAt(cell)!;
    }
    const kept = state.lives.get(series);
    if (kept !== undefined && (!mayTell || state.finals.blocks(series))) {
      this.#isWaiting = true;
      return;
    }
    const why = this.#reasonToLeaveOut(series, maxSeries);
    if (why !== undefined) {
      if (why === 'limit') this.#hold({ group, cell, series }, nowMs + retryMs);
      else this.#excluded.add(series);
      onLeftOut(series, why);
      return;
    }
    const number = this.columns.lastNumber + 1;
    const kind = series.metric.kind === 'sum' ? 'sum' : 'gauge';
    this.columns.define({ number, group: group.number, kind, attached: cell, step: series.step });
    defines.add(number, group.number, series);
    if (kept !== undefined) state.lives.defined(kept, nextReport);
    book.series[cell] = series;
    book.numbers[cell] = number;
    this.#places.set(number, { group, cell, series });
  }

  #reasonToLeaveOut(series: AgentSeries, maxSeries: number): LeftOut | undefined {
    if (series.metric.kind !== 'sum' && series.metric.kind !== 'gauge') return 'kind';
    if (!this.#options.defines.fits(series)) return 'size';
    return this.columns.size >= Math.min(maxSeries, this.columns.maxCells) ? 'limit' : undefined;
  }
}
