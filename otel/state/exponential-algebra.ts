import type { BucketRun } from './exponential-value.ts';

/**
 * Buckets of exponential histograms as runs of counts: `counts[start, start + length)`, the first of which has index `offset`. At a scale
 * that is coarser by `by`, bucket `index` is part of bucket `index >> by`, exactly. Pure functions, which allocate nothing.
 */

/** By how much the scale has to fall until buckets `low` to `high` are at most `maxSize`. */
export function shiftToFit(low: number, high: number, maxSize: number): number {
  let by = 0;
  while ((high >> by) - (low >> by) >= maxSize) by++;
  return by;
}

/** Makes a run coarser in its place, at `offset >> by`. Gives its new length; what is behind it is left as it was. */
export function downscale(
  counts: Float64Array,
  start: number,
  length: number,
  offset: number,
  by: number,
): number {
  if (length === 0) return 0;
  const first = offset >> by;
  let place = 0;
  let count = counts[start]!;
  for (let i = 1; i < length; i++) {
    const next = ((offset + i) >> by) - first;
    if (next === place) {
      count += counts[start + i]!;
      continue;
    }
    counts[start + place] = count;
    place = next;
    count = counts[start + i]!;
  }
  counts[start + place] = count;
  return place + 1;
}

/** Adds a run, `factor` times, to one that spans it, coarser by `by`. */
export function addBuckets(to: BucketRun, from: BucketRun, by: number, factor: number): void {
  const { counts, offset, start, length } = from;
  const sums = to.counts;
  const first = to.start - to.offset;
  if (by === 0) {
    const shift = first + offset - start;
    for (let i = start; i < start + length; i++) sums[shift + i]! += factor * counts[i]!;
    return;
  }
  for (let i = 0; i < length; i++) sums[first + ((offset + i) >> by)]! += factor * counts[start + i]!;
}

/** How many cells at the begin of a run are in buckets up to `index` of the scale that is coarser by `by`. */
export function lengthThrough(offset: number, length: number, by: number, index: number): number {
  return Math.min(length, Math.max(0, (index + 1) * 2 ** by - offset));
}

export function sumOf(counts: Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += counts[i]!;
  return sum;
}

/** Whether a run has anything in bucket `index` of the scale that is coarser by `by`. */
export function isPopulated(run: BucketRun, by: number, index: number): boolean {
  const { counts, start, length, offset } = run;
  const end = lengthThrough(offset, length, by, index);
  for (let i = lengthThrough(offset, length, by, index - 1); i < end; i++)
    if (counts[start + i] !== 0) return true;
  return false;
}

/** How many cells at the begin of a run are zero. */
export function leadingZeros(counts: Float64Array, start: number, length: number): number {
  let zeros = 0;
  while (zeros < length && counts[start + zeros] === 0) zeros++;
  return zeros;
}

/** The length of a run without the zeros at its end. */
export function lengthToLast(counts: Float64Array, start: number, length: number): number {
  while (length > 0 && counts[start + length - 1] === 0) length--;
  return length;
}
