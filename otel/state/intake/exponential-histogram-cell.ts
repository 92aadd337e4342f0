import type { ExponentialHistogramState } from '../exponential-histogram.ts';
import type { BucketRun, ExponentialValue } from '../exponential-value.ts';
import { mixed } from './fingerprint.ts';
import { isRange, type PointCell } from './point-cell.ts';
import type { PointOutcome } from './point-outcome.ts';

/** The value of a point of an exponential histogram: what the state's `report` has read. NaN stands for a min or max that it has not. */
export class ExponentialHistogramCell implements PointCell {
  readonly state: ExponentialHistogramState;
  #min = NaN;
  #max = NaN;

  constructor(state: ExponentialHistogramState) {
    this.state = state;
  }

  /** Takes a point's value to hand. Gives why it cannot be taken, if so. */
  read(value: ExponentialValue, min: number, max: number): PointOutcome | undefined {
    const { positive, negative } = value;
    if (!isRange(positive.counts, positive.start, positive.length)) return 'shape';
    if (!isRange(negative.counts, negative.start, negative.length)) return 'shape';
    this.#min = min;
    this.#max = max;
    const { report } = this.state;
    if (report.read(value)) return undefined;
    return report.fault === 'not_finite' || report.fault === 'negative' ? report.fault : 'shape';
  }

  /** At the coarser scale and the higher zero threshold of both. */
  order(slot: number): number {
    return this.state.orderReport(slot);
  }

  settle(slot: number): number {
    const baseline = this.state.settleReport(slot) ?? 0;
    this.#takeRange(slot);
    return baseline;
  }

  replace(slot: number): void {
    this.state.mergeReport(slot);
    this.#takeRange(slot);
  }

  add(slot: number): boolean {
    if (!this.state.addReport(slot)) return false;
    this.#takeRange(slot);
    return true;
  }

  fingerprint(): number {
    const { report } = this.state;
    let fingerprint = mixed(mixed(mixed(0, report.sum), report.scale), report.zeroThreshold);
    fingerprint = mixed(fingerprint, report.zeroCount);
    return mixedRun(mixedRun(fingerprint, report.positive), report.negative);
  }

  #takeRange(slot: number): void {
    this.state.takeMin(slot, this.#min);
    this.state.takeMax(slot, this.#max);
  }
}

function mixedRun(fingerprint: number, { offset, counts, start, length }: BucketRun): number {
  fingerprint = mixed(fingerprint, offset);
  for (let i = start; i < start + length; i++) fingerprint = mixed(fingerprint, counts[i]!);
  return fingerprint;
}
