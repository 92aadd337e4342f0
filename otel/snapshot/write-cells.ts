import type { Cells } from './cells.ts';
import { maxPieceBytes, type SnapshotChunk } from './snapshot-chunk.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/** Where cells are kept: a column, or one array that grows. */
export interface CellRuns {
  /** How many bytes a cell has. */
  readonly width: number;
  /**
   * The array and the places in it of a run that begins with cell `index` and has at most `count` cells. For loading it makes room first:
   * then the run is of cells that are there.
   */
  run(index: number, count: number): { cells: Cells; start: number; end: number };
}

/** Writes the first `length` cells, after how many they are. */
export function* writeCells(
  writer: SnapshotWriter,
  runs: CellRuns,
  length: number,
): Generator<SnapshotChunk, void> {
  writer.varint(length);
  const most = maxPieceBytes / runs.width;
  for (let at = 0; at < length; ) {
    if (writer.isFull) yield writer.cut();
    const { cells, start, end } = runs.run(at, Math.min(most, length - at));
    writer.cells(cells, start, end);
    at += end - start;
  }
  if (writer.isFull) yield writer.cut();
}

/**
 * Reads what {@link writeCells} wrote. Gives how many cells they are. Room is made for what has come, not for what was announced.
 * @param max cells that are allowed; `what` they are, for errors
 */
export function* readCells(
  reader: SnapshotReader,
  runs: CellRuns,
  max: number,
  what: string,
): Generator<void, number> {
  while (reader.isSpent) yield;
  const length = reader.varint(max, `the length of ${what}`);
  for (let at = 0; at < length; ) {
    while (reader.isSpent) yield;
    const whole = Math.floor(reader.left / runs.width);
    if (whole === 0) throw reader.error(`a cell of ${what} is cut off`);
    const { cells, start, end } = runs.run(at, Math.min(whole, length - at));
    reader.cells(cells, start, end);
    at += end - start;
  }
  return length;
}
