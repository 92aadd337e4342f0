import { chunkBits, chunkMask } from './columns.ts';
import type { ExponentialCounts } from './exponential-counts.ts';
import type { ExponentialRows, ExponentialSide } from './exponential-rows.ts';

/**
 * The part of a point batch that exponential histograms have: point `i` is at index `i` of each column, and its buckets are
 * `counts[start, start + length)`, lowest first, where bucket `b` of a side counts what lies in
 * (base^(offset + b), base^(offset + b + 1)] with base = 2^(2^-scale), by absolute value. After OTLP's ExponentialHistogramDataPoint.
 */
export class ExponentialPoints {
  scales = new Int32Array(0);
  zeroThresholds = new Float64Array(0);
  zeroCounts = new Float64Array(0);
  positiveOffsets = new Int32Array(0);
  positiveStarts = new Uint32Array(0);
  positiveLengths = new Uint32Array(0);
  negativeOffsets = new Int32Array(0);
  negativeStarts = new Uint32Array(0);
  negativeLengths = new Uint32Array(0);
  /** The buckets of all points. */
  counts = new Float64Array(0);
  #used = 0;

  /** Empties it and makes room for so many points. */
  reset(capacity: number): void {
    this.#used = 0;
    if (capacity <= this.scales.length) return;
    this.scales = new Int32Array(capacity);
    this.zeroThresholds = new Float64Array(capacity);
    this.zeroCounts = new Float64Array(capacity);
    this.positiveOffsets = new Int32Array(capacity);
    this.positiveStarts = new Uint32Array(capacity);
    this.positiveLengths = new Uint32Array(capacity);
    this.negativeOffsets = new Int32Array(capacity);
    this.negativeStarts = new Uint32Array(capacity);
    this.negativeLengths = new Uint32Array(capacity);
  }

  /** Room for so many buckets in `counts`, of unspecified content: gives where they start. Replaces `counts` when it grows. */
  allocate(buckets: number): number {
    const start = this.#used;
    this.#used += buckets;
    if (this.#used > this.counts.length) {
      const grown = new Float64Array(this.#used + (this.#used >>> 1));
      grown.set(this.counts);
      this.counts = grown;
    }
    return start;
  }

  /** Fills point `i`, but for sum, min and max, with what was added up. */
  put(i: number, { scale, zeroThreshold, zeroCount, positive, negative }: ExponentialCounts): void {
    this.scales[i] = scale;
    this.zeroThresholds[i] = zeroThreshold;
    this.zeroCounts[i] = zeroCount;
    this.positiveOffsets[i] = positive.offset;
    this.positiveLengths[i] = positive.length;
    this.positiveStarts[i] = this.#copy(positive.counts, 0, positive.length);
    this.negativeOffsets[i] = negative.offset;
    this.negativeLengths[i] = negative.length;
    this.negativeStarts[i] = this.#copy(negative.counts, 0, negative.length);
  }

  /** Fills point `i`, but for sum, min and max, with a row. */
  putRow(i: number, rows: ExponentialRows, row: number): void {
    const { positive, negative } = rows;
    this.scales[i] = rows.scales.get(row);
    this.zeroThresholds[i] = rows.zeroThresholds.get(row);
    this.zeroCounts[i] = rows.zeroCounts.get(row);
    this.positiveOffsets[i] = positive.offsets.get(row);
    this.positiveLengths[i] = positive.lengths.get(row);
    this.positiveStarts[i] = this.#copyRun(rows, positive, row);
    this.negativeOffsets[i] = negative.offsets.get(row);
    this.negativeLengths[i] = negative.lengths.get(row);
    this.negativeStarts[i] = this.#copyRun(rows, negative, row);
  }

  #copyRun({ cells }: ExponentialRows, { firstCells, lengths }: ExponentialSide, row: number): number {
    const length = lengths.get(row);
    if (length === 0) return 0;
    const cell = firstCells.get(row);
    return this.#copy(cells.chunks[cell >>> chunkBits]!, cell & chunkMask, length);
  }

  #copy(from: Float64Array, start: number, length: number): number {
    const at = this.allocate(length);
    for (let b = 0; b < length; b++) this.counts[at + b] = from[start + b]!;
    return at;
  }

  /** How much point `i` has counted: its zero count and all its buckets. */
  countOf(i: number): number {
    let count = this.zeroCounts[i]!;
    const { counts } = this;
    const positive = this.positiveStarts[i]!;
    for (let b = positive; b < positive + this.positiveLengths[i]!; b++) count += counts[b]!;
    const negative = this.negativeStarts[i]!;
    for (let b = negative; b < negative + this.negativeLengths[i]!; b++) count += counts[b]!;
    return count;
  }
}
