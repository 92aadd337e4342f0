import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { InvalidDataError, StreamgaugeError } from '../../../proto/error.ts';
import { loadProto } from '../../../proto/load.ts';
import type { ExponentialColumns } from '../../../proto/report/exponential-columns.ts';
import type { ExponentialRange } from '../../../proto/report/exponential-range.ts';
import { decodeReport } from '../../../proto/report/read-report.ts';
import { type ColumnSeries, StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../../proto/report/write-report.ts';
import { ReferenceColumn, ReferenceRange } from '../columns/reference-decoder.ts';

interface Method {
  requestSerialize(message: object): Buffer;
  requestDeserialize(bytes: Buffer): { groups: Record<string, Buffer>[] };
}
const service = loadProto('streamgauge/v1/telemetry_stream.proto')['streamgauge.v1.TelemetryStream'];
const { Connect: protobuf } = service as unknown as { Connect: Method };

interface Range {
  readonly offset: number;
  readonly counts: readonly number[];
}

interface Histogram {
  readonly scale: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: Range;
  readonly negative: Range;
  readonly sum: number;
}

const empty: Histogram = {
  scale: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  positive: { offset: 0, counts: [] },
  negative: { offset: 0, counts: [] },
  sum: 0,
};

/** What a sender gives for histograms that all have a sum. */
function stateOf(histograms: readonly Histogram[], group = 1): GroupState {
  const of = (get: (histogram: Histogram) => readonly number[]) => Float64Array.from(histograms.flatMap(get));
  return {
    group,
    timeUs: 0,
    exponentialScales: of(({ scale }) => [scale]),
    exponentialZeroThresholds: of(({ zeroThreshold }) => [zeroThreshold]),
    exponentialZeroCounts: of(({ zeroCount }) => [zeroCount]),
    exponentialPositiveLayout: of(({ positive }) => [positive.offset, positive.counts.length]),
    exponentialPositiveCounts: of(({ positive }) => positive.counts),
    exponentialNegativeLayout: of(({ negative }) => [negative.offset, negative.counts.length]),
    exponentialNegativeCounts: of(({ negative }) => negative.counts),
    exponentialSums: of(({ sum }) => [sum]),
  };
}

function rangeOf({ offsets, firstCells, counts }: ExponentialRange, h: number): Range {
  return { offset: offsets[h], counts: [...counts.values.subarray(firstCells[h], firstCells[h + 1])] };
}

function histogramsOf(columns: ExponentialColumns): Histogram[] {
  return Array.from({ length: columns.count }, (_, h) => ({
    scale: columns.scales.values[h],
    zeroThreshold: columns.zeroThresholds.values[h],
    zeroCount: columns.zeroCounts.values[h],
    positive: rangeOf(columns.positive, h),
    negative: rangeOf(columns.negative, h),
    sum: columns.sums.values[columns.sumCells[h]],
  }));
}

function bothEnds(
  count: number,
  options: { maxCells?: number } = {},
): [sender: StreamColumns, receiver: StreamColumns] {
  const ends: [StreamColumns, StreamColumns] = [new StreamColumns(options), new StreamColumns(options)];
  for (const end of ends) for (let number = 1; number <= count; number++) end.define(series(number));
  return ends;
}

function series(number: number, group = 1): ColumnSeries {
  return { number, group, kind: 'exponential_histogram', hasSum: true, attached: 100 + number };
}

/** Without objects that have no prototype, which equal no others. */
function plainRecord<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

const anyCount = fc.oneof(fc.nat(5), fc.nat(1000), fc.constantFrom(0, 2 ** 40, 2 ** 53));
const anyRange = plainRecord({
  offset: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 100)),
  counts: fc.array(anyCount, { maxLength: 8 }),
});
const anyHistogram: fc.Arbitrary<Histogram> = plainRecord({
  scale: fc.oneof(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -10, max: 20 })),
  zeroThreshold: fc.double({ noNaN: true }),
  zeroCount: anyCount,
  positive: anyRange,
  negative: anyRange,
  sum: fc.double({ noNaN: true }),
});
/** Where it went from one report to the next: mostly a few buckets more, fewer or other ones, or another scale. */
const anyMove = fc.oneof(
  { weight: 4, arbitrary: fc.record({ grow: fc.array(fc.nat(3), { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ scale: fc.integer({ min: -3, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ histogram: anyHistogram }) },
  { weight: 3, arbitrary: fc.constant({ stay: true }) },
);

function moved(histogram: Histogram, move: object): Histogram {
  if ('histogram' in move) return move.histogram as Histogram;
  if ('scale' in move)
    return { ...histogram, scale: Math.max(-10, Math.min(20, histogram.scale + (move.scale as number))) };
  if (!('grow' in move)) return histogram;
  const { positive } = histogram;
  const grow = move.grow as number[];
  const counts = [...positive.counts.map((count, i) => count + (grow[i] ?? 0)), ...grow];
  return { ...histogram, positive: { offset: positive.offset, counts } };
}

const anyStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ moves: fc.array(anyMove, { minLength: 4, maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ define: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ retire: fc.nat() }) },
);

test('both ends agree over any sequence of scales, layouts and counts, histograms that come and go', (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
      const [sender, receiver] = bothEnds(2);
      const held = new Map<number, Histogram>([
        [1, empty],
        [2, empty],
      ]);
      let report = 0;
      for (const step of steps) {
        if ('define' in step) {
          const number = sender.lastNumber + 1;
          for (const end of [sender, receiver]) end.define(series(number));
          held.set(number, empty);
        } else if ('retire' in step) {
          const number = [...held.keys()][step.retire % (held.size || 1)];
          if (number === undefined) continue;
          sender.retire(number);
          receiver.retire(number);
          held.delete(number);
        } else {
          const before = [...held.values()];
          for (const [i, [number, histogram]] of [...held].entries())
            held.set(number, moved(histogram, step.moves[i % 4]));
          const expected = [...held.values()];
          decodeReport(encodeReport(sender, [stateOf(expected)], ++report), receiver);
          const columns = receiver.groups.get(1)!.exponentialHistograms;
          t.deepEqual(histogramsOf(columns), expected);
          t.deepEqual(histogramsOf(sender.groups.get(1)!.exponentialHistograms), expected);
          const changed = [...columns.changed.subarray(0, columns.changedCount)].sort((a, b) => a - b);
          const differing = before.flatMap((histogram, h) =>
            isDeepStrictEqual(histogram, expected[h]) ? [] : [h],
          );
          t.deepEqual(changed, differing);
        }
        const { scales, positive, negative } = receiver.groups.get(1)!.exponentialHistograms;
        t.deepEqual([...scales.numbers.subarray(0, scales.size)], [...held.keys()]);
        t.deepEqual(
          [...scales.attached.subarray(0, scales.size)],
          [...held.keys()].map((number) => 100 + number),
        );
        const buckets = positive.counts.size + negative.counts.size;
        t.is(receiver.cells, held.size * 8 + buckets);
        t.is(sender.cells, receiver.cells);
      }
    }),
    { numRuns: 150 },
  );
});

