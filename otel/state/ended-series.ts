import type { KindState } from './kind-state.ts';
import type { Member } from './members.ts';
import { ended, type SeriesColumns } from './series-columns.ts';

/** A series whose epoch never returns, and where its member knows it. */
export interface EndedSeries {
  readonly state: KindState;
  readonly slot: number;
  readonly member: Member;
  readonly key: number;
}

/** The series that have ended and wait until every reader has seen their last state. */
export class EndedList {
  #items: EndedSeries[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: EndedSeries): void {
    this.#items.push(item);
  }

  /** Whether {@link EndedList.release} would free one. */
  hasReleasable(beforeS: number): boolean {
    return this.#items.some(({ state, slot }) => isReleasable(state.series, slot, beforeS));
  }

  /** Takes those out that left before this second of the store's life, and gives them to `free`. What was defined again since is dropped. Gives how many were freed. */
  release(beforeS: number, free: (item: EndedSeries) => void): number {
    const kept: EndedSeries[] = [];
    let released = 0;
    for (const item of this.#items) {
      const { series } = item.state;
      // Freeing clears the status, so a series that ended twice and so is here twice is freed once.
      if ((series.status.get(item.slot) & ended) === 0) continue;
      if (isReleasable(series, item.slot, beforeS)) {
        free(item);
        released++;
      } else kept.push(item);
    }
    this.#items = kept;
    return released;
  }
}

/** Whether an ended series left before this second of the store's life. */
export function isReleasable(series: SeriesColumns, slot: number, beforeS: number): boolean {
  return (series.status.get(slot) & ended) !== 0 && series.absentAtS.get(slot) < beforeS;
}
