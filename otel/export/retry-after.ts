/**
 * The delay that a Retry-After header asks for, in milliseconds: whole seconds or an HTTP date, as in RFC 9110. `undefined` when there is
 * none or it cannot be read.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const value = header.trim();
  if (/^\d{1,10}$/.test(value)) return Number(value) * 1000;
  // A date of RFC 9110 begins with the name of a day; Date.parse alone takes nearly anything.
  const atMs = /^[A-Z][a-z]{2,8}, ?/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
