import type { ExponentialRange } from '../../proto/report/exponential-range.ts';
import type { GroupColumns } from '../../proto/report/group-columns.ts';
import type { GroupState } from '../../proto/report/write-report.ts';
import type { ModelHistogram } from '../otel/state/exponential-model.ts';
import type { Reading } from './model-values.ts';

/** Values by series number; `undefined`: no recorded value. What is not there stays as it is. */
export type Readings = ReadonlyMap<number, Reading | undefined>;

/** One group's state for a report, of all kinds. */
export function groupStateOf(columns: GroupColumns, timeUs: number, readings: Readings): GroupState {
  const { sums, gauges, histograms, summaries } = columns;
  const { bucketCounts } = histograms;
  const part = (number: number, at: number, held: number) =>
    (readings.get(number)?.value as readonly number[] | undefined)?.at(at) ?? held;
  const min = (number: number, held: number) => readings.get(number)?.min ?? held;
  const max = (number: number, held: number) => readings.get(number)?.max ?? held;
  const { quantileValues, counts } = summaries;
  return {
    group: columns.group,
    timeUs,
    sums: each(sums.size, (i) => part(sums.numbers[i], 0, sums.values[i])),
    gauges: each(gauges.size, (i) => part(gauges.numbers[i], 0, gauges.values[i])),
    histogramBucketCounts: each(bucketCounts.size, (i) =>
      part(bucketCounts.numbers[i], i - bucketCounts.offsets![i], bucketCounts.values[i]),
    ),
    histogramSums: each(histograms.sums.size, (i) =>
      part(histograms.sums.numbers[i], -1, histograms.sums.values[i]),
    ),
    histogramMins: each(histograms.mins.size, (i) =>
      min(histograms.mins.numbers[i], histograms.mins.values[i]),
    ),
    histogramMaxes: each(histograms.maxes.size, (i) =>
      max(histograms.maxes.numbers[i], histograms.maxes.values[i]),
    ),
    ...exponentialState(columns, readings),
    summaryCounts: each(counts.size, (i) => part(counts.numbers[i], 0, counts.values[i])),
    summarySums: each(counts.size, (i) => part(counts.numbers[i], 1, summaries.sums.values[i])),
    summaryQuantileValues: each(quantileValues.size, (i) => {
      const summary = quantileValues.attached[i];
      return part(counts.numbers[summary], 2 + i - summaries.firstCells[summary], quantileValues.values[i]);
    }),
    noRecordedValue: placesWithout(columns, readings),
  };
}

function each(size: number, valueAt: (index: number) => number): Float64Array {
  return Float64Array.from({ length: size }, (_, index) => valueAt(index));
}

function placesWithout(columns: GroupColumns, readings: Readings): number[] {
  const places: number[] = [];
  for (let place = 0; place < columns.places; place++) {
    const number = columns.numberAt(place);
    if (readings.has(number) && readings.get(number) === undefined) places.push(place);
  }
  return places;
}

function exponentialState(
  { exponentialHistograms: columns }: GroupColumns,
  readings: Readings,
): Partial<GroupState> {
  const { count, scales, zeroThresholds, zeroCounts, positive, negative, sums, mins, maxes } = columns;
  if (count === 0) return {};
  const histograms = Array.from({ length: count }, (_, h) => ({
    h,
    reading: readings.get(scales.numbers[h]),
    value: readings.get(scales.numbers[h])?.value as ModelHistogram | undefined,
  }));
  const numbers = (from: (h: ModelHistogram) => number, held: Float64Array) =>
    Float64Array.from(histograms, ({ h, value }) => (value === undefined ? held[h] : from(value)));
  const ups = histograms.map(({ h, value }) => sideOf(positive, h, value?.positive));
  const downs = histograms.map(({ h, value }) => sideOf(negative, h, value?.negative));
  return {
    exponentialScales: numbers((value) => value.scale, scales.values),
    exponentialZeroThresholds: numbers((value) => value.zeroThreshold, zeroThresholds.values),
    exponentialZeroCounts: numbers((value) => value.zeroCount, zeroCounts.values),
    exponentialPositiveLayout: Float64Array.from(ups.flatMap(({ layout }) => layout)),
    exponentialPositiveCounts: Float64Array.from(ups.flatMap(({ buckets }) => buckets)),
    exponentialNegativeLayout: Float64Array.from(downs.flatMap(({ layout }) => layout)),
    exponentialNegativeCounts: Float64Array.from(downs.flatMap(({ buckets }) => buckets)),
    exponentialSums: each(sums.size, (i) => histograms[sums.attached[i]].value?.sum ?? sums.values[i]),
    exponentialMins: each(mins.size, (i) => histograms[mins.attached[i]].reading?.min ?? mins.values[i]),
    exponentialMaxes: each(maxes.size, (i) => histograms[maxes.attached[i]].reading?.max ?? maxes.values[i]),
  };
}

function sideOf(
  range: ExponentialRange,
  h: number,
  side: ReadonlyMap<number, number> | undefined,
): { layout: readonly number[]; buckets: readonly number[] } {
  if (side === undefined) {
    const buckets = [...range.counts.values.subarray(range.firstCells[h], range.firstCells[h + 1])];
    return { layout: [range.layout.values[2 * h], range.layout.values[2 * h + 1]], buckets };
  }
  return denseOf(side);
}

/** A range's first index and number of buckets, and the counts of all buckets between the lowest and the highest that count something. */
export function denseOf(side: ReadonlyMap<number, number>): {
  layout: readonly number[];
  buckets: readonly number[];
} {
  if (side.size === 0) return { layout: [0, 0], buckets: [] };
  const low = Math.min(...side.keys());
  const high = Math.max(...side.keys());
  const buckets = Array.from({ length: high - low + 1 }, (_, i) => side.get(low + i) ?? 0);
  return { layout: [low, buckets.length], buckets };
}
