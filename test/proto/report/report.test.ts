import test from 'ava';
import fc from 'fast-check';
import { CapabilityError, InvalidDataError, StreamgaugeError } from '../../../proto/error.ts';
import { loadProto } from '../../../proto/load.ts';
import { decodeReport, isReport } from '../../../proto/report/read-report.ts';
import { type ColumnSeries, StreamColumns } from '../../../proto/report/stream-columns.ts';
import { encodeReport, type GroupState } from '../../../proto/report/write-report.ts';
import { ReferenceColumn } from '../columns/reference-decoder.ts';

interface Method {
  requestSerialize(message: object): Buffer;
  requestDeserialize(bytes: Buffer): { reportNumber: string; groups: Record<string, unknown>[] };
}
const service = loadProto('streamgauge/v1/telemetry_stream.proto')['streamgauge.v1.TelemetryStream'];
const { Connect: protobuf } = service as unknown as { Connect: Method };

const timeUs = 1_790_000_000_000_000;

function bothEnds(series: readonly ColumnSeries[]): [sender: StreamColumns, receiver: StreamColumns] {
  const ends: [StreamColumns, StreamColumns] = [new StreamColumns(), new StreamColumns()];
  for (const end of ends) for (const one of series) end.define(one);
  return ends;
}

const mixed: readonly ColumnSeries[] = [
  { number: 1, group: 1, kind: 'sum', attached: 11 },
  { number: 2, group: 1, kind: 'gauge', attached: 12 },
  { number: 3, group: 1, kind: 'histogram', buckets: 3, hasSum: true, hasMin: true, attached: 13 },
  { number: 4, group: 1, kind: 'histogram', buckets: 2, hasSum: true, hasMax: true, attached: 14 },
  { number: 6, group: 1, kind: 'sum', attached: 16 },
  { number: 9, group: 0, kind: 'gauge', attached: 19 },
];

const mixedState: GroupState[] = [
  {
    group: 1,
    timeUs,
    sums: Float64Array.of(5, 2 ** 40),
    gauges: Float64Array.of(0.25),
    histogramBucketCounts: Float64Array.of(1, 2, 3, 4, 5),
    histogramSums: Float64Array.of(1.5, 2.5),
    histogramMins: Float64Array.of(0.1),
    histogramMaxes: Float64Array.of(Infinity),
    noRecordedValue: [1, 4],
  },
  { group: 0, timeUs: timeUs + 50, gauges: Float64Array.of(Number.NaN) },
];

test('the framing is that of protobuf', (t) => {
  const [sender] = bothEnds(mixed);
  const report = protobuf.requestDeserialize(Buffer.from(encodeReport(sender, mixedState, 42)));
  t.is(report.reportNumber, '42');
  const [first, second] = report.groups;
  t.is(first.group, 1);
  t.is(first.timeUs, String(timeUs));
  t.is(second.group, 0);
  t.is(second.timeUs, '50');
  const columns: Record<string, readonly number[]> = {
    sumValues: [5, 2 ** 40],
    gaugeValues: [0.25],
    histogramBucketCounts: [1, 2, 3, 4, 5],
    histogramSums: [1.5, 2.5],
    histogramMins: [0.1],
    histogramMaxes: [Infinity],
  };
  for (const [name, values] of Object.entries(columns)) {
    const reference = new ReferenceColumn(values.length);
    reference.decode(first[name] as Buffer);
    t.deepEqual(reference.values, values as number[], name);
  }
  t.deepEqual([...(first.noRecordedValue as Buffer)], [1, 2]);
});

