import test from 'ava';
import fc from 'fast-check';
import { InvalidDataError, StreamgaugeError } from '../../../proto/error.ts';
import { restoreStream } from '../../../proto/report/restore-stream.ts';
import { type GroupCapture, type StreamCapture, StreamCopies } from '../../../proto/report/stream-capture.ts';
import { StreamColumns } from '../../../proto/report/stream-columns.ts';
import { anyHappening, observed, observedReport, Traffic } from './stream-traffic.ts';

function captured(columns: StreamColumns, copies = new StreamCopies()): StreamCapture {
  copies.begin(columns.size, columns.cells);
  return copies.capture(columns);
}

test('whatever came before, a restored stream decodes what follows as the captured one does', (t) => {
  const copies = new StreamCopies();
  fc.assert(
    fc.property(
      fc.array(fc.record({ happening: anyHappening, isRestored: fc.boolean() }), {
        minLength: 1,
        maxLength: 25,
      }),
      (steps) => {
        const traffic = new Traffic();
        const original = new StreamColumns({ maxCells: 100_000 });
        let restored = new StreamColumns({ maxCells: 100_000 });
        for (const { happening, isRestored } of steps) {
          if (isRestored) restored = restoreStream(captured(original, copies), copies, 100_000);
          const receive = traffic.next(happening);
          receive(original);
          receive(restored);
          t.deepEqual(observed(restored), observed(original));
          if (happening.do === 'report') t.deepEqual(observedReport(restored), observedReport(original));
        }
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

test('a capture is of its moment, whatever comes after it', (t) => {
  const traffic = new Traffic();
  const columns = new StreamColumns();
  const happens = (happening: Parameters<Traffic['next']>[0]) => traffic.next(happening)(columns);
  happens({ do: 'define', skip: 0, series: Array.from({ length: 200 }, () => ({ group: 1, kind: 'sum' })) });
  for (let seed = 0; seed < 12; seed++) happens({ do: 'report', groups: 2, seed });
  const copies = new StreamCopies();
  const capture = captured(columns, copies);
  t.truthy(capture.groups[0].sumDrifts, 'steady sums drift');
  const before = observed(columns);
  happens({ do: 'report', groups: 2, seed: 99 });
  happens({ do: 'retire', share: 2, seed: 99 });
  happens({ do: 'define', skip: 1, series: [{ group: 2, kind: 'gauge' }] });
  t.notDeepEqual(observed(columns), before);
  t.deepEqual(observed(restoreStream(capture, copies, columns.maxCells)), before);
});

test('copies keep their memory while it is of the right size', (t) => {
  const copies = new StreamCopies();
  copies.begin(100_000, 300_000);
  const { values, numbers } = copies;
  copies.begin(90_000, 290_000);
  t.is(copies.values, values);
  t.is(copies.numbers, numbers);
  copies.begin(10_000, 300_001);
  t.is(copies.values.length, 300_001);
  t.is(copies.numbers.length, 10_000, 'most of it stood empty');
});

/** Two groups with each kind of series. */
function whole(): { capture: StreamCapture; copies: StreamCopies } {
  const traffic = new Traffic();
  const columns = new StreamColumns();
  const kinds = ['sum', 'gauge', 'histogram', 'exponential_histogram', 'summary'] as const;
  const series = [0, 1].flatMap((group) =>
    kinds.map((kind) => ({ group, kind, buckets: 3, quantiles: 2, hasSum: true, attached: 7 })),
  );
  traffic.next({ do: 'define', skip: 0, series })(columns);
  for (let seed = 0; seed < 9; seed++) traffic.next({ do: 'report', groups: 3, seed })(columns);
  const copies = new StreamCopies();
  return { capture: captured(columns, copies), copies };
}

const refused = test.macro<
  [(copies: StreamCopies, group: GroupCapture) => Partial<StreamCapture & GroupCapture> | undefined, RegExp]
>({
  exec(t, spoil, message) {
    const { capture, copies } = whole();
    const change = spoil(copies, capture.groups[0]) ?? {};
    const spoilt = {
      ...capture,
      ...change,
      groups: change.groups ?? [{ ...capture.groups[0], ...change }, capture.groups[1]],
    };
    t.throws(() => restoreStream(spoilt, copies, 1000), { instanceOf: InvalidDataError, message });
  },
  title: (name) => `refused: ${name}`,
});

test('a group twice', refused, (_, group) => ({ groups: [group, group] }), /group 0 comes twice/);
test('a number twice', refused, ({ numbers }) => void numbers.fill(3), /series number 3/);
test('the number 0', refused, ({ numbers }) => void numbers.fill(0), /series 0/);
test('a last number below those there are', refused, () => ({ lastNumber: 9 }), /10 to 2\^32/);
test('half a last number', refused, () => ({ lastNumber: 10.5 }), /10\.5/);
test('a negative last report', refused, () => ({ lastReport: -1 }), /-1/);
test('a time before 1970', refused, () => ({ timeUs: -1 }), /time of group 0 is -1/);
test('a last time that is none', refused, () => ({ lastTimeUs: Number.NaN }), /NaN microseconds/);
test('a step that is none', refused, () => ({ stepUs: 0.5 }), /step of 0.5/);
test('half a report', refused, () => ({ reports: 0.5 }), /0.5 reports/);
test('a mode that is none', refused, ({ modes }) => void modes.fill(0x1f), /mode 31/);
test(
  'a summary with a sum',
  refused,
  ({ shapes }) => void shapes.fill(17, 4, 5),
  /summary with the shape 17/,
);
test(
  'more buckets than cells',
  refused,
  ({ shapes }) => void shapes.fill(2 ** 31, 2, 3),
  /values, but \d+ are/,
);
test(
  'more quantiles than cells',
  refused,
  ({ shapes }) => void shapes.fill(2 ** 31, 4, 5),
  /values, but \d+ are/,
);
test('a histogram without buckets', refused, ({ shapes }) => void shapes.fill(1, 2, 3), /0 buckets/);
test('too few cells', refused, (_, { cells }) => ({ cells: cells - 1 }), /group 0/);
test('too many cells', refused, (_, { cells }) => ({ cells: cells + 1 }), /which is not what is there/);
test(
  'a scale that is none',
  refused,
  ({ values }, { firstCell }) => void values.fill(21, firstCell + 6, firstCell + 7),
  /scale 21/,
);
test(
  'a cell that cannot drift',
  refused,
  () => ({ sumDrifts: { cells: Uint32Array.of(9), steps: Float64Array.of(1) } }),
  /value 9 .* cannot drift/,
);
test(
  'a drift of nothing',
  refused,
  () => ({ gaugeDrifts: { cells: Uint32Array.of(0), steps: Float64Array.of(0) } }),
  /drifts? by 0|cannot drift/,
);

test('refused: more cells than the stream may have', (t) => {
  const { capture, copies } = whole();
  const error = t.throws(() => restoreStream(capture, copies, 20), { instanceOf: StreamgaugeError });
  t.is(error.kind, 'overloaded');
});

test('any numbers at all give a stream or an error', (t) => {
  const number = fc.oneof(fc.nat(40), fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 32, 2 ** 53, 16_384));
  fc.assert(
    fc.property(
      fc.constantFrom('numbers', 'attached', 'shapes', 'values', 'modes' as const),
      fc.nat(200),
      number,
      (name, at, value) => {
        const { capture, copies } = whole();
        copies[name][at % copies[name].length] = value;
        try {
          t.true(restoreStream(capture, copies, 1000).size > 0);
        } catch (error) {
          t.true(error instanceof StreamgaugeError && error.kind !== 'bug', String(error));
        }
      },
    ),
    { numRuns: 300, seed: 5 },
  );
});
