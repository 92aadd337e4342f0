import type { SnapshotWriter } from '../../otel/snapshot/snapshot-writer.ts';
import { isReleasable } from '../../otel/state/ended-series.ts';
import type { SeriesColumns } from '../../otel/state/series-columns.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/** Numbers of an output that are written to a snapshot at once. */
export const writtenAtOnce = 1024;

/**
 * The input series that are handed on as they came, a point each: point `i` is that of `slots[i]`. A member has such a list for each of
 * its metrics, most of them short, so it is a plain array: a typed one would cost more than what it holds. The attributes are those of
 * the series' definition.
 */
export class PassPoints {
  readonly slots: number[] = [];

  get size(): number {
    return this.slots.length;
  }

  attach(slot: number): void {
    this.slots.push(slot);
  }

  /** Tells of each series that another list has too, with its places there and here. */
  shared(before: PassPoints, found: (from: number, to: number) => void): void {
    const places = new Map(before.slots.map((slot, place) => [slot, place]));
    for (const [to, slot] of this.slots.entries()) {
      const from = places.get(slot);
      if (from !== undefined) found(from, to);
    }
  }

  /** For few points. */
  writeNow(writer: SnapshotWriter): void {
    const { slots } = this;
    writer.varint(slots.length);
    let before = 0;
    for (const slot of slots) {
      writer.sint(slot - before);
      before = slot;
    }
  }

  picture(): StreamPicture {
    const { slots, size } = this;
    return {
      *write(writer) {
        writer.varint(size);
        let before = 0;
        for (let i = 0; i < size; i++) {
          if (writer.isFull) yield writer.cut();
          writer.sint(slots[i] - before);
          before = slots[i];
        }
        if (writer.isFull) yield writer.cut();
      },
    };
  }

  /** Takes over what a picture wrote, when it is new. */
  *load({ reader, take }: StreamLoading): Generator<void, void> {
    if (reader.isSpent) yield;
    const size = reader.varint(0xffff_ffff, 'a count of series');
    let slot = 0;
    while (this.slots.length < size) {
      if (reader.isSpent) yield;
      slot += reader.sint('a slot');
      take(slot);
      this.slots.push(slot);
    }
  }

  /** Lets go of the series that ended before then; `moved` is told where the last point goes instead. */
  sweep(series: SeriesColumns, beforeS: number, moved?: (from: number, to: number) => void): void {
    this.letGo((slot) => isReleasable(series, slot, beforeS), moved);
  }

  letGo(leaves: (slot: number) => boolean, moved?: (from: number, to: number) => void): void {
    const { slots } = this;
    for (let i = slots.length - 1; i >= 0; i--) {
      if (!leaves(slots[i])) continue;
      const last = slots.length - 1;
      slots[i] = slots[last];
      slots.length = last;
      moved?.(last, i);
    }
  }
}
