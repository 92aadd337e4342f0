import { Uint32List } from '../../otel/state/columns.ts';
import { isCount } from '../../otel/state/counts.ts';
import { resumeInterrupted } from '../../otel/state/interrupted-series.ts';
import type { KindState } from '../../otel/state/kind-state.ts';
import { mergeBuckets, mergeGauges, mergeSums } from '../../otel/state/merge.ts';
import type { MetricStore } from '../../otel/state/metric-store.ts';
import { counting, interrupted, withoutValue } from '../../otel/state/series-columns.ts';
import type { NumberColumn } from '../../proto/columns/number-column.ts';
import { columnKinds, type GroupColumns } from '../../proto/report/group-columns.ts';
import type { GroupProgress } from './group-progress.ts';
import { mergeExponential, settleExponential } from './merge-exponential.ts';
import type { MergeOutcome } from './merge-outcome.ts';
import { Untaken } from './untaken.ts';

const indexes = new Uint32List();
/** Series without a recorded value in the report at hand, and none before it in their epoch. */
const withheld: FoundSeries[] = [];
const untaken = new Untaken();

/** Merges what was decoded of one sampling group. All of it but the slow paths is constant work per changed value. */
export function mergeGroup(
  group: GroupColumns,
  progress: GroupProgress,
  store: MetricStore,
  outcome: MergeOutcome,
): void {
  store.timesUs[progress.clock] = group.timeUs;
  if (progress.turnedAway.size > 0) lookAgain(group, progress);
  if (progress.unsettled.length > 0) settle(group, progress, store, outcome);
  const { sums, gauges, histograms, exponentialHistograms, summaries } = group;
  if (sums.changedCount > 0) {
    mergeSums(sums, store.sums.values, store.sums.series.status, indexes);
    if (indexes.size > 0) reject(sums, outcome, (index) => store.sums.values.get(sums.attached[index]));
  }
  if (gauges.changedCount > 0) mergeGauges(gauges, store.gauges.values);
  untaken.begin(progress, outcome);
  if (histograms.count > 0) mergeHistograms(group, store, outcome);
  if (exponentialHistograms.count > 0)
    mergeExponential(exponentialHistograms, untaken, store.exponentialHistograms, outcome);
  if (summaries.changedCount > 0) mergeSummaries(group, store, outcome);
  if (group.noRecordedValueCount > 0 || progress.withoutValue.length > 0)
    markWithoutValue(group, progress, store);
  if (withheld.length > 0) takeBack();
  const { windows } = store.gauges;
  if (!windows.isIdle) windows.reportAll(gauges, store.gauges.series.status, group.timeUs);
}

function mergeHistograms({ histograms }: GroupColumns, store: MetricStore, outcome: MergeOutcome): void {
  const state = store.histograms;
  const { bucketCounts, sums, mins, maxes } = histograms;
  if (bucketCounts.changedCount > 0) {
    mergeBuckets(bucketCounts, state.values, state.firstCell, state.widths, indexes);
    if (indexes.size > 0) reject(bucketCounts, outcome, (index) => heldCount(bucketCounts, index, store));
  }
  for (let c = 0; c < sums.changedCount; c++) {
    const index = sums.changed[c];
    const value = sums.values[index];
    // With its counts, the sum is turned away.
    if (outcome.rejected.length > 0 && outcome.isRejected(sums.numbers[index])) continue;
    if (value - value === 0) state.sums.set(sums.attached[index], value);
    else indexes.push(index);
  }
  if (indexes.size > 0) reject(sums, outcome, (index) => state.sums.get(sums.attached[index]));
  // A range is of one report, so each report's counts, changed or not, as long as something was measured.
  for (let i = 0; i < mins.size; i++)
    if (!untaken.has(mins.numbers[i])) state.takeMin(mins.attached[i], mins.values[i]);
  for (let i = 0; i < maxes.size; i++)
    if (!untaken.has(maxes.numbers[i])) state.takeMax(maxes.attached[i], maxes.values[i]);
}

function mergeSummaries({ summaries }: GroupColumns, store: MetricStore, outcome: MergeOutcome): void {
  const { counts, sums, quantileValues, firstCells, changed, changedCount } = summaries;
  for (let c = 0; c < changedCount; c++) {
    const i = changed[c];
    const slot = counts.attached[i];
    if (slot === 0) continue;
    const count = counts.values[i];
    if (!store.summaries.merge(slot, count, sums.values[i], quantileValues.values, firstCells[i]))
      rejectSummary(summaries, i, store, outcome);
  }
}

/** The count, or else the sum, tells why. */
function rejectSummary(
  { counts, sums }: GroupColumns['summaries'],
  i: number,
  store: MetricStore,
  outcome: MergeOutcome,
): void {
  const held = store.summaries.counts.get(counts.attached[i]);
  const count = counts.values[i];
  const isCountTaken = isCount(count) && count >= held;
  outcome.reject(counts.numbers[i], isCountTaken ? sums.values[i] : count, held);
}

/** Turns the indexes that a merge left into series numbers with causes. Series that are refused already point at slot 0. */
function reject(column: NumberColumn, outcome: MergeOutcome, heldAt: (index: number) => number): void {
  for (let i = 0; i < indexes.size; i++) {
    const index = indexes.items[i];
    if (column.attached[index] === 0) continue;
    outcome.reject(column.numbers[index], column.values[index], heldAt(index));
  }
  indexes.size = 0;
}

function heldCount({ attached, offsets }: NumberColumn, index: number, store: MetricStore): number {
  const { histograms } = store;
  const bucket = offsets === undefined ? 0 : index - offsets[index];
  return histograms.values.get(histograms.firstCell.get(attached[index]) + bucket);
}

