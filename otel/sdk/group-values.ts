import type { NumberColumn } from '../../proto/columns/number-column.ts';
import type { GroupColumns } from '../../proto/report/group-columns.ts';
import type { GroupState } from '../../proto/report/write-report.ts';
import type { HeldRange, ServiceSeries } from './service-series.ts';
import { type ServiceState, serviceGroup } from './service-state.ts';

type Values = Float64Array<ArrayBuffer>;
const none: Values = new Float64Array(0);

/** An array with room for so many, which holds nothing that is still needed. */
function room(values: Values, size: number): Values {
  return values.length >= size ? values : new Float64Array(size + (size >>> 1));
}

/**
 * The state's values in the order of a stream's columns. The arrays are used again: what `of` gives is valid until it is called again. Allocates only
 * where columns have grown.
 */
export class GroupValues {
  readonly #state: ServiceState;
  readonly #group = {
    group: serviceGroup,
    timeUs: 0,
    sums: none,
    gauges: none,
    histogramBucketCounts: none,
    histogramSums: none,
    histogramMins: none,
    histogramMaxes: none,
    exponentialScales: none,
    exponentialZeroThresholds: none,
    exponentialZeroCounts: none,
    exponentialPositiveLayout: none,
    exponentialPositiveCounts: none,
    exponentialNegativeLayout: none,
    exponentialNegativeCounts: none,
    exponentialSums: none,
    exponentialMins: none,
    exponentialMaxes: none,
  };

  constructor(state: ServiceState) {
    this.#state = state;
  }

  /** @param columns whose series are attached to slots of the state, all of them held there */
  of(columns: GroupColumns): GroupState {
    const group = this.#group;
    group.timeUs = this.#state.timeUs;
    group.sums = this.#numbers(columns.sums, group.sums);
    group.gauges = this.#numbers(columns.gauges, group.gauges);
    if (columns.histograms.count > 0) this.#histograms(columns);
    if (columns.exponentialHistograms.count > 0) this.#exponentials(columns);
    return group;
  }

  #numbers({ attached, size }: NumberColumn, into: Values): Values {
    into = room(into, size);
    const { values } = this.#state;
    for (let cell = 0; cell < size; cell++) into[cell] = values[attached[cell]!]!;
    return into;
  }

  #histograms({ histograms }: GroupColumns): void {
    const group = this.#group;
    const { bucketCounts, sums, mins, maxes } = histograms;
    const { attached, numbers, size } = bucketCounts;
    const counts = room(group.histogramBucketCounts, size);
    for (let cell = 0; cell < size; ) {
      const held = this.#at(attached[cell]!).histogram!.bucketCounts;
      if (numbers[cell] !== numbers[cell + held.length - 1])
        throw new RangeError('a histogram of other bounds');
      counts.set(held, cell);
      cell += held.length;
    }
    group.histogramBucketCounts = counts;
    group.histogramSums = this.#statistics(sums, group.histogramSums, 'sum');
    group.histogramMins = this.#statistics(mins, group.histogramMins, 'min');
    group.histogramMaxes = this.#statistics(maxes, group.histogramMaxes, 'max');
  }

  #statistics({ attached, size }: NumberColumn, into: Values, which: 'sum' | 'min' | 'max'): Values {
    into = room(into, size);
    for (let cell = 0; cell < size; cell++) into[cell] = this.#at(attached[cell]!).histogram![which];
    return into;
  }

  #exponentials({ exponentialHistograms: columns }: GroupColumns): void {
    const group = this.#group;
    const { scales, sums, mins, maxes, count } = columns;
    const slots = scales.attached;
    group.exponentialScales = room(group.exponentialScales, count);
    group.exponentialZeroThresholds = room(group.exponentialZeroThresholds, count);
    group.exponentialZeroCounts = room(group.exponentialZeroCounts, count);
    for (let h = 0; h < count; h++) {
      const { scale, zeroCount } = this.#at(slots[h]!).exponential!;
      group.exponentialScales[h] = scale;
      group.exponentialZeroCounts[h] = zeroCount;
    }
    group.exponentialPositiveLayout = this.#layout(slots, count, group.exponentialPositiveLayout, 'positive');
    group.exponentialPositiveCounts = this.#counts(slots, count, group.exponentialPositiveCounts, 'positive');
    group.exponentialNegativeLayout = this.#layout(slots, count, group.exponentialNegativeLayout, 'negative');
    group.exponentialNegativeCounts = this.#counts(slots, count, group.exponentialNegativeCounts, 'negative');
    group.exponentialSums = this.#extremes(sums, slots, group.exponentialSums, 'sum');
    group.exponentialMins = this.#extremes(mins, slots, group.exponentialMins, 'min');
    group.exponentialMaxes = this.#extremes(maxes, slots, group.exponentialMaxes, 'max');
  }

  #layout(slots: Uint32Array, count: number, into: Values, range: 'positive' | 'negative'): Values {
    into = room(into, 2 * count);
    for (let h = 0; h < count; h++) {
      const { offset, length } = this.#range(slots[h]!, range);
      into[2 * h] = offset;
      into[2 * h + 1] = length;
    }
    return into;
  }

  #counts(slots: Uint32Array, count: number, into: Values, range: 'positive' | 'negative'): Values {
    let buckets = 0;
    for (let h = 0; h < count; h++) buckets += this.#range(slots[h]!, range).length;
    into = room(into, buckets);
    let at = 0;
    for (let h = 0; h < count; h++) {
      const { counts, length } = this.#range(slots[h]!, range);
      for (let i = 0; i < length; i++) into[at++] = counts[i]!;
    }
    return into;
  }

  /** Beside the cells of these columns stands which histogram it is. */
  #extremes(
    { attached, size }: NumberColumn,
    slots: Uint32Array,
    into: Values,
    which: 'sum' | 'min' | 'max',
  ): Values {
    into = room(into, size);
    for (let cell = 0; cell < size; cell++)
      into[cell] = this.#at(slots[attached[cell]!]!).exponential![which];
    return into;
  }

  #range(slot: number, range: 'positive' | 'negative'): HeldRange {
    return this.#at(slot).exponential![range];
  }

  #at(slot: number): ServiceSeries {
    return this.#state.seriesAt(slot)!;
  }
}