test('what is written is what the document says, by a decoder written from it', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyMove, anyMove), { maxLength: 12 }), (moves) => {
      const [sender] = bothEnds(2);
      const scales = new ReferenceColumn(2);
      const positive = new ReferenceRange(2);
      const negative = new ReferenceRange(2);
      let histograms = [empty, empty];
      moves.forEach((move, i) => {
        histograms = histograms.map((histogram, h) => moved(histogram, move[h]));
        const bytes = encodeReport(sender, [stateOf(histograms)], i + 1);
        const group = protobuf.requestDeserialize(Buffer.from(bytes)).groups[0];
        scales.decode(group.exponentialScales);
        positive.decode(scales.values, group.exponentialPositiveLayout, group.exponentialPositiveCounts);
        negative.decode(scales.values, group.exponentialNegativeLayout, group.exponentialNegativeCounts);
        for (const [h, expected] of histograms.entries()) {
          t.deepEqual(positive.of(h), expected.positive);
          t.deepEqual(negative.of(h), expected.negative);
        }
      });
    }),
    { numRuns: 100 },
  );
});

test('growth and a coarser scale cost what changed, and a report in which nothing did costs nothing', (t) => {
  const [sender] = bothEnds(1);
  const counts = Array.from({ length: 160 }, (_, i) => 1000 + i);
  const send = (scale: number, offset: number, list: readonly number[]) =>
    encodeReport(sender, [stateOf([{ ...empty, scale, positive: { offset, counts: list } }])], ++report)
      .length;
  let report = 0;
  t.true(send(8, -80, counts) > 160);
  const unchanged = send(8, -80, counts);
  // The group with tag and length, and its number.
  t.is(unchanged, 4);
  // Two cells of the layout, the new counts, and two columns with tag and length.
  t.true(send(8, -81, [5, ...counts, 7]) <= unchanged + 12);
  const folded = new Array<number>(82).fill(0);
  [5, ...counts, 7].forEach((count, i) => {
    folded[((i - 81) >> 1) + 41] += count;
  });
  t.true(send(7, -41, folded) <= unchanged + 9);
});

