import { isCount, maxCount } from '../counts.ts';
import type { HistogramState } from '../histogram.ts';
import { mixed } from './fingerprint.ts';
import { isRange, type PointCell } from './point-cell.ts';
import type { PointOutcome } from './point-outcome.ts';

/** The value of a point of an explicit histogram: its buckets are `counts[at, at + width)`, and NaN stands for a min or max that it has not. */
export class HistogramCell implements PointCell {
  readonly state: HistogramState;
  #counts: Float64Array = new Float64Array(0);
  #at = 0;
  #width = 0;
  #sum = 0;
  #min = NaN;
  #max = NaN;

  constructor(state: HistogramState) {
    this.state = state;
  }

  /** Takes a point's value to hand. Gives why it cannot be taken, if so. */
  read(
    slot: number,
    counts: Float64Array,
    at: number,
    width: number,
    sum: number,
    min: number,
    max: number,
  ): PointOutcome | undefined {
    if (width !== this.state.widths.get(slot) || !isRange(counts, at, width)) return 'shape';
    for (let i = at; i < at + width; i++) {
      const count = counts[i]!;
      if (isCount(count)) continue;
      if (!Number.isFinite(count)) return 'not_finite';
      return count < 0 ? 'negative' : 'shape';
    }
    if (!Number.isFinite(sum)) return 'not_finite';
    this.#counts = counts;
    this.#at = at;
    this.#width = width;
    this.#sum = sum;
    this.#min = min;
    this.#max = max;
    return undefined;
  }

  order(slot: number): number {
    const { state } = this;
    const counts = this.#counts;
    const at = this.#at;
    const width = this.#width;
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
    const baseline = this.state.settle(slot, this.#counts, this.#at, this.#sum) ?? 0;
    this.#takeRange(slot);
    return baseline;
  }

  replace(slot: number): void {
    const { state } = this;
    const counts = this.#counts;
    const at = this.#at;
    const width = this.#width;
    const first = state.firstCell.get(slot);
    for (let i = 0; i < width; i++) state.values.set(first + i, counts[at + i]!);
    state.sums.set(slot, this.#sum);
    this.#takeRange(slot);
  }

  add(slot: number): boolean {
    const { state } = this;
    const counts = this.#counts;
    const at = this.#at;
    const width = this.#width;
    const first = state.firstCell.get(slot);
    const sum = state.sums.get(slot) + this.#sum;
    if (!Number.isFinite(sum)) return false;
    for (let i = 0; i < width; i++)
      if (state.values.get(first + i) + counts[at + i]! > maxCount) return false;
    for (let i = 0; i < width; i++)
      state.values.set(first + i, state.values.get(first + i) + counts[at + i]!);
    state.sums.set(slot, sum);
    this.#takeRange(slot);
    return true;
  }

  fingerprint(): number {
    let fingerprint = mixed(0, this.#sum);
    for (let i = this.#at; i < this.#at + this.#width; i++)
      fingerprint = mixed(fingerprint, this.#counts[i]!);
    return fingerprint;
  }

  #takeRange(slot: number): void {
    this.state.takeMin(slot, this.#min);
    this.state.takeMax(slot, this.#max);
  }
}
