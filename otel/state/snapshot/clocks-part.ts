import { ArrayCopy, GrowingArray } from '../../snapshot/array-copy.ts';
import type { SnapshotChunk } from '../../snapshot/snapshot-chunk.ts';
import type { SnapshotPart } from '../../snapshot/snapshot-part.ts';
import type { SnapshotReader } from '../../snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../snapshot/snapshot-writer.ts';
import { readCells, writeCells } from '../../snapshot/write-cells.ts';
import { readFree, writeFree } from './free-numbers.ts';

/** Where the times are: in an array that is replaced when it grows. */
export interface TimesAccess {
  get(): { timesUs: Float64Array<ArrayBuffer>; count: number };
  set(times: { timesUs: Float64Array<ArrayBuffer>; count: number }): void;
}

/** The times of sampling groups. */
export class ClocksPart implements SnapshotPart {
  readonly #freeNumbers: number[];
  readonly #access: TimesAccess;
  readonly #times = new ArrayCopy(Float64Array);
  #free: readonly number[] = [];

  constructor(freeNumbers: number[], access: TimesAccess) {
    this.#freeNumbers = freeNumbers;
    this.#access = access;
  }

  take(): void {
    const { timesUs, count } = this.#access.get();
    this.#times.take(timesUs, count);
    this.#free = this.#freeNumbers.slice();
  }

  *write(writer: SnapshotWriter): Generator<SnapshotChunk, void> {
    yield* writeFree(writer, this.#times.length, this.#free);
    yield* writeCells(writer, this.#times, this.#times.length);
  }

  *load(reader: SnapshotReader): Generator<void, void> {
    const { length } = yield* readFree(reader, this.#freeNumbers, 1, 'clocks');
    const times = new GrowingArray(Float64Array);
    const count = yield* readCells(reader, times, length, 'times of clocks');
    if (count !== length || count === 0)
      throw reader.error(`there are times of ${count} clocks; ${Math.max(1, length)} are expected`);
    this.#access.set({ timesUs: roomy(times.cells), count });
  }
}

/** With room for a few, as it is always: it grows by doubling. */
function roomy(times: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  if (times.length >= 64) return times;
  const grown = new Float64Array(64);
  grown.set(times);
  return grown;
}