const report = (columns: object) =>
  protobuf.requestSerialize({ reportNumber: '1', groups: [{ group: 1, ...columns }] });

/** A column whose first cells are whole numbers, from 0. */
function column(...values: number[]): Buffer {
  const bytes: number[] = [];
  for (const value of values) {
    let token = 2n * BigInt(value < 0 ? -2 * value - 1 : 2 * value);
    for (; token > 127n; token >>= 7n) bytes.push(Number(token & 0x7fn) | 0x80);
    bytes.push(Number(token));
  }
  return Buffer.from(bytes);
}

const refused: [string, object, RegExp][] = [
  ['a scale above 20', { exponentialScales: column(21) }, /series 1 has the scale 21; .* -10 to 20/],
  ['a scale below -10', { exponentialScales: column(0, -11) }, /series 2 has the scale -11/],
  ['a scale of a half', { exponentialScales: Buffer.from([1, 0x21, 20]) }, /scale 0\.5/],
  ['too many buckets', { exponentialPositiveLayout: column(0, 16_385) }, /16385 buckets .* 0 to 16384/],
  ['less than no buckets', { exponentialNegativeLayout: column(0, -1) }, /-1 buckets/],
  ['a bucket below -2^31', { exponentialPositiveLayout: column(-(2 ** 31) - 1, 1) }, /index -2147483649/],
  ['a bucket above 2^31 - 1', { exponentialPositiveLayout: column(2 ** 31 - 1, 2) }, /index 2147483647/],
  ['an index that is not whole', { exponentialNegativeLayout: Buffer.from([1, 0x21, 20]) }, /index 0\.5/],
  [
    'more counts than buckets',
    { exponentialPositiveLayout: column(0, 1), exponentialPositiveCounts: column(1, 1) },
    /longer than the 1 values/,
  ],
  ['counts without buckets', { exponentialNegativeCounts: column(1) }, /longer than the 0 values/],
];

for (const [title, columns, message] of refused)
  test(`refused: ${title}`, (t) => {
    const [, receiver] = bothEnds(2);
    t.throws(() => decodeReport(report(columns), receiver), { instanceOf: InvalidDataError, message });
  });

test('buckets at the ends of what is allowed', (t) => {
  const [sender, receiver] = bothEnds(2);
  const ends: Histogram[] = [
    { ...empty, scale: 20, positive: { offset: 2 ** 31 - 2, counts: [1, 2] } },
    { ...empty, scale: -10, negative: { offset: -(2 ** 31), counts: new Array(16_384).fill(1) } },
  ];
  decodeReport(encodeReport(sender, [stateOf(ends)], 1), receiver);
  t.deepEqual(histogramsOf(receiver.groups.get(1)!.exponentialHistograms), ends);
  const coarsest = [{ ...ends[0], scale: -10, positive: { offset: 1, counts: [3] } }, ends[1]];
  decodeReport(encodeReport(sender, [stateOf(coarsest)]), receiver);
  t.deepEqual(histogramsOf(receiver.groups.get(1)!.exponentialHistograms), coarsest);
});

