import { ColumnPart } from '../snapshot/column-part.ts';
import type { SnapshotPart } from '../snapshot/snapshot-part.ts';
import { Float64Column } from './columns.ts';
import { GaugeWindows } from './gauge-windows.ts';
import { counting, SeriesColumns } from './series-columns.ts';

/** Gauges, in columns by slot: the last value. */
export class GaugeState {
  readonly kind = 'gauge';
  readonly series = new SeriesColumns();
  readonly values = new Float64Column();
  /** What they were over time, for who asks for that. */
  readonly windows = new GaugeWindows();

  constructor() {
    this.values.grow(this.series.length);
  }

  allocate(): number {
    const slot = this.series.allocate();
    this.values.grow(this.series.length);
    this.values.set(slot, 0);
    this.series.status.set(slot, 0);
    return slot;
  }

  release(slot: number): void {
    this.windows.release(slot);
    this.series.release(slot);
  }

  /** Gauges have no epochs; their value is as it was last reported. */
  beginEpoch(_slot: number): void {}

  moveTo(slot: number, moved: number): void {
    this.values.set(moved, this.values.get(slot));
  }

  /** For a snapshot. */
  snapshotParts(): readonly SnapshotPart[] {
    return [
      ...this.series.snapshotParts(),
      new ColumnPart('values', this.values, () => this.series.length),
      ...this.windows.snapshotParts(),
    ];
  }

  settle(slot: number, value: number): number {
    this.values.set(slot, value);
    this.series.status.set(slot, this.series.status.get(slot) | counting);
    return 0;
  }
}
