import { chunkBits, chunkMask } from './columns.ts';
import { bringTogether, ExponentialCounts } from './exponential-counts.ts';
import { maxScale } from './exponential-mapping.ts';
import type { ExponentialRows, ExponentialSide } from './exponential-rows.ts';
import type { BucketRun, ExponentialValue } from './exponential-value.ts';
import type { BucketWindow } from './exponential-window.ts';

/** Buckets that are held for either side. What has more is held at a coarser scale. */
export const maxHeldBuckets = 1024;

/**
 * Tells whether new counts hold all that a row holds, at the coarser scale and the higher zero threshold of the two. Counts that have the same scale and
 * threshold, which is nearly always, are compared where they are.
 */
export class ExponentialComparison {
  /** What is held from here on if the new counts are taken: no finer than what was held. Valid until the next comparison. */
  result: ExponentialValue;
  /** The first of the new counts that is below the held one, and that one; of no meaning otherwise. */
  faultyValue = 0;
  heldValue = 0;
  readonly #rows: ExponentialRows;
  readonly #next = new ExponentialCounts();
  readonly #held = new ExponentialCounts();

  constructor(rows: ExponentialRows) {
    this.#rows = rows;
    this.result = this.#next;
  }

  /** @param next without zeros at its ends */
  holdsAll(row: number, next: ExponentialValue): boolean {
    if (this.#isPlain(row, next)) {
      this.result = next;
      return this.#isFromRow(row, next);
    }
    this.result = this.#next;
    return this.#isFromHeld(row, next);
  }

  /** Whether both have the same scale and zero threshold, and can be compared as they are. */
  #isPlain(row: number, next: ExponentialValue): boolean {
    const rows = this.#rows;
    if (next.positive.length > maxHeldBuckets || next.negative.length > maxHeldBuckets) return false;
    if (rows.isNothing(row)) return true;
    if (rows.zeroThresholds.get(row) !== next.zeroThreshold) return false;
    return rows.scales.get(row) === next.scale || !rows.hasBuckets(row);
  }

  #isFromRow(row: number, next: ExponentialValue): boolean {
    const rows = this.#rows;
    return (
      this.#isFrom(rows.zeroCounts.get(row), next.zeroCount) &&
      this.#isSideFrom(rows.positive, row, next.positive) &&
      this.#isSideFrom(rows.negative, row, next.negative)
    );
  }

  #isSideFrom(held: ExponentialSide, row: number, { offset, counts, start, length }: BucketRun): boolean {
    const cell = held.firstCells.get(row);
    const chunk = this.#rows.cells.chunks[cell >>> chunkBits];
    const first = cell & chunkMask;
    const shift = held.offsets.get(row) - offset;
    const heldLength = held.lengths.get(row);
    for (let i = 0; i < heldLength; i++) {
      const at = shift + i;
      if (!this.#isFrom(chunk![first + i]!, at >= 0 && at < length ? counts[start + at]! : 0)) return false;
    }
    return true;
  }

  /** Brings both to one scale and zero threshold first. */
  #isFromHeld(row: number, value: ExponentialValue): boolean {
    const next = this.#next;
    next.begin(maxScale, value.zeroThreshold, maxHeldBuckets);
    next.add(value, 1);
    const held = this.#held;
    this.#rows.load(row, held, maxHeldBuckets);
    bringTogether(next, held);
    return (
      this.#isFrom(held.zeroCount, next.zeroCount) &&
      this.#isWindowFrom(held.positive, next.positive) &&
      this.#isWindowFrom(held.negative, next.negative)
    );
  }

  #isWindowFrom(held: BucketWindow, next: BucketWindow): boolean {
    for (let i = 0; i < held.length; i++)
      if (!this.#isFrom(held.counts[i]!, next.at(held.offset + i))) return false;
    return true;
  }

  #isFrom(held: number, count: number): boolean {
    if (count >= held) return true;
    this.faultyValue = count;
    this.heldValue = held;
    return false;
  }
}
