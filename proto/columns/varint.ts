import { InvalidDataError } from '../error.ts';

/**
 * Reads a protobuf varint of at most 10 bytes at `start`. Overlong forms are accepted, as protobuf does. The position after it is
 * that of {@link varintEnd}.
 * @throws InvalidDataError when it is cut off at `end`, longer than 10 bytes, or above 2^53 - 1
 */
export function readVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end; at++) {
    if (at === start + 10) break;
    const byte = bytes[at];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER)
        throw new InvalidDataError(`the varint at byte ${start} is above 2^53 - 1`);
      return value;
    }
    scale *= 128;
  }
  return endless(start, end);
}

/** The position after the varint at `start`. @throws InvalidDataError when it is cut off at `end` or longer than 10 bytes */
export function varintEnd(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + 10);
  for (let at = start; at < limit; at++) if (bytes[at] < 0x80) return at + 1;
  return endless(start, end);
}

function endless(start: number, end: number): never {
  throw new InvalidDataError(
    end - start < 10
      ? `the varint at byte ${start} is cut off at byte ${end}`
      : `the varint at byte ${start} is longer than 10 bytes`,
  );
}

/**
 * Reads a protobuf sint64 whose value is within ±2^53.
 * @throws InvalidDataError when it is malformed or out of that range
 */
export function readSint64(bytes: Uint8Array, start: number, end: number): number {
  const stop = varintEnd(bytes, start, end);
  // Up to 7 bytes are 49 bits, exact in a double. Longer ones come once or twice in a stream's life.
  if (stop - start <= 7) return fromZigzag(readVarint(bytes, start, end));
  let raw = 0n;
  for (let at = stop - 1; at >= start; at--) raw = (raw << 7n) | BigInt(bytes[at] & 0x7f);
  raw = BigInt.asUintN(64, raw);
  const value = Number(raw & 1n ? -((raw + 1n) >> 1n) : raw >> 1n);
  if (!(Math.abs(value) <= 2 ** 53))
    throw new InvalidDataError(`the signed number at byte ${start} is ${value}, not within ±2^53`);
  return value;
}

/** 0, 1, 2, 3, … as 0, -1, 1, -2, …; for numbers up to 2^53, exact. */
export function fromZigzag(u: number): number {
  return u % 2 === 0 ? u / 2 : -(u + 1) / 2;
}

/** 0, -1, 1, -2, … as 0, 1, 2, 3, …; for numbers within ±2^52, exact. */
export function toZigzag(n: number): number {
  return n < 0 ? -2 * n - 1 : 2 * n;
}

/** How many bytes {@link ByteWriter.varint} takes for a number from 0 to 2^53. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
