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
