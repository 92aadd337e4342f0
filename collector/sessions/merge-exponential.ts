import type { ExponentialHistogramState } from '../../otel/state/exponential-histogram.ts';
import {
  type ExponentialValue,
  type ReusedBucketRun,
  ReusedExponentialValue,
} from '../../otel/state/exponential-value.ts';
import type { ExponentialColumns } from '../../proto/report/exponential-columns.ts';
import type { ExponentialRange } from '../../proto/report/exponential-range.ts';
import type { MergeOutcome } from './merge-outcome.ts';
import type { Untaken } from './untaken.ts';

/** Takes the exponential histograms that a report changed, each whole or not at all, and the ranges of what was measured. Allocates nothing unless one is turned away. */
export function mergeExponential(
  columns: ExponentialColumns,
  untaken: Untaken,
  state: ExponentialHistogramState,
  outcome: MergeOutcome,
): void {
  const { scales, changed } = columns;
  for (let c = 0; c < columns.changedCount; c++) {
    const h = changed[c];
    const slot = scales.attached[h];
    if (slot === 0) continue;
    const isTaken = state.merge(slot, histogramAt(columns, h));
    if (!isTaken) reject(columns, h, state, outcome);
  }
  const { mins, maxes } = columns;
  // A range is of one report, so each report's counts, changed or not, as long as something was measured.
  for (let i = 0; i < mins.size; i++)
    if (!untaken.has(mins.numbers[i])) state.takeMin(scales.attached[mins.attached[i]], mins.values[i]);
  for (let i = 0; i < maxes.size; i++)
    if (!untaken.has(maxes.numbers[i])) state.takeMax(scales.attached[maxes.attached[i]], maxes.values[i]);
}

/** Takes the first state of a histogram after its definition. Gives what was set aside as a baseline, or `undefined` when it was not taken. */
export function settleExponential(
  columns: ExponentialColumns,
  h: number,
  state: ExponentialHistogramState,
  outcome: MergeOutcome,
): number | undefined {
  const baseline = state.settle(columns.scales.attached[h], histogramAt(columns, h));
  if (baseline === undefined) reject(columns, h, state, outcome);
  return baseline;
}

const atHand = new ReusedExponentialValue();

/** A histogram where it is in the columns; valid until the next call. */
function histogramAt(columns: ExponentialColumns, h: number): ExponentialValue {
  const { sums, sumCells } = columns;
  atHand.scale = columns.scales.values[h];
  atHand.zeroThreshold = columns.zeroThresholds.values[h];
  atHand.zeroCount = columns.zeroCounts.values[h];
  atHand.sum = sumCells[h] < 0 ? 0 : sums.values[sumCells[h]];
  setRun(columns.positive, h, atHand.positive);
  setRun(columns.negative, h, atHand.negative);
  return atHand;
}

function setRun({ offsets, counts, firstCells }: ExponentialRange, h: number, run: ReusedBucketRun): void {
  run.set(offsets[h], counts.values, firstCells[h], firstCells[h + 1] - firstCells[h]);
}

function reject(
  { scales }: ExponentialColumns,
  h: number,
  { fault, faultyValue }: ExponentialHistogramState,
  outcome: MergeOutcome,
): void {
  outcome.rejectFor(scales.numbers[h], faultyValue, fault === 'fell' ? 'epoch_fell' : fault);
}
