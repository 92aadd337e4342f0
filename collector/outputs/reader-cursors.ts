import type { Temporality } from '../../otel/model/metric.ts';
import type { SnapshotReader } from '../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import type { ReaderCursor } from './reader-cursor.ts';
import { readTime } from './snapshot/saved-points.ts';

interface NamedCursor extends ReaderCursor {
  readonly name: string;
  /** Whether there is a reader that has it: one that was loaded waits for its own. */
  isClaimed: boolean;
}

/** The readers that stay, and where each stands. */
export class ReaderCursors {
  readonly #cursors: NamedCursor[] = [];
  readonly #store: MetricStore;

  constructor(store: MetricStore) {
    this.#store = store;
  }

  /** The cursor of a reader: where one of this name and temporality was loaded and has not been claimed, that one. */
  add(temporality: Temporality, name: string): ReaderCursor {
    const loaded = this.#cursors.find(
      // One without a name is nobody's own.
      (one) => name !== '' && !one.isClaimed && one.name === name && one.temporality === temporality,
    );
    if (loaded !== undefined) {
      loaded.isClaimed = true;
      return loaded;
    }
    const { birthUs } = this.#store;
    const cursor = { ...passingBy(birthUs), name, temporality, isClaimed: true };
    const added = { ...cursor, index: this.#cursors.length, deliveredUs: birthUs };
    this.#cursors.push(added);
    this.#store.gauges.windows.addReader();
    return added;
  }

  /** From now on every reader waits for its own to come. */
  unclaim(): void {
    for (const cursor of this.#cursors) cursor.isClaimed = false;
  }

  /** When the collection was made that every reader's backend has taken, or a later one, by the store's clock. */
  deliveredUs(nowUs: number): number {
    let deliveredUs = nowUs;
    for (const { isClaimed, deliveredUs: own } of this.#cursors)
      if (isClaimed) deliveredUs = Math.min(deliveredUs, own);
    return deliveredUs;
  }

  get delta(): readonly ReaderCursor[] {
    return this.#cursors.filter(({ temporality }) => temporality === 'delta');
  }

  /** Where all readers stand now, as a function that writes it. Those that nobody claimed are left out. */
  picture(): (writer: SnapshotWriter) => void {
    const cursors = this.#cursors.filter(({ isClaimed }) => isClaimed).map((cursor) => ({ ...cursor }));
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
