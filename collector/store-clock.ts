const originUs = Date.now() * 1000;
const originMs = performance.now();

/**
 * The clock that horizons, staleness and the beginnings of epochs are measured by: microseconds since the Unix epoch as they
 * were at the start of the process, and monotonic from there. It does not follow the wall clock when that is set.
 */
export function storeNowUs(): number {
  return originUs + Math.round((performance.now() - originMs) * 1000);
}
