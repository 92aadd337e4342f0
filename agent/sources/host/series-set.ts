import type { AgentSeries, RetireReason } from '../../state/sampling-group.ts';
import type { SeriesCells } from '../../state/series-cells.ts';

/**
 * A fixed list of series that come and go as their values are there or not. A series is defined when it gets its first value,
 * so the order of the first values is the order on the wire.
 */
export class SeriesSet {
  readonly #group: SeriesCells;
  readonly #series: readonly AgentSeries[];
  readonly #cells: Int32Array;

  constructor(group: SeriesCells, series: readonly AgentSeries[]) {
    this.#group = group;
    this.#series = series;
    this.#cells = new Int32Array(series.length).fill(-1);
  }

  /** Sets the value of series `i`. NaN: it cannot be read at present, and is retired as idle until it can. */
  put(i: number, value: number): void {
    let cell = this.#cells[i]!;
    if (Number.isNaN(value)) {
      if (cell >= 0) this.#retireOne(i, 'idle');
      return;
    }
    if (cell < 0) {
      cell = this.#group.define(this.#series[i]!);
      this.#cells[i] = cell;
    }
    if (this.#series[i]!.metric.isMonotonic) this.#group.setCounter(cell, value);
    else this.#group.set(cell, value);
  }

  /** Retires all that is defined. A later `put` defines it again. */
  retire(reason: RetireReason): void {
    for (let i = 0; i < this.#cells.length; i++) if (this.#cells[i]! >= 0) this.#retireOne(i, reason);
  }

  #retireOne(i: number, reason: RetireReason): void {
    this.#group.retire(this.#cells[i]!, reason);
    this.#cells[i] = -1;
  }
}
