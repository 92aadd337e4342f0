import test from 'ava';
import fc from 'fast-check';
import { attributes } from '../../../otel/model/attributes.ts';
import { metric } from '../../../otel/model/metric.ts';
import { ExponentialCounts } from '../../../otel/state/exponential-counts.ts';
import type { BucketWindow } from '../../../otel/state/exponential-window.ts';
import { withoutValue } from '../../../otel/state/series-columns.ts';
import type { Refuse } from '../../../proto/messages/collector-message.ts';
import type { FakeStream } from '../../model/fake-agent.ts';
import { Core } from '../core.ts';

const latency = metric({
  name: 'latency',
  kind: 'exponential_histogram',
  hasSum: true,
  hasMin: true,
  hasMax: true,
});

interface Range {
  readonly offset: number;
  readonly counts: readonly number[];
}

interface Histogram {
  readonly scale: number;
  readonly zeroCount?: number;
  readonly positive?: Range;
  readonly negative?: Range;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

const none: Range = { offset: 0, counts: [] };

function joined(core: Core, incarnation = 1): FakeStream {
  const stream = core.stream();
  stream.hello('m', incarnation, attributes({ host: 'h' }));
  return stream;
}

/** `beganUs` after Welcome; what began after the collector did counts from zero. */
function define(
  stream: FakeStream,
  epoch: string,
  own: Record<string, string> = {},
  beganUs: number | undefined = 1,
): number {
  const of = { metric: latency, attributes: attributes(own), group: 1, isForeign: false };
  return stream.define(of, epoch, beganUs, 0);
}

function report(core: Core, stream: FakeStream, list: readonly Histogram[], places: number[] = []): void {
  const of = (get: (histogram: Histogram) => readonly number[]) => Float64Array.from(list.flatMap(get));
  const layout = ({ offset, counts }: Range) => [offset, counts.length];
  const group = {
    group: 1,
    timeUs: core.nowUs,
    exponentialScales: of(({ scale }) => [scale]),
    exponentialZeroThresholds: new Float64Array(list.length),
    exponentialZeroCounts: of(({ zeroCount = 0 }) => [zeroCount]),
    exponentialPositiveLayout: of(({ positive = none }) => layout(positive)),
    exponentialPositiveCounts: of(({ positive = none }) => positive.counts),
    exponentialNegativeLayout: of(({ negative = none }) => layout(negative)),
    exponentialNegativeCounts: of(({ negative = none }) => negative.counts),
    exponentialSums: of(({ sum = 0 }) => [sum]),
    exponentialMins: of(({ min = Number.NaN }) => [min]),
    exponentialMaxes: of(({ max = Number.NaN }) => [max]),
    noRecordedValue: places,
  };
  stream.send([group], Math.max(stream.session.lastReport, stream.columns.lastReport) + 1);
}

const counts = new ExponentialCounts();

/** What the series in a slot has counted here. */
function counted(core: Core, slot = 1): Required<Omit<Histogram, 'min' | 'max'>> {
  counts.begin(20, 0, 1024);
  core.store.exponentialHistograms.addCounted(slot, counts);
  counts.trim();
  const range = ({ offset, counts: list, length }: BucketWindow): Range => ({
    offset: length === 0 ? 0 : offset,
    counts: [...list.subarray(0, length)],
  });
  return {
    scale: counts.scale,
    zeroCount: counts.zeroCount,
    positive: range(counts.positive),
    negative: range(counts.negative),
    sum: counts.sum,
  };
}

test('a histogram is taken in with its ranges, sum, minimum and maximum, and goes on when its scale becomes coarser', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e');
  const first = { scale: 2, zeroCount: 1, negative: { offset: -3, counts: [2] }, sum: 9, min: -0.5, max: 2 };
  report(core, stream, [{ ...first, positive: { offset: 3, counts: [4, 0, 2] } }]);
  t.deepEqual(counted(core), {
    scale: 2,
    zeroCount: 1,
    positive: { offset: 3, counts: [4, 0, 2] },
    negative: { offset: -3, counts: [2] },
    sum: 9,
  });
  report(core, stream, [
    {
      scale: 1,
      zeroCount: 1,
      positive: { offset: 1, counts: [4, 3, 1] },
      negative: { offset: -2, counts: [2] },
      sum: 20,
      min: 1,
      max: 4,
    },
  ]);
  t.deepEqual(counted(core), {
    scale: 1,
    zeroCount: 1,
    positive: { offset: 1, counts: [4, 3, 1] },
    negative: { offset: -2, counts: [2] },
    sum: 20,
  });
  const { mins, maxes } = core.store.exponentialHistograms;
  t.deepEqual([mins.get(1), maxes.get(1)], [-0.5, 4]);
  t.is(core.counters.baselines, 0);
  t.is(stream.count('refuse'), 0);
});