test('what protobuf writes is read, whatever the order, with fields that nobody knows', (t) => {
  const [, receiver] = bothEnds(mixed);
  const bytes = protobuf.requestSerialize({
    reportNumber: '42',
    groups: [
      {
        group: 1,
        timeUs: String(timeUs),
        sumValues: Buffer.from([20]),
        histogramBucketCounts: Buffer.from([5, 4]),
        noRecordedValue: Buffer.from([1, 2]),
        exemplars: [{ series: 1, value: 2 }, {}],
      },
      { group: 0, timeUs: '-50', gaugeValues: Buffer.from([4]) },
    ],
  });
  // Field 99 in all wire types, a group with a group in it included.
  const unknown = Buffer.from(
    '980601 9906 0102030405060708 9a060161 9b06 9b06 9c06 0801 9c06 9d06 01020304'.replace(/ /g, ''),
    'hex',
  );
  const report = decodeReport(Buffer.concat([unknown, bytes, unknown]), receiver);
  t.is(report.number, 42);
  t.is(report.groupCount, 2);
  const [first, second] = report.groups;
  t.is(first, receiver.groups.get(1)!);
  t.deepEqual([...first.sums.values.subarray(0, 2)], [5, 0]);
  t.deepEqual([...first.sums.changed.subarray(0, first.sums.changedCount)], [0]);
  t.deepEqual([...first.histograms.bucketCounts.values.subarray(0, 5)], [0, 0, 1, 0, 0]);
  t.is(first.histograms.bucketCounts.attached[2], 13);
  t.is(first.gauges.changedCount, 0);
  t.deepEqual([...first.noRecordedValue.subarray(0, first.noRecordedValueCount)], [1, 4]);
  t.is(first.numberAt(1), 6);
  t.is(first.numberAt(2), 2);
  t.is(first.numberAt(4), 4);
  t.is(first.attachedAt(4), 14);
  t.is(first.exemplarCount, 2);
  t.is(second.timeUs, timeUs - 50);
});

test('fields that come twice: the last scalar holds, messages are joined', (t) => {
  const [, receiver] = bothEnds(mixed);
  const part = (report: object) => protobuf.requestSerialize(report);
  const bytes = Buffer.concat([
    part({ reportNumber: '5', groups: [{ group: 1, timeUs: '7', sumValues: Buffer.from([4]) }] }),
    part({ reportNumber: '6', groups: [{ group: 0, timeUs: '1', gaugeValues: Buffer.from([4]) }] }),
  ]);
  const report = decodeReport(bytes, receiver);
  t.is(report.number, 6);
  t.is(report.groupCount, 2);
  t.is(receiver.groups.get(0)!.timeUs, 8);
  // In one group: number, time and column each twice.
  const twice = Buffer.from('0a0e 0800 0801 1002 1000 1a0108 1a0104'.replace(/ /g, ''), 'hex');
  t.is(decodeReport(twice, receiver).number, 7);
  t.is(receiver.groups.get(1)!.timeUs, 7);
  t.is(receiver.groups.get(1)!.sums.values[0], 2);
});

const anyValue = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, Infinity, 2 ** 53));
const anyStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      define: fc.constantFrom<'sum' | 'gauge'>('sum', 'gauge'),
      group: fc.nat(2),
      gap: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ retire: fc.array(fc.nat(), { maxLength: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      report: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
      values: fc.array(anyValue, { minLength: 20, maxLength: 20 }),
      elapsedUs: fc.oneof(fc.constant(1_000_000), fc.integer({ min: -2_000_000, max: 10_000_000 })),
      skip: fc.nat(2),
    }),
  },
);

