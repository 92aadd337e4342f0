import fc from 'fast-check';
import type { GroupColumns } from '../../../proto/report/group-columns.ts';
import { decodeReport } from '../../../proto/report/read-report.ts';
import { groupColumns } from '../../../proto/report/stream-capture.ts';
import { type ColumnSeries, StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../../proto/report/write-report.ts';

/** What happens on a stream. All that is not said here follows from `seed`. */
export type Happening =
  | { readonly do: 'define'; readonly series: readonly Omit<ColumnSeries, 'number'>[]; readonly skip: number }
  | { readonly do: 'retire'; readonly share: number; readonly seed: number }
  | { readonly do: 'attach'; readonly seed: number }
  | { readonly do: 'report'; readonly groups: number; readonly seed: number };

export const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('define' as const),
      skip: fc.nat(2),
      series: fc.array(
        fc.record({
          group: fc.nat(2),
          kind: fc.constantFrom('sum', 'gauge', 'histogram', 'exponential_histogram', 'summary' as const),
          buckets: fc.integer({ min: 1, max: 4 }),
          quantiles: fc.nat(3),
          hasSum: fc.boolean(),
          hasMin: fc.boolean(),
          hasMax: fc.boolean(),
          attached: fc.nat(2 ** 32 - 1),
        }),
        { minLength: 1, maxLength: 80 },
      ) as fc.Arbitrary<Omit<ColumnSeries, 'number'>[]>,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('retire' as const),
      share: fc.integer({ min: 2, max: 6 }),
      seed: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('attach' as const), seed: fc.nat() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      groups: fc.integer({ min: 1, max: 7 }),
      seed: fc.nat(),
    }),
  },
);

/** One sender, and whoever receives the same stream. */
export class Traffic {
  readonly sender = new StreamColumns();
  #timeUs = 1_790_000_000_000_000;
  #reports = 0;

