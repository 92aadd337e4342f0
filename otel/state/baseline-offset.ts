import { neighbour } from './exponential-mapping.ts';

/**
 * The offset of a counter that has counted so much and goes on from a baseline: their difference, rounded so that `baseline + offset` is not below
 * `counted` in doubles. The nearest double to the difference may be below it, and the sum round down with it; then the next double up is above the difference, and so
 * the sum, before it is rounded, above `counted`, which is a double. Sums of larger values with the same offset are not below either, since rounding keeps order. Both
 * are finite and not negative.
 */
export function baselineOffset(counted: number, baseline: number): number {
  const offset = counted - baseline;
  if (baseline + offset >= counted) return offset;
  return offset < 0 ? -neighbour(-offset, -1n) : neighbour(offset, 1n);
}
