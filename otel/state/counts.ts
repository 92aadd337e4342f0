/**
 * Counts of histograms and summaries are whole numbers up to here, in what members report and in what leaves: a double holds each of them, and
 * so do OTLP's 64 bits all buckets of a histogram together.
 */
export const maxCount = 2 ** 53;

/** Whether a number can be a count. */
export function isCount(value: number): boolean {
  return value >= 0 && value <= maxCount && Math.floor(value) === value;
}

/** A total of finite shares. Too many of them may come to an infinity, which would never leave it again: it stays at the largest double. */
export function finiteTotal(total: number): number {
  if (total - total === 0) return total;
  return Number.isNaN(total) ? 0 : Math.sign(total) * Number.MAX_VALUE;
}