/** Series whose first value was turned away have another one. */
function lookAgain(
  { sums, histograms, exponentialHistograms, summaries }: GroupColumns,
  progress: GroupProgress,
): void {
  again(sums.changed, sums.changedCount, sums, progress);
  const { bucketCounts } = histograms;
  again(bucketCounts.changed, bucketCounts.changedCount, bucketCounts, progress);
  const { changed, changedCount, scales } = exponentialHistograms;
  again(changed, changedCount, scales, progress);
  again(summaries.changed, summaries.changedCount, summaries.counts, progress);
}

function again(
  changed: Uint32Array,
  changedCount: number,
  { numbers }: NumberColumn,
  { turnedAway, unsettled }: GroupProgress,
): void {
  for (let c = 0; c < changedCount; c++) {
    const number = numbers[changed[c]];
    if (turnedAway.delete(number)) unsettled.push(number);
  }
}

/**
 * What came with a series that has no recorded value yet is no value of it. Were it kept, merged totals would hold it now and lose it when a
 * baseline is set aside.
 */
function takeBack(): void {
  for (const { state, slot } of withheld)
    if ((state.series.status.get(slot) & counting) === 0) state.beginEpoch(slot);
  withheld.length = 0;
}

/**
 * First values after a definition: the first-sight rule. What has no recorded value in this report is looked at in the next one, and what is
 * not taken when it changes, so that the rule is kept for the value that comes later.
 */
function settle(
  group: GroupColumns,
  progress: GroupProgress,
  store: MetricStore,
  outcome: MergeOutcome,
): void {
  const waiting: number[] = [];
  const without = numbersWithoutValue(group);
  for (const number of progress.unsettled) {
    const found = find(group, number, store);
    if (found === undefined || found.slot === 0) continue;
    const { state, slot, column, index } = found;
    if (without?.has(number)) {
      waiting.push(number);
      withheld.push(found);
      continue;
    }
    const held = (state.series.status.get(slot) & interrupted) === 0 ? 0 : resumeInterrupted(state, slot);
    let baseline: number | undefined;
    if (state.kind === 'histogram') {
      const { sums } = group.histograms;
      const at = sums.indexOf(number);
      const sum = at < 0 ? 0 : sums.values[at];
      baseline = state.settle(slot, column.values, index, Number.isFinite(sum) ? sum : 0);
      if (baseline === undefined) rejectHistogram(found, store, outcome);
    } else if (state.kind === 'exponential_histogram') {
      baseline = settleExponential(group.exponentialHistograms, index, state, outcome);
    } else if (state.kind === 'summary') {
      const { sums, quantileValues, firstCells } = group.summaries;
      const count = column.values[index];
      baseline = state.settle(slot, count, sums.values[index], quantileValues.values, firstCells[index]);
      if (baseline === undefined) rejectSummary(group.summaries, index, store, outcome);
    } else {
      const first = column.values[index];
      baseline = state.kind === 'sum' && !Number.isFinite(first) ? undefined : state.settle(slot, first);
      if (baseline === undefined) outcome.reject(number, first, state.values.get(slot));
    }
    if (baseline === undefined) {
      progress.turnedAway.add(number);
      continue;
    }
    if (baseline > 0) {
      outcome.baselines++;
      store.setAside(state, slot, baseline - held);
    }
    store.appear(state, slot);
  }
  progress.unsettled = waiting;
}

/** The first bucket that cannot be taken tells why. */
function rejectHistogram(
  { slot, column, index }: FoundSeries,
  store: MetricStore,
  outcome: MergeOutcome,
): void {
  const { histograms } = store;
  for (let i = 0; i < histograms.widths.get(slot); i++) {
    const count = column.values[index + i];
    const held = heldCount(column, index + i, store);
    if (isCount(count) && count >= held) continue;
    outcome.reject(column.numbers[index], count, held);
    return;
  }
}

function numbersWithoutValue(group: GroupColumns): ReadonlySet<number> | undefined {
  if (group.noRecordedValueCount === 0) return undefined;
  const numbers = new Set<number>();
  for (let i = 0; i < group.noRecordedValueCount; i++) numbers.add(group.numberAt(group.noRecordedValue[i]));
  return numbers;
}

function markWithoutValue(group: GroupColumns, progress: GroupProgress, store: MetricStore): void {
  for (const { state, slot } of progress.withoutValue) {
    const { status } = state.series;
    status.set(slot, status.get(slot) & ~withoutValue);
  }
  progress.withoutValue.length = 0;
  for (let i = 0; i < group.noRecordedValueCount; i++) {
    const place = group.noRecordedValue[i];
    const slot = group.attachedAt(place);
    if (slot === 0) continue;
    const state = store.stateOf(group.kindAt(place));
    state.series.status.set(slot, state.series.status.get(slot) | withoutValue);
    progress.withoutValue.push({ state, slot });
  }
}

export interface FoundSeries {
  readonly state: KindState;
  /** 0: refused. */
  readonly slot: number;
  readonly column: NumberColumn;
  /** Its first cell. */
  readonly index: number;
}

/** Where a series of a stream is kept. */
export function find(group: GroupColumns, number: number, store: MetricStore): FoundSeries | undefined {
  for (const kind of columnKinds) {
    const column = group.leadingColumn(kind);
    const index = column.indexOf(number);
    if (index >= 0) return { state: store.stateOf(kind), slot: column.attached[index], column, index };
  }
  return undefined;
}
