import type { HistogramState } from '../histogram.ts';
import { mixed } from './fingerprint.ts';
import type { PointCell } from './point-cell.ts';

/** The value of a point of an explicit histogram: its buckets are `counts[at, at + width)`, and NaN stands for a min or max that it has not. */
export class HistogramCell implements PointCell {
  readonly state: HistogramState;
  counts: Float64Array = new Float64Array(0);
  at = 0;
  width = 0;
  sum = 0;
  min = NaN;
  max = NaN;

  constructor(state: HistogramState) {
    this.state = state;
  }

  /** Whether every bucket is a finite count. */
  get isValid(): boolean {
    const { counts, at, width } = this;
    // Written so that NaN is turned away too.
    for (let i = at; i < at + width; i++) if (!(counts[i]! >= 0 && counts[i]! < Infinity)) return false;
    return true;
  }

  order(slot: number): number {
    const { counts, at, width, state } = this;
    const first = state.firstCell.get(slot);
    let order = 0;
    for (let i = 0; i < width; i++) {
      const held = state.values.get(first + i);
      const count = counts[at + i]!;
      if (count < held) return -1;
      if (count > held) order = 1;
    }
    return order;
  }

  settle(slot: number): number {
    const baseline = this.state.settle(slot, this.counts, this.at, this.sum) ?? 0;
    this.#takeRange(slot);
    return baseline;
  }

  replace(slot: number): void {
    const { counts, at, width, state } = this;
    const first = state.firstCell.get(slot);
    for (let i = 0; i < width; i++) state.values.set(first + i, counts[at + i]!);
    state.sums.set(slot, this.sum);
    this.#takeRange(slot);
  }

  add(slot: number): boolean {
    const { counts, at, width, state } = this;
    const first = state.firstCell.get(slot);
    const sum = state.sums.get(slot) + this.sum;
    if (!Number.isFinite(sum)) return false;
    for (let i = 0; i < width; i++)
      state.values.set(first + i, state.values.get(first + i) + counts[at + i]!);
    state.sums.set(slot, sum);
    this.#takeRange(slot);
    return true;
  }

  fingerprint(): number {
    let fingerprint = mixed(0, this.sum);
    for (let i = this.at; i < this.at + this.width; i++) fingerprint = mixed(fingerprint, this.counts[i]!);
    return fingerprint;
  }

  #takeRange(slot: number): void {
    this.state.takeMin(slot, this.min);
    this.state.takeMax(slot, this.max);
  }
}
