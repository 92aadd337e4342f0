import type { AgentSeries, RetireReason } from './sampling-group.ts';

/** What a source does with its series. A sampling group is one; see there. */
export interface SeriesCells {
  define(series: AgentSeries): number;
  set(cell: number, value: number): void;
  setCounter(cell: number, value: number): void;
  retire(cell: number, reason: RetireReason): void;
}

/** The cells of one source among others in a group, so that it can be taken out with all that it has defined. */
export class SourceCells implements SeriesCells {
  readonly #group: SeriesCells;
  readonly #cells = new Set<number>();
  #isClosed = false;

  constructor(group: SeriesCells) {
    this.#group = group;
  }

  define(series: AgentSeries): number {
    // A file system may answer when its source is gone.
    if (this.#isClosed) return -1;
    const cell = this.#group.define(series);
    this.#cells.add(cell);
    return cell;
  }

  set(cell: number, value: number): void {
    if (!this.#isClosed) this.#group.set(cell, value);
  }

  setCounter(cell: number, value: number): void {
    if (!this.#isClosed) this.#group.setCounter(cell, value);
  }

  retire(cell: number, reason: RetireReason): void {
    if (this.#cells.delete(cell)) this.#group.retire(cell, reason);
  }

  /** Retires all there are; nothing is taken from here on. */
  close(reason: RetireReason): void {
    for (const cell of [...this.#cells]) this.retire(cell, reason);
    this.#isClosed = true;
  }
}