test('cells are bounded when buckets grow, at both ends, and a sender that is turned away has not changed', (t) => {
  // Seven cells and a sum for each, and room for eight buckets.
  const [sender, receiver] = bothEnds(2, { maxCells: 24 });
  const fits = { ...empty, positive: { offset: 0, counts: [1, 2, 3, 4] } };
  const tooMuch = { ...empty, negative: { offset: 0, counts: [1, 2, 3, 4, 5] } };
  const error = t.throws(() => encodeReport(sender, [stateOf([fits, tooMuch])], 1), {
    instanceOf: StreamgaugeError,
    message: /9 buckets.*room for 8/,
  });
  t.is(error.kind, 'overloaded');
  const [roomy] = bothEnds(2);
  const bytes = encodeReport(roomy, [stateOf([fits, tooMuch])], 1);
  const [, other] = bothEnds(2, { maxCells: 24 });
  t.is(t.throws(() => decodeReport(bytes, other), { instanceOf: StreamgaugeError }).kind, 'overloaded');
  for (const state of [
    [fits, fits],
    [empty, { ...tooMuch, scale: 2 }],
    [fits, fits],
  ]) {
    decodeReport(encodeReport(sender, [stateOf(state)], receiver.lastReport + 1), receiver);
    t.deepEqual(histogramsOf(receiver.groups.get(1)!.exponentialHistograms), state);
  }
  t.is(receiver.cells, 24);
  receiver.retire(1);
  t.is(receiver.cells, 12);
});

test('what a column took is given back when its buckets go', (t) => {
  const [sender, receiver] = bothEnds(1);
  const counts = new Array<number>(16_384).fill(3);
  const { counts: column } = receiver.groups.get(1)!.exponentialHistograms.positive;
  for (const list of [counts, [1], counts, []]) {
    const next = { ...empty, positive: { offset: 0, counts: list } };
    decodeReport(encodeReport(sender, [stateOf([next])], receiver.lastReport + 1), receiver);
    t.deepEqual(histogramsOf(receiver.groups.get(1)!.exponentialHistograms), [next]);
    t.true(column.values.length <= Math.max(2 * list.length, 1024));
  }
});

test('any report is read or refused with a typed error, within the cells that are allowed', (t) => {
  const before: Histogram[] = [
    { ...empty, scale: 3, positive: { offset: -2, counts: [1, 2, 3] }, negative: { offset: 1, counts: [4] } },
    { ...empty, scale: -1, zeroCount: 4, positive: { offset: 0, counts: [7, 0, 9] } },
  ];
  let read = 0;
  const attempt = (bytes: Uint8Array) => {
    const [sender, receiver] = bothEnds(2, { maxCells: 300 });
    decodeReport(encodeReport(sender, [stateOf(before)], 1), receiver);
    try {
      decodeReport(bytes, receiver);
      read++;
      t.is(receiver.cells, receiver.groups.get(1)!.cells);
    } catch (error) {
      t.true(
        error instanceof StreamgaugeError && ['invalid_data', 'overloaded'].includes(error.kind),
        `${error}`,
      );
    }
    t.true(receiver.cells <= 300);
    const { positive, negative } = receiver.groups.get(1)!.exponentialHistograms;
    t.true(positive.counts.values.length + negative.counts.values.length <= 2 * 1024);
  };
  const [sender] = bothEnds(2);
  encodeReport(sender, [stateOf(before)], 1);
  const after = before.map((histogram) => ({ ...histogram, scale: histogram.scale - 1, zeroCount: 5 }));
  const whole = encodeReport(sender, [stateOf(after)]);
  for (let at = 0; at < whole.length; at++)
    for (let bit = 0; bit < 8; bit++) {
      const changed = whole.slice();
      changed[at] ^= 1 << bit;
      attempt(changed);
    }
  const bytes = fc.uint8Array({ maxLength: 6 });
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, bytes, (scales, layout, counts, layoutBelow, countsBelow) =>
      attempt(
        protobuf.requestSerialize({
          reportNumber: '2',
          groups: [
            {
              group: 1,
              exponentialScales: Buffer.from(scales),
              exponentialPositiveLayout: Buffer.from(layout),
              exponentialPositiveCounts: Buffer.from(counts),
              exponentialNegativeLayout: Buffer.from(layoutBelow),
              exponentialNegativeCounts: Buffer.from(countsBelow),
            },
          ],
        }),
      ),
    ),
    { numRuns: 500 },
  );
  t.true(read > 50);
});