  /** Does it at the sender, and gives what receivers are to do. */
  next(happening: Happening): (receiver: StreamColumns) => void {
    const { sender } = this;
    const random = randomFrom(happening.do === 'define' ? 1 : happening.seed);
    const numbers = numbersOf(sender);
    switch (happening.do) {
      case 'define': {
        const first = sender.lastNumber + 1 + happening.skip;
        const series = happening.series.map((one, i) => ({ ...one, number: first + i }));
        for (const one of series) sender.define(one);
        return (receiver) => {
          for (const one of series) receiver.define(one);
        };
      }
      case 'retire': {
        const retired = numbers.filter(() => random(happening.share) === 0);
        sender.retire(retired);
        return (receiver) => receiver.retire(retired);
      }
      case 'attach': {
        const [number, attached] = [numbers[random(numbers.length)] ?? 0, random(2 ** 32)];
        return (receiver) => receiver.attach(number, attached);
      }
      case 'report': {
        // Mostly at a steady interval, as agents do.
        this.#timeUs += 1_000_000 + (random(4) === 0 ? random(5000) : 0);
        const states = [...sender.groups.keys()]
          .filter((group) => (happening.groups & (1 << group)) !== 0)
          .map((group) => anyState(sender.groups.get(group)!, this.#timeUs, random));
        this.#reports += 1 + (random(8) === 0 ? random(3) : 0);
        const bytes = encodeReport(sender, states, this.#reports);
        return (receiver) => void decodeReport(bytes, receiver);
      }
    }
  }
}

/** Something that a group could report next. */
export function anyState(group: GroupColumns, timeUs: number, random: Random): GroupState {
  const { sums, gauges, histograms: h, exponentialHistograms: e, summaries: s } = group;
  const steady = (base: number, i: number) => (i % 3 === 0 ? base + 1000 : anyChange(base, random));
  const some = (base: number) => anyChange(base, random);
  const whole = (base: number) => (random(3) === 0 ? base + random(50) : base);
  const scales = moved(e.scales, (scale) => (random(4) === 0 ? random(6) - 2 : scale));
  const layout = (held: typeof e.scales) =>
    moved(held, (value, i) => (random(4) > 0 ? value : i % 2 === 0 ? random(20) - 10 : random(6)));
  const positive = layout(e.positive.layout);
  const negative = layout(e.negative.layout);
  const counts = (of: Float64Array) =>
    Float64Array.from({ length: of.reduce((sum, buckets, i) => sum + (i % 2) * buckets, 0) }, () =>
      random(9),
    );
  const places = Array.from({ length: group.places }, (_, place) => place);
  return {
    group: group.group,
    timeUs,
    sums: moved(sums, steady),
    gauges: moved(gauges, steady),
    histogramBucketCounts: moved(h.bucketCounts, whole),
    histogramSums: moved(h.sums, some),
    histogramMins: moved(h.mins, some),
    histogramMaxes: moved(h.maxes, some),
    exponentialScales: scales,
    exponentialZeroThresholds: moved(e.zeroThresholds, some),
    exponentialZeroCounts: moved(e.zeroCounts, whole),
    exponentialPositiveLayout: positive,
    exponentialPositiveCounts: counts(positive),
    exponentialNegativeLayout: negative,
    exponentialNegativeCounts: counts(negative),
    exponentialSums: moved(e.sums, some),
    exponentialMins: moved(e.mins, some),
    exponentialMaxes: moved(e.maxes, some),
    summaryCounts: moved(s.counts, whole),
    summarySums: moved(s.sums, some),
    summaryQuantileValues: moved(s.quantileValues, some),
    noRecordedValue: places.filter(() => random(6) === 0),
  };
}

/** All that can be seen of the receiving end of a stream, beside what its last report held. */
export function observed(columns: StreamColumns): unknown {
  const { lastReport, lastTimeUs, lastNumber, cells, size, maxCells } = columns;
  return {
    lastReport,
    lastTimeUs,
    lastNumber,
    cells,
    size,
    maxCells,
    series: numbersOf(columns).map((number) => [
      number,
      columns.groupOf(number)?.group,
      columns.attachedOf(number),
    ]),
    groups: [...columns.groups.values()].map(observedGroup),
  };
}

function observedGroup(group: GroupColumns): unknown {
  const { timeUs, stepUs, reports, places, cells } = group;
  const { histograms: h, exponentialHistograms: e, summaries: s } = group;
  return {
    group: group.group,
    timeUs,
    stepUs,
    reports,
    cells,
    columns: groupColumns(group).map(({ size, values, modes, numbers, attached, drifts }) => ({
      values: values.slice(0, size),
      modes: modes.slice(0, size),
      numbers: numbers.slice(0, size),
      attached: attached.slice(0, size),
      drifts: [drifts?.cells.slice(0, drifts.count), drifts?.steps.slice(0, drifts.count)],
    })),
    places: Array.from({ length: places }, (_, place) => [
      group.numberAt(place),
      group.attachedAt(place),
      group.kindAt(place),
    ]),
    histograms: h.firstCells.slice(0, h.count + 1),
    offsets: Array.from({ length: h.bucketCounts.size }, (_, cell) => h.bucketCounts.offsets?.[cell] ?? cell),
    sums: e.sumCells.slice(0, e.count),
    ranges: [e.positive, e.negative].map(({ count, offsets, firstCells }) => [
      offsets.slice(0, count),
      firstCells.slice(0, count + 1),
    ]),
    summaries: s.firstCells.slice(0, s.count + 1),
  };
}

/** What the last report held. */
export function observedReport({ decoded }: StreamColumns): unknown {
  return decoded.groups.slice(0, decoded.groupCount).map((group) => {
    const { exponentialHistograms: e, summaries: s } = group;
    return {
      group: group.group,
      changed: groupColumns(group).map(({ changed, changedCount }) => changed.slice(0, changedCount)),
      exponential: e.changed.slice(0, e.changedCount),
      summaries: s.changed.slice(0, s.changedCount),
      withoutValue: group.noRecordedValue.slice(0, group.noRecordedValueCount),
      changedValues: group.changedValues,
    };
  });
}

function numbersOf(columns: StreamColumns): number[] {
  const numbers: number[] = [];
  for (const group of columns.groups.values())
    for (let place = 0; place < group.places; place++) numbers.push(group.numberAt(place));
  return numbers.sort((a, b) => a - b);
}

export type Random = (below: number) => number;

/** Whole numbers below a bound, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const special = [Number.NaN, Infinity, -Infinity, -0, 0, 0.1, 1e300, 5e-324];

function anyChange(base: number, random: Random): number {
  switch (random(5)) {
    case 0:
      return base + random(1000);
    case 1:
      return random(1_000_000) / 1000;
    case 2:
      return random(4) === 0 ? special[random(special.length)] : base;
    default:
      return base;
  }
}

function moved(
  { values, size }: { values: Float64Array; size: number },
  change: (value: number, i: number) => number,
): Float64Array {
  return values.slice(0, size).map(change);
}
