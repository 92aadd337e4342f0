import { ExponentialCounts } from '../../otel/state/exponential-counts.ts';
import type { ReaderCursor } from './reader-cursor.ts';

/**
 * What each delta reader was last given of each exponential histogram of one stream: what {@link DeltaBases} is for numbers. Points are by
 * their place; a place that comes into use starts at nothing.
 */
export class ExponentialBases {
  /** Absent while no delta reader has collected. */
  #byReader: (ExponentialCounts | undefined)[][] | undefined;

  /**
   * Makes `delta` what was counted since the reader was last given the point: the total less its base, at the coarser scale and the
   * higher zero threshold of the two, without zeros at its ends.
   */
  subtract(cursor: ReaderCursor, point: number, total: ExponentialCounts, delta: ExponentialCounts): void {
    delta.copyFrom(total);
    const base = this.#byReader?.[cursor.index]?.[point];
    if (base !== undefined) delta.addCounts(base, -1);
    delta.trim();
  }

  /** The reader has been given all of it. */
  advance(cursor: ReaderCursor, point: number, total: ExponentialCounts): void {
    this.#byReader ??= [];
    this.#byReader[cursor.index] ??= [];
    const bases = this.#byReader[cursor.index];
    while (bases.length <= point) bases.push(undefined);
    bases[point] ??= new ExponentialCounts();
    bases[point].copyFrom(total);
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
