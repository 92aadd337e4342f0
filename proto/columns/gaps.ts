import { InvalidDataError } from '../error.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readVarint, varintEnd } from './varint.ts';

/** Appends ascending whole numbers as varints: the first one, then for each the count of numbers left out before it. */
export function encodeGaps(places: ArrayLike<number>, writer: ByteWriter): void {
  let next = 0;
  for (let i = 0; i < places.length; i++) {
    writer.varint(places[i] - next);
    next = places[i] + 1;
  }
}

/**
 * Reads what {@link encodeGaps} wrote into `into`, which has room for `limit` numbers, and gives how many there are.
 * @throws InvalidDataError when the varints are malformed or a number is not below `limit`
 */
export function decodeGaps(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
  into: Uint32Array,
): number {
  let count = 0;
  let next = 0;
  for (let at = start; at < end; at = varintEnd(bytes, at, end)) {
    const place = next + readVarint(bytes, at, end);
    if (place >= limit)
      throw new InvalidDataError(`place ${place} is not one of the ${limit} places of the group`);
    into[count++] = place;
    next = place + 1;
  }
  return count;
}