test('a report that cannot be taken changes nothing, is told once, and the next good one is taken', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e', { route: '/' });
  define(stream, 'e', { route: '/b' });
  const good = { scale: 1, positive: { offset: 0, counts: [5, 5] }, sum: 9 };
  const other = { scale: 0, zeroCount: 3 };
  report(core, stream, [good, other]);
  const before = counted(core);
  const bad: Histogram[] = [
    { ...good, positive: { offset: 0, counts: [9, 4] } },
    // Bucket 0 at scale 0 holds both, and has less than they had.
    { ...good, scale: 0, positive: { offset: 0, counts: [9, 1] } },
    { ...good, positive: { offset: 0, counts: [6, Number.NaN] } },
    { ...good, positive: { offset: 0, counts: [6, 6] }, sum: Number.POSITIVE_INFINITY },
    { ...good, positive: { offset: 0, counts: [6, 6, -1] } },
    { ...good, positive: { offset: 3000, counts: [6] } },
  ];
  for (const histogram of bad) {
    report(core, stream, [histogram, other]);
    t.deepEqual(counted(core), before);
  }
  t.deepEqual(core.counters.refusedPoints, { epoch_fell: 2, not_finite: 2, negative: 1, out_of_range: 1 });
  const refusals = stream.received.filter((message): message is Refuse => message.type === 'refuse');
  t.is(refusals.length, 1);
  t.like(refusals[0], { kind: 'epoch_fell', report: 2, series: [1] });
  t.regex(refusals[0].reason, /the value 4 is below/);
  report(core, stream, [
    { ...good, positive: { offset: 0, counts: [6, 5] }, sum: 10 },
    { scale: 0, zeroCount: 4 },
  ]);
  t.deepEqual(counted(core), { ...before, positive: { offset: 0, counts: [6, 5] }, sum: 10 });
  t.is(counted(core, 2).zeroCount, 4);
});

test('what was counted before we looked is a baseline; a first state that cannot be taken waits for one that can', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e', {}, -1);
  report(core, stream, [{ scale: 0, zeroCount: -1 }]);
  t.is(core.counters.refusedPoints.negative, 1);
  t.is(core.counters.baselines, 0);
  report(core, stream, [{ scale: 3, positive: { offset: 8, counts: [5, 7] }, sum: 30 }]);
  t.is(core.counters.baselines, 1);
  t.deepEqual(counted(core).positive.counts, []);
  t.is(counted(core).sum, 0);
  report(core, stream, [{ scale: 3, positive: { offset: 8, counts: [5, 9, 1] }, sum: 40 }]);
  t.deepEqual(counted(core).positive, { offset: 9, counts: [2, 1] });
  t.is(counted(core).sum, 10);
});

test('no recorded value is a mark on the series, and nothing where none has come yet', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e', { route: '/' });
  define(stream, 'e', { route: '/b' });
  const { status } = core.store.exponentialHistograms.series;
  const marks = () => [1, 2].map((slot) => (status.get(slot) & withoutValue) !== 0);
  report(core, stream, [{ scale: 0, zeroCount: 1 }, { scale: 0 }], [1]);
  t.is(core.counters.baselines, 0);
  report(
    core,
    stream,
    [
      { scale: 0, zeroCount: 1 },
      { scale: 0, zeroCount: 2 },
    ],
    [0],
  );
  t.deepEqual(marks(), [true, false]);
  report(core, stream, [
    { scale: 0, zeroCount: 1 },
    { scale: 0, zeroCount: 2 },
  ]);
  t.deepEqual(marks(), [false, false]);
});

