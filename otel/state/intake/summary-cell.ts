import { isCount } from '../counts.ts';
import type { SummaryState } from '../summary.ts';
import { isRange, type PointCell } from './point-cell.ts';
import type { PointOutcome } from './point-outcome.ts';

/** The value of a point of a summary: the values of its quantiles are `values[at, at + width)`. They are handed on; only the count tells one life from the next. */
export class SummaryCell implements PointCell {
  readonly state: SummaryState;
  #count = 0;
  #sum = 0;
  #values: Float64Array = new Float64Array(0);
  #at = 0;

  constructor(state: SummaryState) {
    this.state = state;
  }

  /** Takes a point's value to hand. Gives why it cannot be taken, if so. */
  read(
    slot: number,
    count: number,
    sum: number,
    values: Float64Array,
    at: number,
    width: number,
  ): PointOutcome | undefined {
    if (width !== this.state.widths.get(slot) || !isRange(values, at, width)) return 'shape';
    if (!Number.isFinite(count) || !Number.isFinite(sum)) return 'not_finite';
    if (!isCount(count)) return count < 0 ? 'negative' : 'shape';
    this.#count = count;
    this.#sum = sum;
    this.#values = values;
    this.#at = at;
    return undefined;
  }

  order(slot: number): number {
    return Math.sign(this.#count - this.state.counts.get(slot));
  }

  settle(slot: number): number {
    return this.state.settle(slot, this.#count, this.#sum, this.#values, this.#at) ?? 0;
  }

  replace(slot: number): void {
    this.state.merge(slot, this.#count, this.#sum, this.#values, this.#at);
  }

  /** Summaries have no deltas. */
  add(): boolean {
    return false;
  }

  fingerprint(): number {
    return this.#count;
  }
}