test('both ends agree over any sequence of definitions, retirements and reports', (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const [sender, receiver] = bothEnds([]);
      const defined: { number: number; group: number; kind: 'sum' | 'gauge'; value: number }[] = [];
      let series = 0;
      let number = 0;
      let now = timeUs;
      for (const step of steps) {
        if ('define' in step) {
          series += step.gap;
          for (const end of [sender, receiver])
            end.define({ number: series, group: step.group, kind: step.define, attached: series * 2 });
          defined.push({ number: series, group: step.group, kind: step.define, value: 0 });
        } else if ('retire' in step) {
          const places = new Set(step.retire.map((n) => n % (defined.length || 1)));
          const retired = defined.filter((_, place) => places.has(place)).map((one) => one.number);
          sender.retire(retired);
          for (const one of retired) receiver.retire(one);
          for (const one of retired)
            defined.splice(
              defined.findIndex((d) => d.number === one),
              1,
            );
        } else {
          now += step.elapsedUs;
          const groups = step.report.filter((group) => sender.groups.has(group));
          const of = (group: number, kind: string) =>
            defined.filter((one) => one.group === group && one.kind === kind);
          let taken = 0;
          const states = groups.map((group): GroupState => {
            for (const one of defined)
              if (one.group === group) one.value = step.values[taken++ % step.values.length];
            const valuesOf = (kind: string) => Float64Array.from(of(group, kind), (one) => one.value);
            return { group, timeUs: now, sums: valuesOf('sum'), gauges: valuesOf('gauge') };
          });
          number += 1 + step.skip;
          const report = decodeReport(encodeReport(sender, states, number), receiver);
          t.is(report.number, number);
          t.is(report.groupCount, groups.length);
          groups.forEach((group, i) => {
            const columns = report.groups[i];
            t.is(columns.group, group);
            t.is(columns.timeUs, now);
            for (const [kind, column] of [
              ['sum', columns.sums],
              ['gauge', columns.gauges],
            ] as const) {
              const expected = of(group, kind);
              t.deepEqual(
                [...column.values.subarray(0, column.size)],
                expected.map((one) => one.value),
              );
              t.deepEqual(
                [...column.numbers.subarray(0, column.size)],
                expected.map((one) => one.number),
              );
              t.deepEqual(
                [...column.attached.subarray(0, column.size)],
                expected.map((one) => one.number * 2),
              );
            }
          });
        }
        t.is(receiver.size, defined.length);
        t.is(receiver.cells, defined.length);
      }
    }),
    { numRuns: 200 },
  );
});

test('a steady interval costs no time at all', (t) => {
  const [sender, receiver] = bothEnds(mixed.slice(0, 1));
  const sizes = [0, 1, 2, 3, 4].map((i) => {
    const bytes = encodeReport(
      sender,
      [{ group: 1, timeUs: timeUs + i * 1_000_000, sums: Float64Array.of(5) }],
      i + 1,
    );
    decodeReport(bytes, receiver);
    t.is(receiver.groups.get(1)!.timeUs, timeUs + i * 1_000_000);
    return bytes.length;
  });
  t.deepEqual(sizes.slice(2), [4, 4, 4]);
});

test('clocks that jump by centuries', (t) => {
  const [sender, receiver] = bothEnds(mixed.slice(0, 1));
  for (const [i, time] of [2 ** 52 - 1, 0, 2 ** 52 - 1, 0, 0, 1].entries()) {
    decodeReport(encodeReport(sender, [{ group: 1, timeUs: time }], i + 1), receiver);
    t.is(receiver.groups.get(1)!.timeUs, time);
  }
});

const badReports: Record<string, object> = {
  'no number at first': { groups: [{ group: 1 }] },
  'a group without series': { reportNumber: '1', groups: [{ group: 7 }] },
  'a group twice': { reportNumber: '1', groups: [{ group: 1 }, { group: 0 }, { group: 1 }] },
  'a number above 2^53': { reportNumber: String(2n ** 60n), groups: [] },
  'a time before 1970': { reportNumber: '1', groups: [{ group: 1, timeUs: '-1' }] },
  'a time after 2112': { reportNumber: '1', groups: [{ group: 1, timeUs: String(2n ** 52n) }] },
  'a column that is too long': {
    reportNumber: '1',
    groups: [{ group: 0, gaugeValues: Buffer.from([2, 2]) }],
  },
  'a column without series': { reportNumber: '1', groups: [{ group: 0, sumValues: Buffer.from([2]) }] },
  'a histogram column without series': {
    reportNumber: '1',
    groups: [{ group: 0, histogramSums: Buffer.from([2]) }],
  },
  'an exponential histogram': {
    reportNumber: '1',
    groups: [{ group: 1, exponentialScales: Buffer.from([2]) }],
  },
  'a summary': { reportNumber: '1', groups: [{ group: 1, summaryQuantileValues: Buffer.from([2]) }] },
  'a place beyond the group': {
    reportNumber: '1',
    groups: [{ group: 1, noRecordedValue: Buffer.from([5]) }],
  },
};

for (const [title, report] of Object.entries(badReports))
  test(`refused: ${title}`, (t) => {
    const [, receiver] = bothEnds(mixed);
    t.throws(() => decodeReport(protobuf.requestSerialize(report), receiver), {
      instanceOf: InvalidDataError,
    });
  });

