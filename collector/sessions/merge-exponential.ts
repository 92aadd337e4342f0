import type { ExponentialHistogramState } from '../../otel/state/exponential-histogram.ts';
import type { ExponentialColumns } from '../../proto/report/exponential-columns.ts';
import type { MergeOutcome } from './merge-report.ts';
import type { Untaken } from './untaken.ts';

/** Takes the exponential histograms that a report changed, each whole or not at all, and the ranges of what was measured. Allocates nothing unless one is turned away. */
export function mergeExponential(
  columns: ExponentialColumns,
  untaken: Untaken,
  state: ExponentialHistogramState,
  outcome: MergeOutcome,
): void {
  const { scales, zeroThresholds, zeroCounts, positive, negative, sums, sumCells, changed } = columns;
  for (let c = 0; c < columns.changedCount; c++) {
    const h = changed[c];
    const slot = scales.attached[h];
    if (slot === 0) continue;
    const isTaken = state.merge(
      slot,
      scales.values[h],
      zeroThresholds.values[h],
      zeroCounts.values[h],
      positive.offsets[h],
      positive.counts.values,
      positive.firstCells[h],
      positive.firstCells[h + 1] - positive.firstCells[h],
      negative.offsets[h],
      negative.counts.values,
      negative.firstCells[h],
      negative.firstCells[h + 1] - negative.firstCells[h],
      sumCells[h] < 0 ? 0 : sums.values[sumCells[h]],
    );
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
  const { scales, zeroThresholds, zeroCounts, positive, negative, sums, sumCells } = columns;
  const baseline = state.settle(
    scales.attached[h],
    scales.values[h],
    zeroThresholds.values[h],
    zeroCounts.values[h],
    positive.offsets[h],
    positive.counts.values,
    positive.firstCells[h],
    positive.firstCells[h + 1] - positive.firstCells[h],
    negative.offsets[h],
    negative.counts.values,
    negative.firstCells[h],
    negative.firstCells[h + 1] - negative.firstCells[h],
    sumCells[h] < 0 ? 0 : sums.values[sumCells[h]],
  );
  if (baseline === undefined) reject(columns, h, state, outcome);
  return baseline;
}

function reject(
  { scales }: ExponentialColumns,
  h: number,
  { fault, faultyValue }: ExponentialHistogramState,
  outcome: MergeOutcome,
): void {
  outcome.rejectFor(scales.numbers[h], faultyValue, fault === 'fell' ? 'epoch_fell' : fault);
}
