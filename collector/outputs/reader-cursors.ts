import type { Temporality } from '../../otel/model/metric.ts';
import type { SnapshotReader } from '../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { ReaderCursor } from './reader-cursor.ts';
import { readTime } from './snapshot/saved-points.ts';

/** A cursor and whose it is. */
export interface NamedCursor extends ReaderCursor {
  readonly name: string;
  /** Whether there is a reader that has it: one that was loaded waits for its own. */
  isClaimed: boolean;
}

/** The readers that stay, and where each stands. */
export class ReaderCursors {
  /** By index; those of readers that are no more are free. */
  readonly #cursors: (NamedCursor | undefined)[] = [];
  readonly #store: MetricStore;

  constructor(store: MetricStore) {
    this.#store = store;
  }

  /** The cursor of a reader: where there is one of this name and temporality, that one. */
  add(temporality: Temporality, name: string): ReaderCursor {
    const known = this.find(temporality, name);
    if (known !== undefined) {
      known.isClaimed = true;
      return known;
    }
    const { birthUs } = this.#store;
    const cursor = { ...passingBy(birthUs), name, temporality, isClaimed: true };
    const free = this.#cursors.indexOf(undefined);
    const index = free === -1 ? this.#cursors.length : free;
    const added = { ...cursor, index, deliveredUs: birthUs };
    this.#cursors[index] = added;
    if (free === -1) this.#store.gauges.windows.addReader();
    else this.#store.gauges.windows.resetReader(index);
    return added;
  }

  /** Whether a reader has it or is yet to come for it. One without a name is nobody's own. */
  find(temporality: Temporality, name: string): NamedCursor | undefined {
    if (name === '') return undefined;
    return this.#all.find((one) => one.name === name && one.temporality === temporality);
  }

  /** The reader is no more, and what was kept for it elsewhere has been forgotten: its index is free. */
  remove({ index }: ReaderCursor): void {
    this.#cursors[index] = undefined;
  }

  /** From now on every reader waits for its own to come. */
  unclaim(): void {
    for (const cursor of this.#all) cursor.isClaimed = false;
  }

  /** When the collection was made that every reader's backend has taken, or a later one, by the store's clock. */
  deliveredUs(nowUs: number): number {
    let deliveredUs = nowUs;
    for (const { isClaimed, deliveredUs: own } of this.#all)
      if (isClaimed) deliveredUs = Math.min(deliveredUs, own);
    return deliveredUs;
  }

  get delta(): readonly ReaderCursor[] {
    return this.#all.filter(({ temporality }) => temporality === 'delta');
  }

  /** Where all readers stand now, as a function that writes it. Those that nobody claimed are left out. */
  picture(): (writer: SnapshotWriter) => void {
    const cursors = this.#all.filter(({ isClaimed }) => isClaimed).map((cursor) => ({ ...cursor }));
    return (writer) => {
      writer.varint(cursors.length);
      for (const cursor of cursors) {
        writer.varint(cursor.index);
        writer.string(cursor.name);
        writer.boolean(cursor.temporality === 'delta');
        writer.float64(cursor.collectedUs);
        writer.float64(cursor.collectedAtUs);
        writer.float64(cursor.deliveredUs);
        writer.varint(cursor.collections);
      }
    };
  }

  /** Takes over what a picture wrote, when there are no readers. Gives the indexes that they had, in the order of those that they have now. */
  load(reader: SnapshotReader): number[] {
    const indexes: number[] = [];
    const count = reader.varint(reader.left, 'a count of readers');
    while (indexes.length < count) {
      const index = reader.varint(0xffff_ffff, 'the index of a reader');
      if (indexes.includes(index)) throw reader.error(`reader ${index} comes twice`);
      this.#cursors.push({
        index: indexes.push(index) - 1,
        name: reader.string(),
        temporality: reader.boolean() ? 'delta' : 'cumulative',
        collectedUs: readTime(reader, 'the time of a collection'),
        collectedAtUs: readTime(reader, 'the time of a collection'),
        deliveredUs: readTime(reader, 'the time of a delivery'),
        collections: reader.varint(Number.MAX_SAFE_INTEGER, 'a count of collections'),
        isClaimed: false,
      });
    }
    return indexes;
  }

  get #all(): NamedCursor[] {
    return this.#cursors.filter((cursor) => cursor !== undefined);
  }
}

/** A cursor for one that comes and goes, as a scrape does: cumulative, and nothing waits for it. */
export function passingBy(birthUs: number): ReaderCursor {
  return {
    index: -1,
    temporality: 'cumulative',
    collectedUs: birthUs,
    collectedAtUs: birthUs,
    deliveredUs: Number.MAX_SAFE_INTEGER,
    collections: 0,
  };
}
