import { GrowingArray } from '../../../otel/snapshot/array-copy.ts';
import type { SnapshotChunk } from '../../../otel/snapshot/snapshot-chunk.ts';
import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { type CellRuns, readCells, writeCells } from '../../../otel/snapshot/write-cells.ts';

/** Writes the first `length` numbers of a plain array or a typed one. */
export function writeNumbers(
  writer: SnapshotWriter,
  numbers: ArrayLike<number>,
  length: number,
): Generator<SnapshotChunk, void> {
  return writeCells(writer, runsOf(numbers), length);
}

function runsOf(numbers: ArrayLike<number>): CellRuns {
  if (numbers instanceof Float64Array || numbers instanceof Uint32Array)
    return {
      width: numbers.BYTES_PER_ELEMENT,
      run: (index, count) => ({ cells: numbers, start: index, end: index + count }),
    };
  return {
    width: Float64Array.BYTES_PER_ELEMENT,
    run: (index, count) => {
      const cells = new Float64Array(count);
      for (let i = 0; i < count; i++) cells[i] = numbers[index + i];
      return { cells, start: 0, end: count };
    },
  };
}

/** Reads doubles that {@link writeNumbers} wrote: exactly `length`. `what` they are, for errors. */
export function* readDoubles(
  reader: SnapshotReader,
  length: number,
  what: string,
): Generator<void, Float64Array> {
  const found = new GrowingArray(Float64Array);
  const count = yield* readCells(reader, found, length, what);
  if (count !== length) throw reader.error(`there are ${count} ${what}; ${length} belong here`);
  return found.cells;
}

/** Reads unsigned integers that {@link writeNumbers} wrote from a Uint32Array: at most `max`. */
export function* readIntegers(
  reader: SnapshotReader,
  max: number,
  what: string,
): Generator<void, { readonly items: Uint32Array; readonly size: number }> {
  const found = new GrowingArray(Uint32Array);
  const size = yield* readCells(reader, found, max, what);
  return { items: found.cells, size };
}
