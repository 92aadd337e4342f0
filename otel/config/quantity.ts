// Durations and sizes as people write them. Without a schema library, because the command line takes them too.

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** 24 days: the longest whole number of days that Node's timers take. */
export const maxDurationMs = 24 * 86_400_000;

/** Milliseconds from `250`, `"250ms"`, `"1.5s"`, `"5m"`, `"1h"`, `"7d"`; `undefined` for anything else. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return parseQuantity(value, durationUnits);
}

/** Bytes from `1024`, `"512KiB"`, `"3.5MiB"`; `undefined` for anything else. */
export function parseBytes(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return parseQuantity(value, byteUnits);
}

function parseQuantity(value: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{0,3})$/.exec(value.trim());
  if (match === null || !Object.hasOwn(units, match[2]!)) return undefined;
  const result = Number(match[1]) * units[match[2]!]!;
  return Number.isSafeInteger(result) ? result : undefined;
}
