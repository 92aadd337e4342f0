import {
  addBuckets,
  downscale,
  isPopulated,
  leadingZeros,
  lengthThrough,
  lengthToLast,
  sumOf,
} from './exponential-algebra.ts';
import type { BucketRun } from './exponential-value.ts';

const nothing = new Float64Array(0);

/** One side of an exponential histogram that changes: bucket `offset + i` counts `counts[i]`, for i below `length`. Its array grows by doubling, and is kept. */
export class BucketWindow implements BucketRun {
  counts: Float64Array = nothing;
  offset = 0;
  length = 0;

  /** Always 0. */
  get start(): number {
    return 0;
  }

  clear(): void {
    this.offset = 0;
    this.length = 0;
  }

  /** Whether all counts are zero. */
  get isNothing(): boolean {
    return lengthToLast(this.counts, 0, this.length) === 0;
  }

  /** The count of a bucket. */
  at(index: number): number {
    const place = index - this.offset;
    return place >= 0 && place < this.length ? this.counts[place]! : 0;
  }

  downscale(by: number): void {
    this.length = downscale(this.counts, 0, this.length, this.offset, by);
    this.offset >>= by;
  }

  /** Spans these buckets too; new ones are zero. */
  reach(low: number, high: number): void {
    const { length } = this;
    const first = length === 0 ? low : Math.min(low, this.offset);
    const last = length === 0 ? high : Math.max(high, this.offset + length - 1);
    const spanned = last - first + 1;
    const shift = length === 0 ? 0 : this.offset - first;
    if (spanned > this.counts.length) {
      const grown = new Float64Array(2 ** Math.ceil(Math.log2(spanned)));
      for (let i = 0; i < length; i++) grown[shift + i] = this.counts[i]!;
      this.counts = grown;
    } else if (spanned > length) {
      this.counts.copyWithin(shift, 0, length);
      this.counts.fill(0, 0, shift);
      this.counts.fill(0, shift + length, spanned);
    }
    this.offset = first;
    this.length = spanned;
  }

  /** Adds a run, `factor` times, that is finer by `by`. */
  add(run: BucketRun, by: number, factor: number): void {
    const { offset, length } = run;
    if (length === 0) return;
    this.reach(offset >> by, (offset + length - 1) >> by);
    addBuckets(this, run, by, factor);
  }

  isPopulated(index: number): boolean {
    return isPopulated(this, 0, index);
  }

  /** Takes out the buckets up to an index. Gives what they counted. */
  takeThrough(index: number): number {
    const taken = lengthThrough(this.offset, this.length, 0, index);
    const count = sumOf(this.counts, 0, taken);
    this.#dropFirst(taken);
    return count;
  }

  /** Leaves out the zeros at both ends. */
  trim(): void {
    this.length = lengthToLast(this.counts, 0, this.length);
    this.#dropFirst(leadingZeros(this.counts, 0, this.length));
  }

  #dropFirst(dropped: number): void {
    if (dropped === 0) return;
    this.counts.copyWithin(0, dropped, this.length);
    this.length -= dropped;
    this.offset = this.length === 0 ? 0 : this.offset + dropped;
  }

  /** Brings each count into 0 to `highest`. Gives whether one was not. */
  limit(highest: number): boolean {
    let isLimited = false;
    for (let i = 0; i < this.length; i++) {
      const count = this.counts[i]!;
      if (count >= 0 && count <= highest) continue;
      this.counts[i] = count > 0 ? highest : 0;
      isLimited = true;
    }
    return isLimited;
  }

  copyFrom(other: BucketWindow): void {
    this.clear();
    this.add(other, 0, 1);
  }
}
