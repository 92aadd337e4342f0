/** Where scales end: at -10 two buckets hold all doubles above zero, at 20 the SDKs stop. */
export const minScale = -10;
export const maxScale = 20;

/**
 * Buckets of one histogram and range: all normal doubles at scale 3 are 16,368, a hundred times what the SDKs make by
 * themselves (160). The buckets of all series together are bounded by the stream's `maxCells`.
 */
export const maxBuckets = 16_384;

/** Why these cannot be the scale and the buckets of a histogram, with what is allowed; `undefined` when they can. */
export function layoutFault(scale: number, offset: number, buckets: number): string | undefined {
  if (!(Number.isInteger(scale) && scale >= minScale && scale <= maxScale))
    return `has the scale ${scale}; whole numbers from ${minScale} to ${maxScale} are allowed`;
  if (!(Number.isInteger(buckets) && buckets >= 0 && buckets <= maxBuckets))
    return `has ${buckets} buckets in one range; 0 to ${maxBuckets} are allowed`;
  if ((offset | 0) !== offset || offset + buckets > 2 ** 31)
    return `has ${buckets} buckets from index ${offset}; indexes are whole numbers from -2^31 to 2^31 - 1`;
  return undefined;
}
