import { ExponentialCounts } from '../../otel/state/exponential-counts.ts';
import type { ReaderCursor } from './reader-cursor.ts';
import { readCounts, writeCounts } from './snapshot/saved-counts.ts';
import type { StreamLoading, StreamPicture } from './snapshot/stream-picture.ts';

/**
 * What each delta reader was last given of each exponential histogram of one stream: what {@link DeltaBases} is for numbers. Points are by
 * their place; a place that comes into use starts at nothing.
 */
export class ExponentialBases {
  /** Absent while no delta reader has collected. */
  #byReader: (ExponentialCounts | undefined)[][] | undefined;
  /** The bases of a picture that is not written yet: what is in it does not change. */
  #pictured: (ExponentialCounts | undefined)[][] | undefined;

  /**
   * Makes `delta` what was counted since the reader was last given the point: the total less its base, at the coarser scale and the
   * higher zero threshold of the two, without zeros at its ends.
   */
  subtract(cursor: ReaderCursor, point: number, total: ExponentialCounts, delta: ExponentialCounts): void {
    delta.copyFrom(total);
    const base = this.#byReader?.[cursor.index]?.[point];
    if (base !== undefined) delta.add(base, -1);
    delta.trim();
  }

  /** The reader has been given all of it. */
  advance(cursor: ReaderCursor, point: number, total: ExponentialCounts): void {
    this.#byReader ??= [];
    this.#byReader[cursor.index] ??= [];
    const bases = this.#byReader[cursor.index];
    while (bases.length <= point) bases.push(undefined);
    let base = bases[point];
    if (base === undefined || base === this.#pictured?.[cursor.index]?.[point])
      bases[point] = base = new ExponentialCounts();
    base.copyFrom(total);
  }

  /** Of the first so many points, with at most so many buckets on either side of each. */
  picture(points: number): StreamPicture {
    // Readers that have none are empty places, which slice and map keep.
    const pictured = (this.#byReader ?? []).map((bases) => {
      // Without the empty places at the end, which it has or not by when it grew: equal bases are written alike.
      let length = Math.min(bases.length, points);
      while (length > 0 && bases[length - 1] === undefined) length--;
      return bases.slice(0, length);
    });
    this.#pictured = pictured;
    const release = () => {
      if (this.#pictured === pictured) this.#pictured = undefined;
    };
    return {
      *write(writer) {
        const columns = Object.entries(pictured);
        writer.varint(columns.length);
        for (const [reader, bases] of columns) {
          writer.varint(Number(reader));
          writer.varint(bases.length);
          for (const base of bases) yield* writeCounts(writer, base);
        }
        if (writer.isFull) yield writer.cut();
        release();
      },
      release,
    };
  }

  /** Takes over what a picture of so many points wrote, when it is new. */
  *load({ reader, readerAt }: StreamLoading, points: number, maxSize: number): Generator<void, void> {
    if (reader.isSpent) yield;
    const count = reader.varint(Number.MAX_SAFE_INTEGER, 'a count of readers');
    for (let i = 0; i < count; i++) {
      if (reader.isSpent) yield;
      const index = readerAt(reader.varint());
      const length = reader.varint(points, 'the length of bases');
      const bases: (ExponentialCounts | undefined)[] = [];
      while (bases.length < length) bases.push(yield* readCounts(reader, maxSize));
      if (index === undefined) continue;
      this.#byReader ??= [];
      if (this.#byReader[index] !== undefined) throw reader.error(`bases of reader ${index} come twice`);
      this.#byReader[index] = bases;
    }
  }

  /** The base of a point that another stream has, for every reader that there is one of here. */
  take(other: ExponentialBases, from: number, to: number): void {
    this.#byReader?.forEach((bases, index) => {
      const before = other.#byReader?.[index]?.[from];
      if (before === undefined) bases[to] = undefined;
      else bases[to]?.copyFrom(before);
    });
  }

  /** The reader is no more: another one that gets its number starts at nothing. */
  forget(reader: number): void {
    if (this.#byReader !== undefined && reader in this.#byReader) delete this.#byReader[reader];
  }

  /** A point takes a lower place, whose own has been forgotten. */
  copy(from: number, to: number): void {
    for (const bases of this.#byReader ?? []) {
      if (bases === undefined || to >= bases.length) continue;
      bases[to] = bases[from];
      if (from < bases.length) bases[from] = undefined;
    }
  }

  /** The places from this one on are free. */
  truncate(points: number): void {
    for (const bases of this.#byReader ?? []) if (bases?.length > points) bases.length = points;
  }

  /** The last point takes the place of another one, and its own place is free. */
  move(last: number, to: number): void {
    if (last !== to) this.copy(last, to);
    this.truncate(last);
  }
}
