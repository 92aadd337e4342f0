import type { SumState } from '../sum.ts';
import type { PointCell } from './point-cell.ts';

/** The value of a point of a sum. */
export class SumCell implements PointCell {
  readonly state: SumState;
  value = 0;

  constructor(state: SumState) {
    this.state = state;
  }

  order(slot: number): number {
    const held = this.state.values.get(slot);
    if (this.value === held) return 0;
    return this.value > held ? 1 : -1;
  }

  settle(slot: number): number {
    return this.state.settle(slot, this.value) ?? 0;
  }

  replace(slot: number): void {
    this.state.values.set(slot, this.value);
  }

  add(slot: number): boolean {
    const sum = this.state.values.get(slot) + this.value;
    if (!Number.isFinite(sum)) return false;
    this.state.values.set(slot, sum);
    return true;
  }

  fingerprint(): number {
    return this.value;
  }
}
