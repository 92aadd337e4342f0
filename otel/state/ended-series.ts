import { ListPart } from '../snapshot/number-parts.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { Uint32List } from './columns.ts';
import { isEntry, kindCodeOf, slotOf } from './member-series.ts';
import { ended, type SeriesColumns } from './series-columns.ts';

/** Entries that are held before it is worth looking for stale ones. */
const smallest = 256;

/**
 * The series that have ended and wait until every reader has seen their last state, each as its entry: see MemberSeries. One that was defined
 * again, or ended twice since, is found out when the list has grown to twice its size, so it is never much longer than there are series.
 */
export class EndedList {
  readonly #columns: readonly SeriesColumns[];
  #entries = new Uint32List();
  #compactAt = smallest;

  /** @param columns of the states, by kind code */
  constructor(columns: readonly SeriesColumns[]) {
    this.#columns = columns;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** For a snapshot. Loaded after the columns. */
  snapshotPart(): SnapshotPart {
    return new ListPart(
      'series that have ended',
      () => this.#entries,
      (entry, reader) => {
        if (!isEntry(entry, this.#columns))
          throw reader.error(`${entry} is no entry of a series that has ended`);
      },
    );
  }

  add(entry: number): void {
    this.#entries.push(entry);
    if (this.#entries.size >= this.#compactAt) this.#compact();
  }

  /** Whether {@link EndedList.release} would free one. */
  hasReleasable(beforeS: number): boolean {
    const { items, size } = this.#entries;
    for (let i = 0; i < size; i++) {
      const entry = items[i]!;
      if (isReleasable(this.#columns[kindCodeOf(entry)]!, slotOf(entry), beforeS)) return true;
    }
    return false;
  }

  /**
   * Takes those out that left before this second of the store's life, and gives them to `free`, which clears their status and adds nothing.
   * What was defined again since is dropped. Gives how many were freed.
   */
  release(beforeS: number, free: (entry: number) => void): number {
    const { items, size } = this.#entries;
    const kept = new Uint32List();
    let released = 0;
    for (let i = 0; i < size; i++) {
      const entry = items[i]!;
      const columns = this.#columns[kindCodeOf(entry)]!;
      const slot = slotOf(entry);
      // A series that ended twice and so is here twice is freed once: freeing has cleared its status.
      if ((columns.status.get(slot) & ended) === 0) continue;
      if (isReleasable(columns, slot, beforeS)) {
        free(entry);
        released++;
      } else kept.push(entry);
    }
    this.#entries = kept;
    this.#compactAt = Math.max(smallest, 2 * kept.size);
    return released;
  }

  /** Leaves out what has not ended any more, and what is here twice. */
  #compact(): void {
    const kept = new Uint32List();
    const seen = new Set<number>();
    for (const entry of this.#entries.items.subarray(0, this.#entries.size)) {
      const { status } = this.#columns[kindCodeOf(entry)]!;
      if ((status.get(slotOf(entry)) & ended) === 0 || seen.has(entry)) continue;
      seen.add(entry);
      kept.push(entry);
    }
    this.#entries = kept;
    this.#compactAt = Math.max(smallest, 2 * kept.size);
  }
}

/** Whether an ended series left before this second of the store's life. */
export function isReleasable(series: SeriesColumns, slot: number, beforeS: number): boolean {
  return (series.status.get(slot) & ended) !== 0 && series.absentAtS.get(slot) < beforeS;
}
