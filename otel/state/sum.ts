import { ColumnPart } from '../snapshot/column-part.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { baselineOffset } from './baseline-offset.ts';
import { chunkBits, chunkMask, Float64Column } from './columns.ts';
import { finiteTotal } from './counts.ts';
import { counting, fromZero, isMonotonic, SeriesColumns } from './series-columns.ts';

/**
 * Sums, in columns by slot. `values` is the cumulative value of the current epoch as it was reported; `values + offsets` is what
 * has been counted here since the store began: offsets hold what earlier epochs counted, less the baseline of this one. Within
 * an epoch offsets stay, so a report writes one number. What a monotonic sum has counted never falls, by rounding neither: it is shown in merged
 * totals, which are added up anew after a restart by nothing but this.
 */
export class SumState {
  readonly kind = 'sum';
  readonly series = new SeriesColumns();
  readonly values = new Float64Column();
  readonly offsets = new Float64Column();

  constructor() {
    this.#grow();
  }

  allocate(monotonic: boolean): number {
    const slot = this.series.allocate();
    this.#grow();
    this.values.set(slot, 0);
    this.offsets.set(slot, 0);
    this.series.status.set(slot, monotonic ? isMonotonic : 0);
    return slot;
  }

  release(slot: number): void {
    this.series.release(slot);
  }

  /** A new epoch: what the old one counted is kept, and the value starts at nothing. */
  beginEpoch(slot: number): void {
    if ((this.series.status.get(slot) & counting) !== 0)
      this.offsets.set(slot, finiteTotal(this.offsets.get(slot) + this.values.get(slot)));
    this.values.set(slot, 0);
  }

  /**
   * Takes the first value after a definition. Gives what was set aside as a baseline, or `undefined` when the value is below the
   * held one of the same epoch, or a monotonic one is below zero, and was not taken.
   */
  settle(slot: number, value: number): number | undefined {
    const status = this.series.status.get(slot);
    // Before the first value of an epoch the held one is zero, where every counter starts.
    if (value < this.values.get(slot) && (status & isMonotonic) !== 0) return undefined;
    if ((status & counting) !== 0) {
      this.values.set(slot, value);
      return 0;
    }
    this.values.set(slot, value);
    this.series.status.set(slot, status | counting);
    if ((status & (fromZero | isMonotonic)) !== isMonotonic) return 0;
    this.offsets.set(slot, baselineOffset(this.offsets.get(slot), value));
    return value;
  }

  /** Another slot goes on from this one's value, having counted nothing yet. */
  moveTo(slot: number, moved: number): void {
    if ((this.series.status.get(slot) & counting) === 0) return;
    const value = this.values.get(slot);
    this.values.set(moved, value);
    this.offsets.set(moved, -value);
  }

  /** What the series has counted since the store began. */
  counted(slot: number): number {
    const chunk = slot >>> chunkBits;
    const at = slot & chunkMask;
    return finiteTotal(this.values.chunks[chunk]![at]! + this.offsets.chunks[chunk]![at]!);
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    const length = () => this.series.length;
    return [
      ...this.series.snapshotParts(),
      new ColumnPart('values', this.values, length),
      new ColumnPart('offsets', this.offsets, length),
    ];
  }

  #grow(): void {
    this.values.grow(this.series.length);
    this.offsets.grow(this.series.length);
  }
}
