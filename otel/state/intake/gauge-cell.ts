import type { GaugeState } from '../gauge.ts';
import type { PointCell } from './point-cell.ts';

/** The value of a point of a gauge. Gauges have no temporality, so nothing is ever added. */
export class GaugeCell implements PointCell {
  readonly state: GaugeState;
  value = 0;

  constructor(state: GaugeState) {
    this.state = state;
  }

  order(slot: number): number {
    return Object.is(this.value, this.state.values.get(slot)) ? 0 : 1;
  }

  settle(slot: number): number {
    return this.state.settle(slot, this.value);
  }

  replace(slot: number): void {
    this.state.values.set(slot, this.value);
  }

  add(): boolean {
    return false;
  }

  fingerprint(): number {
    return this.value;
  }
}
