import type { ExponentialHistogramState } from '../exponential-histogram.ts';
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
  read(
    scale: number,
    zeroThreshold: number,
    zeroCount: number,
    positiveOffset: number,
    positive: Float64Array,
    positiveStart: number,
    positiveLength: number,
    negativeOffset: number,
    negative: Float64Array,
    negativeStart: number,
    negativeLength: number,
    sum: number,
    min: number,
    max: number,
  ): PointOutcome | undefined {
    if (!isRange(positive, positiveStart, positiveLength)) return 'shape';
    if (!isRange(negative, negativeStart, negativeLength)) return 'shape';
    this.#min = min;
    this.#max = max;
    const { report } = this.state;
    const isRead = report.read(
      scale,
      zeroThreshold,
      zeroCount,
      positiveOffset,
      positive,
      positiveStart,
      positiveLength,
      negativeOffset,
      negative,
      negativeStart,
      negativeLength,
      sum,
    );
    if (isRead) return undefined;
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
    fingerprint = mixed(mixed(fingerprint, report.zeroCount), report.positiveOffset);
    for (let i = 0; i < report.positiveLength; i++)
      fingerprint = mixed(fingerprint, report.positive[report.positiveStart + i]!);
    fingerprint = mixed(fingerprint, report.negativeOffset);
    for (let i = 0; i < report.negativeLength; i++)
      fingerprint = mixed(fingerprint, report.negative[report.negativeStart + i]!);
    return fingerprint;
  }

  #takeRange(slot: number): void {
    this.state.takeMin(slot, this.#min);
    this.state.takeMax(slot, this.#max);
  }
}
