import type { Clock } from '../../otel/clock.ts';
import { DefineBatches } from '../../otel/stream/define-batches.ts';
import type { HeldSeries } from '../../otel/stream/held-series.ts';
import type { StreamWriter } from '../../otel/stream/stream-content.ts';
import type { StreamCounters } from '../../otel/stream/stream-status.ts';
import type { Limits } from '../../proto/messages/collector-message.ts';
import { encodeReport, type GroupState } from '../../proto/report/write-report.ts';
import type { AgentState } from '../state/agent-state.ts';
import type { AgentSeries, SamplingGroup } from '../state/sampling-group.ts';
import { FinalDelivery } from './final-delivery.ts';
import { type LeftOut, SeriesBook } from './series-book.ts';

/** Definitions in one message, about. */
const defineBytes = 256 * 1024;
/** Series numbers in one Retire. */
const retireNumbers = 32_768;
/** A series that found no room on the stream is tried again after so long. */
const noRoomRetryMs = 60_000;
/** Definitions that are no longer used stay until the stream ends; beyond so many, and four times the series, it should. */
const maxTold = 65_536;

export interface StreamReportsOptions extends StreamWriter {
  readonly groups: () => Iterable<SamplingGroup>;
  readonly clock: Clock;
  readonly held: HeldSeries;
  readonly state: AgentState;
  readonly counters: StreamCounters;
  /** The collector's, from Welcome. */
  readonly limits: Limits;
  /** When Welcome came, by the monotonic clock. */
  readonly welcomeMs: number;
  readonly onLeftOut: (series: AgentSeries, why: LeftOut) => void;
}

/** What one stream says of the groups: Retire and Define where series came and went, and Report. */
export class StreamReports {
  readonly book: SeriesBook;
  readonly finals: FinalDelivery;
  readonly #options: StreamReportsOptions;
  readonly #defines: DefineBatches;

  constructor(options: StreamReportsOptions) {
    const { held, state, limits, welcomeMs, onLeftOut } = options;
    this.#options = options;
    this.#defines = new DefineBatches(
      Math.min(defineBytes, limits.maxMessageBytes || defineBytes),
      welcomeMs,
    );
    this.book = new SeriesBook({
      held,
      state,
      defines: this.#defines,
      maxSeries: limits.maxSeries || Number.POSITIVE_INFINITY,
      retryMs: noRoomRetryMs,
      onLeftOut,
    });
    this.finals = new FinalDelivery(state, this.book, {
      writeDefinitions: () => this.#writeDefinitions(),
      writeReport: (states) => this.#writeReport(states),
    });
  }

  /** So many definitions have gone out of use that the stream should be renewed. */
  get isOvergrown(): boolean {
    return this.#defines.told > Math.max(maxTold, 4 * this.book.size);
  }

  /** Sends one report with every group that was collected since its last one on this stream, after what it needs. Nothing when there is none. */
  cut(): void {
    const { groups, clock, counters, state } = this.#options;
    const { book } = this;
    const nowMs = clock.monotonicMs();
    const due: SamplingGroup[] = [];
    for (const group of groups()) if (book.isDue(group)) due.push(group);
    if (due.length === 0) return;
    // What went makes room for what comes. What has ended in any group has a final state, which is told first.
    const hasFinals = !state.finals.isIdle;
    for (const group of hasFinals ? groups() : due) book.retire(group, nowMs);
    const mayTell = (state.lives.size === 0 && !hasFinals) || state.mayTell();
    let sampledUs = 0;
    if (hasFinals) for (const { timeUs } of groups()) sampledUs = Math.max(sampledUs, timeUs);
    this.finals.deliver(nowMs, mayTell, sampledUs);
    this.#writeRetired();
    for (const group of due) book.define(group, nowMs, counters.lastReport + 1, mayTell);
    this.#writeDefinitions();
    const states: GroupState[] = [];
    const { points, changedValues } = book;
    for (const group of due) {
      const values = book.stateOf(group);
      if (values !== undefined) states.push(values);
    }
    counters.points += book.points - points;
    counters.changedValues += book.changedValues - changedValues;
    if (states.length > 0) this.#writeReport(states);
  }

  /** Retire where numbers wait for it, then Define. */
  #writeDefinitions(): void {
    this.#writeRetired();
    for (const define of this.#defines.take()) this.#options.writeControl(define);
  }

  #writeRetired(): void {
    for (const reason of ['gone', 'idle'] as const) {
      const numbers = this.book.takeRetired(reason);
      for (let at = 0; at < numbers.length; at += retireNumbers)
        this.#options.writeControl({ type: 'retire', series: numbers.slice(at, at + retireNumbers), reason });
    }
  }

  /** @returns its number */
  #writeReport(states: readonly GroupState[]): number {
    const { counters, state, writeReport } = this.#options;
    const bytes = encodeReport(this.book.columns, states, ++counters.lastReport);
    state.lastReport = counters.lastReport;
    counters.reports++;
    counters.reportBytes += bytes.length;
    writeReport(bytes);
    return counters.lastReport;
  }
}