test('buckets beyond what a stream may hold end it', (t) => {
  const core = new Core({ limits: { maxSeries: 1 } });
  const stream = joined(core);
  define(stream, 'e');
  report(core, stream, [{ scale: 0, positive: { offset: -3, counts: [1, 1, 1, 1, 1, 1] } }]);
  t.is(stream.ended, undefined);
  report(core, stream, [{ scale: 0, positive: { offset: -3, counts: [1, 1, 1, 1, 1, 1, 1] } }]);
  t.is(stream.ended?.cause, 'limit');
  t.regex(stream.ended?.message ?? '', /grow by 1 buckets/);
});

/** The finest scale that the measurements of the test are of: number k is in the middle of bucket k. */
const finest = 4;
/** As many as a source of the test has buckets. */
const maxSize = 6;

/** Counts as an SDK does: at the finest scale that it has buckets enough for, never finer again. */
class Source {
  readonly #measured = new Map<number, number>();
  #scale = finest;
  sum = 0;

  measure(k: number): void {
    this.#measured.set(k, (this.#measured.get(k) ?? 0) + 1);
    this.sum += k;
  }

  get state(): Histogram {
    const all = [...this.#measured.keys()];
    if (all.length === 0) return { scale: this.#scale };
    const [least, greatest] = [Math.min(...all), Math.max(...all)];
    const at = (k: number) => Math.floor(k / 2 ** (finest - this.#scale));
    while (at(greatest) - at(least) >= maxSize) this.#scale--;
    const list = new Array<number>(at(greatest) - at(least) + 1).fill(0);
    for (const [k, count] of this.#measured) list[at(k) - at(least)] += count;
    return { scale: this.#scale, positive: { offset: at(least), counts: list }, sum: this.sum };
  }
}

const anyEvent = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ measure: fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ restart: true }) },
  { weight: 1, arbitrary: fc.constant({ reconnect: true }) },
);

test('all that is measured is counted once, over restarts and reconnections, at whatever scale', (t) => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      const core = new Core();
      const measured: number[] = [];
      let epoch = 1;
      let source = new Source();
      let stream = joined(core);
      let number = define(stream, `e${epoch}`);
      for (const event of events) {
        if ('measure' in event) {
          for (const k of event.measure) source.measure(k);
          measured.push(...event.measure);
        } else if ('restart' in event) {
          source = new Source();
          stream.retire(number, 'gone');
          number = define(stream, `e${++epoch}`);
        } else {
          stream.session.closed();
          stream = joined(core);
          number = define(stream, `e${epoch}`);
        }
        report(core, stream, [source.state]);
        const { scale, positive, sum } = counted(core);
        const expected = new Map<number, number>();
        for (const k of measured) {
          const bucket = Math.floor(k / 2 ** (finest - scale));
          expected.set(bucket, (expected.get(bucket) ?? 0) + 1);
        }
        const found = positive.counts.flatMap((count, i) =>
          count === 0 ? [] : [[positive.offset + i, count]],
        );
        if (measured.length > 0)
          t.deepEqual(
            found,
            [...expected].sort(([a], [b]) => a - b),
          );
        else t.deepEqual(found, []);
        t.is(
          sum,
          measured.reduce((total, k) => total + k, 0),
        );
      }
      t.is(stream.count('refuse'), 0);
    }),
    { numRuns: 120 },
  );
});

test('a histogram without a value yet has no minimum and maximum', (t) => {
  const core = new Core();
  const stream = joined(core);
  define(stream, 'e');
  const { exponentialHistograms: state } = core.store;
  report(core, stream, [{ scale: 0, min: 0, max: 0 }], [0]);
  t.deepEqual([state.mins.get(1), state.maxes.get(1)], [NaN, NaN]);
  report(core, stream, [{ scale: 0, positive: { offset: 2, counts: [1] }, sum: 5, min: 5, max: 5 }]);
  t.deepEqual([state.mins.get(1), state.maxes.get(1)], [5, 5]);
});
