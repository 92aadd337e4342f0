import type { Cells } from '../../../../otel/snapshot/cells.ts';
import type { SnapshotChunk } from '../../../../otel/snapshot/snapshot-chunk.ts';
import { SnapshotWriter } from '../../../../otel/snapshot/snapshot-writer.ts';

/** Has its chunks cut wherever they may be: a reader that does not look for the next one in time fails. */
export class TearingWriter extends SnapshotWriter {
  #isWritten = false;

  override get isFull(): boolean {
    return this.#isWritten;
  }

  override begin(type: number, key: number, version: number): void {
    super.begin(type, key, version);
    this.#isWritten = false;
  }

  override cut(): SnapshotChunk {
    const chunk = super.cut();
    this.#isWritten = false;
    return chunk;
  }

  override byte(value: number): void {
    super.byte(value);
    this.#isWritten = true;
  }

  override varint(value: number): void {
    super.varint(value);
    this.#isWritten = true;
  }

  override float64(value: number): void {
    super.float64(value);
    this.#isWritten = true;
  }

  override cells(cells: Cells, start: number, end: number): void {
    super.cells(cells, start, end);
    this.#isWritten ||= end > start;
  }
}