const misuse: Record<string, Partial<GroupState>> = {
  'a scale out of range': { exponentialScales: Float64Array.of(21) },
  'a layout out of range': { exponentialPositiveLayout: Float64Array.of(0.5, 1) },
  'too few counts': { exponentialNegativeCounts: new Float64Array(0) },
  'too few layouts': { exponentialNegativeLayout: Float64Array.of(1) },
  'too few sums': { exponentialSums: new Float64Array(0) },
};

for (const [title, wrong] of Object.entries(misuse))
  test(`a sender's mistake changes nothing: ${title}`, (t) => {
    const [sender, receiver] = bothEnds(1);
    const right = { ...empty, scale: 4, negative: { offset: 3, counts: [1] } };
    const error = t.throws(() => encodeReport(sender, [{ ...stateOf([right]), ...wrong }], 1), {
      instanceOf: StreamgaugeError,
    });
    t.is(error.kind, 'bug');
    decodeReport(encodeReport(sender, [stateOf([right])], 1), receiver);
    t.deepEqual(histogramsOf(receiver.groups.get(1)!.exponentialHistograms), [right]);
  });

test('counts that are not given are as rebased; minima and maxima are of those that have them', (t) => {
  const ends = [new StreamColumns(), new StreamColumns()] as const;
  for (const end of ends) {
    end.define({ number: 1, group: 1, kind: 'exponential_histogram', hasMax: true });
    end.define({ number: 2, group: 1, kind: 'exponential_histogram', hasMin: true, hasMax: true });
  }
  const [sender, receiver] = ends;
  const { exponentialSums: _, ...first } = stateOf([
    { ...empty, positive: { offset: 2, counts: [1, 2, 3] } },
    { ...empty, positive: { offset: -4, counts: [4, 5] } },
  ]);
  const extremes = {
    exponentialMins: Float64Array.of(0.5),
    exponentialMaxes: Float64Array.of(7, Number.NaN),
  };
  decodeReport(encodeReport(sender, [{ ...first, ...extremes }], 1), receiver);
  const coarser = {
    exponentialScales: Float64Array.of(-1, 0),
    exponentialPositiveLayout: Float64Array.of(1, 2, -4, 2),
  };
  decodeReport(encodeReport(sender, [{ group: 1, timeUs: 0, ...coarser }]), receiver);
  const columns = receiver.groups.get(1)!.exponentialHistograms;
  t.deepEqual(rangeOf(columns.positive, 0), { offset: 1, counts: [3, 3] });
  t.deepEqual(rangeOf(columns.positive, 1), { offset: -4, counts: [4, 5] });
  t.deepEqual([...columns.changed.subarray(0, columns.changedCount)], [0]);
  t.is(columns.mins.values[0], 0.5);
  t.is(columns.mins.attached[0], 1);
  t.deepEqual([...columns.maxes.values.subarray(0, 2)], [7, Number.NaN]);
  t.deepEqual([...columns.sumCells.subarray(0, 2)], [-1, -1]);
  receiver.retire(1);
  t.is(columns.maxes.attached[0], 0);
  t.true(Number.isNaN(columns.maxes.values[0]));
});
