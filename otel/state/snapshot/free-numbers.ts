import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';

/** Writes how many numbers there are, from 0, and which of them are free, in the order in which they were given back. */
export function* writeFree(
  writer: SnapshotWriter,
  length: number,
  free: readonly number[],
): Generator<SnapshotChunk, void> {
  writer.varint(length);
  writer.varint(free.length);
  for (const number of free) {
    if (writer.isFull) yield writer.cut();
    writer.varint(number);
  }
  if (writer.isFull) yield writer.cut();
}

/**
 * Reads what {@link writeFree} wrote: the free ones into `free`. Others follow by ascending number, so a length that is too great ends with the bytes.
 * @param first the first number that is given out; `what` has numbers, for errors
 */
export function* readFree(
  reader: SnapshotReader,
  free: number[],
  first: number,
  what: string,
): Generator<void, { length: number; isFree: (number: number) => boolean }> {
  while (reader.isSpent) yield;
  const length = reader.varint(2 ** 32 - 1, `how many numbers of ${what} there are`);
  const count = reader.varint(length, `how many numbers of ${what} are free`);
  const marks = new Set<number>();
  for (let i = 0; i < count; i++) {
    while (reader.isSpent) yield;
    const number = reader.varint(length - 1, `a free number of ${what}`);
    if (number < first || marks.has(number))
      throw reader.error(`${number} is not a free number of ${what}, or twice`);
    marks.add(number);
    free.push(number);
  }
  return { length, isFree: (number) => marks.has(number) };
}
