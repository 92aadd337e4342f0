import { z } from 'zod';
import { maxDurationMs, parseBytes, parseDuration } from './quantity.ts';

// The building blocks of the schemas. As in OpenTelemetry's schema a key whose value is null, which is also what a reference to
// an undefined environment variable gives, is as if it were not there.

const nullAsAbsent = (value: unknown): unknown => (value === null ? undefined : value);

/** A key that may be left out. */
export function optional<T extends z.ZodType>(schema: T) {
  return z.preprocess(nullAsAbsent, schema.optional());
}

/** A key with a default. */
export function withDefault<T extends z.ZodType>(schema: T, value: z.output<T>) {
  // A zod default is what comes out, so it is not parsed.
  return z.preprocess(nullAsAbsent, schema.default(value as never));
}

/** A mapping whose keys all have defaults: left out or empty, it is all defaults. Keys it does not name are refused. */
export function section<T extends z.core.$ZodShape>(shape: T) {
  return z.preprocess((value) => value ?? {}, z.strictObject(shape));
}

/** A mapping that may be left out, and that `null`, as in `console:`, gives empty. */
export function nullAsEmpty<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === null ? {} : value), schema.optional());
}

/** A key that is known, from OpenTelemetry's schema or elsewhere, but that this release does not do. */
export function unsupported(reason: string) {
  return z
    .custom<undefined>((value) => value === undefined, { error: `not supported: ${reason}` })
    .optional()
    .meta({ isUnsupported: true });
}

/** A time, as OpenTelemetry's schema has it: a whole number of milliseconds. */
export function milliseconds(min: number) {
  const allowed = `a whole number of milliseconds, at least ${min}`;
  return z.int().min(min).max(maxDurationMs).meta({ allowed });
}

/** A time of a key that is ours: a whole number of milliseconds, or text with a unit. Gives milliseconds. */
export function duration(minMs: number, maxMs = maxDurationMs) {
  const allowed = `a duration from ${durationText(minMs)} to ${durationText(maxMs)}: milliseconds, or text like 500ms, 10s, 5m, 1h`;
  return z
    .custom<number | string>((value) => {
      const ms = parseDuration(value);
      return ms !== undefined && ms >= minMs && ms <= maxMs;
    })
    .transform((value) => parseDuration(value)!)
    .meta({ allowed });
}

/** A size of a key that is ours: a whole number of bytes, or text with a unit. Gives bytes. */
export function bytes(min: number, max: number) {
  const allowed = `a size from ${bytesText(min)} to ${bytesText(max)}: bytes, or text like 512KiB, 4MiB`;
  return z
    .custom<number | string>((value) => {
      const size = parseBytes(value);
      return size !== undefined && size >= min && size <= max;
    })
    .transform((value) => parseBytes(value)!)
    .meta({ allowed });
}

export const port = () => z.int().min(0).max(65_535);

/** Text that is not empty. */
export const text = () => z.string().min(1).meta({ allowed: 'text, not empty' });

/** The path of a file. What is pasted in place of one, as a certificate, is refused before it is taken for one. */
export const filePath = () =>
  z
    .string()
    .regex(/^[^\p{Cc}]{1,4096}$/u)
    .meta({ allowed: 'the path of a file' });

/** A duration as people write it: `90s`, `5m`. */
export function durationText(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** A size as people write it: `4MiB`. */
export function bytesText(size: number): string {
  for (const [unit, factor] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (size >= factor && (size * 2) % factor === 0) return `${size / factor}${unit}`;
  }
  return `${size} bytes`;
}
