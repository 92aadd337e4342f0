import { ColumnPart } from '../snapshot/column-part.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { chunkBits, chunkMask, Float64Column, Int32Column, Uint32Column } from './columns.ts';
import { leadingZeros, lengthToLast } from './exponential-algebra.ts';
import { ExponentialCells, isSameRun } from './exponential-cells.ts';
import type { ExponentialCounts } from './exponential-counts.ts';
import { isIndex, maxScale, minScale } from './exponential-mapping.ts';
import {
  type BucketRun,
  type ExponentialValue,
  ReusedBucketRun,
  ReusedExponentialValue,
} from './exponential-value.ts';

/** One side of histograms: by row, the index of the first bucket, how many there are, and their cells, which are one run in one chunk. */
export class ExponentialSide {
  readonly offsets = new Int32Column();
  readonly lengths = new Uint32Column();
  readonly firstCells = new Uint32Column();

  grow(length: number): void {
    this.offsets.grow(length);
    this.lengths.grow(length);
    this.firstCells.grow(length);
  }

  snapshotParts(length: () => number): readonly SnapshotPart[] {
    return [
      new ColumnPart('first buckets', this.offsets, length),
      new ColumnPart('counts of buckets', this.lengths, length),
      new ColumnPart('first cells', this.firstCells, length),
    ];
  }
}

/**
 * Exponential histograms in columns by row: scale, zero threshold, zero count, sum, and two sides of buckets, without zeros at their ends. The
 * buckets are in a pool of cells, from which a row takes a run of the next power of two. A row begins with nothing.
 */
export class ExponentialRows {
  readonly scales = new Int32Column();
  readonly zeroThresholds = new Float64Column();
  readonly zeroCounts = new Float64Column();
  readonly sums = new Float64Column();
  readonly positive = new ExponentialSide();
  readonly negative = new ExponentialSide();
  readonly cells = new ExponentialCells();

  /** Makes room for rows below `length`. */
  grow(length: number): void {
    this.scales.grow(length);
    this.zeroThresholds.grow(length);
    this.zeroCounts.grow(length);
    this.sums.grow(length);
    this.positive.grow(length);
    this.negative.grow(length);
  }

  /** Back to nothing. */
  clear(row: number): void {
    this.scales.set(row, 0);
    this.zeroThresholds.set(row, 0);
    this.zeroCounts.set(row, 0);
    this.sums.set(row, 0);
    this.#setSide(this.positive, row, empty);
    this.#setSide(this.negative, row, empty);
  }

  /** Whether a row counts nothing. */
  isNothing(row: number): boolean {
    return this.zeroCounts.get(row) === 0 && !this.hasBuckets(row);
  }

  hasBuckets(row: number): boolean {
    return this.positive.lengths.get(row) > 0 || this.negative.lengths.get(row) > 0;
  }

  /** Everything that a row counts. */
  count(row: number): number {
    let count = this.zeroCounts.get(row);
    for (const side of [this.positive, this.negative]) {
      const cell = side.firstCells.get(row);
      const chunk = this.cells.chunks[cell >>> chunkBits];
      const length = side.lengths.get(row);
      for (let i = 0; i < length; i++) count += chunk![(cell & chunkMask) + i]!;
    }
    return count;
  }

  /** Replaces a row. The arrays are not those of its own cells. */
  set(row: number, value: ExponentialValue): void {
    this.scales.set(row, value.scale);
    this.zeroThresholds.set(row, value.zeroThreshold);
    this.zeroCounts.set(row, value.zeroCount);
    this.sums.set(row, value.sum);
    this.#setSide(this.positive, row, value.positive);
    this.#setSide(this.negative, row, value.negative);
  }

  /** Adds a row to others, `factor` times. */
  addTo(row: number, to: ExponentialCounts, factor: number): void {
    atHand.scale = this.scales.get(row);
    atHand.zeroThreshold = this.zeroThresholds.get(row);
    atHand.zeroCount = this.zeroCounts.get(row);
    atHand.sum = this.sums.get(row);
    this.#readSide(this.positive, row, atHand.positive);
    this.#readSide(this.negative, row, atHand.negative);
    to.add(atHand, factor);
  }

  /** Makes others equal to a row, to go on from, with at most so many buckets on either side. */
  load(row: number, to: ExponentialCounts, maxSize: number): void {
    const threshold = this.isNothing(row) ? 0 : this.zeroThresholds.get(row);
    to.begin(this.hasBuckets(row) ? this.scales.get(row) : maxScale, threshold, maxSize);
    this.addTo(row, to, 1);
  }

  /** For a snapshot. @param length how many rows there are */
  snapshotParts(length: () => number): readonly SnapshotPart[] {
    return [
      new ColumnPart('scales', this.scales, length),
      new ColumnPart('zero thresholds', this.zeroThresholds, length),
      new ColumnPart('zero counts', this.zeroCounts, length),
      new ColumnPart('sums', this.sums, length),
      ...this.positive.snapshotParts(length),
      ...this.negative.snapshotParts(length),
      ...this.cells.snapshotParts(),
    ];
  }

  /** Whether a row is one that can be: its scale, and where its buckets are. */
  isRow(row: number): boolean {
    const scale = this.scales.get(row);
    const threshold = this.zeroThresholds.get(row);
    return (
      scale >= minScale &&
      scale <= maxScale &&
      threshold >= 0 &&
      threshold < Infinity &&
      this.#isSide(this.positive, row, scale) &&
      this.#isSide(this.negative, row, scale)
    );
  }

  #isSide({ offsets, firstCells, lengths }: ExponentialSide, row: number, scale: number): boolean {
    const length = lengths.get(row);
    if (length === 0) return true;
    const first = offsets.get(row);
    return (
      this.cells.hasRun(firstCells.get(row), length) &&
      isIndex(first, scale) &&
      isIndex(first + length - 1, scale)
    );
  }

  #readSide({ offsets, firstCells, lengths }: ExponentialSide, row: number, run: ReusedBucketRun): void {
    const cell = firstCells.get(row);
    const chunk = this.cells.chunks[cell >>> chunkBits] ?? empty.counts;
    run.set(offsets.get(row), chunk, cell & chunkMask, lengths.get(row));
  }

  #setSide(side: ExponentialSide, row: number, run: BucketRun): void {
    const from = run.counts;
    let length = lengthToLast(from, run.start, run.length);
    const zeros = leadingZeros(from, run.start, length);
    const start = run.start + zeros;
    length -= zeros;
    const held = side.lengths.get(row);
    let cell = side.firstCells.get(row);
    if (!isSameRun(held, length)) {
      if (held > 0) this.cells.release(cell, held);
      cell = length === 0 ? 0 : this.cells.allocate(length);
      side.firstCells.set(row, cell);
    }
    side.lengths.set(row, length);
    side.offsets.set(row, length === 0 ? 0 : run.offset + zeros);
    if (length === 0) return;
    const chunk = this.cells.chunks[cell >>> chunkBits]!;
    const at = cell & chunkMask;
    for (let i = 0; i < length; i++) chunk[at + i] = from[start + i]!;
  }
}

const empty: BucketRun = new ReusedBucketRun();

/** The row that is being added. */
const atHand = new ReusedExponentialValue();
