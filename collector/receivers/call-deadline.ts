/** What the header `grpc-timeout` holds: at most eight digits and a unit. */
const format = /^(\d{1,8})([HMSmun])$/;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** The longest that a timer takes: 24.8 days. */
const longestMs = 2 ** 31 - 1;

/**
 * The milliseconds that the header `grpc-timeout` gives a call, `Infinity` without one, or `undefined` when it cannot be read.
 * Longer ones than a timer takes are cut to that.
 */
export function timeoutMs(header: string | undefined): number | undefined {
  if (header === undefined) return Number.POSITIVE_INFINITY;
  const match = format.exec(header);
  return match === null ? undefined : Math.min(longestMs, Math.ceil(Number(match[1]) * unitMs[match[2]]));
}