test('refused: a report of the past, since nobody offers it', (t) => {
  const [, receiver] = bothEnds(mixed);
  const bytes = protobuf.requestSerialize({ reportNumber: '1', history: true });
  t.throws(() => decodeReport(bytes, receiver), { instanceOf: CapabilityError, message: /history/ });
});

test('refused: numbers that do not ascend, and messages that are no report or more than one', (t) => {
  const [, receiver] = bothEnds(mixed);
  const report = protobuf.requestSerialize({ reportNumber: '3' });
  t.is(decodeReport(report, receiver).number, 3);
  t.throws(() => decodeReport(report, receiver), {
    instanceOf: InvalidDataError,
    message: /3 is not above 3/,
  });
  const goodbye = protobuf.requestSerialize({ goodbye: {} });
  t.throws(() => decodeReport(goodbye, receiver), { instanceOf: InvalidDataError });
  t.throws(() => decodeReport(Buffer.concat([report, goodbye]), receiver), { instanceOf: InvalidDataError });
  t.throws(() => decodeReport(new Uint8Array(0), receiver), { instanceOf: InvalidDataError });
  t.true(isReport(report));
  t.false(isReport(goodbye));
  t.false(isReport(new Uint8Array(0)));
});

test('a report cut off anywhere, or with any byte changed, is read or refused with an InvalidDataError', (t) => {
  const [sender] = bothEnds(mixed);
  const whole = encodeReport(sender, mixedState, 42);
  let refused = 0;
  const attempt = (bytes: Uint8Array, title: string) => {
    const [, receiver] = bothEnds(mixed);
    try {
      decodeReport(bytes, receiver);
    } catch (error) {
      refused++;
      t.true(error instanceof InvalidDataError, `${title}: ${error}`);
    }
  };
  for (let end = 1; end < whole.length; end++) attempt(whole.slice(0, end), `cut off at ${end}`);
  // Each cut leaves the outer length wrong.
  t.is(refused, whole.length - 1);
  for (let at = 0; at < whole.length; at++)
    for (let bit = 0; bit < 8; bit++) {
      const changed = whole.slice();
      changed[at] ^= 1 << bit;
      attempt(changed, `bit ${bit} of byte ${at}`);
    }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      attempt(bytes, 'any bytes');
      attempt(Uint8Array.from([0x0a, bytes.length, ...bytes]), 'any report');
    }),
    { numRuns: 500 },
  );
});

const misuse: Record<string, { groups: GroupState[]; number?: number }> = {
  'no first number': { groups: [] },
  'number 0': { groups: [], number: 0 },
  'an unknown group': { groups: [{ group: 7, timeUs }], number: 1 },
  'a group twice': {
    groups: [
      { group: 1, timeUs },
      { group: 1, timeUs },
    ],
    number: 1,
  },
  'too few values': { groups: [{ group: 1, timeUs, sums: Float64Array.of(1) }], number: 1 },
  'a time that is not whole': { groups: [{ group: 1, timeUs: 0.5 }], number: 1 },
  'a time beyond 2^52': { groups: [{ group: 1, timeUs: 2 ** 52 }], number: 1 },
  'places that do not ascend': { groups: [{ group: 1, timeUs, noRecordedValue: [2, 2] }], number: 1 },
  'a place beyond the group': { groups: [{ group: 1, timeUs, noRecordedValue: [5] }], number: 1 },
};

for (const [title, { groups, number }] of Object.entries(misuse))
  test(`a sender's mistake changes nothing: ${title}`, (t) => {
    const [sender, receiver] = bothEnds(mixed);
    const error = t.throws(() => encodeReport(sender, groups, number), { instanceOf: StreamgaugeError });
    t.is(error.kind, 'bug');
    decodeReport(encodeReport(sender, mixedState, 1), receiver);
    t.deepEqual([...receiver.groups.get(1)!.sums.values.subarray(0, 2)], [5, 2 ** 40]);
    t.is(receiver.groups.get(1)!.timeUs, timeUs);
  });

test('each report is bytes of its own', (t) => {
  const [sender] = bothEnds(mixed);
  const first = encodeReport(sender, mixedState, 1);
  const copy = first.slice();
  encodeReport(sender, [{ group: 1, timeUs: timeUs + 9, sums: Float64Array.of(77, 78) }]);
  t.deepEqual(first, copy);
});
