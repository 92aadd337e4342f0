import test from 'ava';
import fc from 'fast-check';
import { ByteWriter } from '../../../proto/columns/byte-writer.ts';
import { decodeNumbers } from '../../../proto/columns/decode-numbers.ts';
import { Drifts } from '../../../proto/columns/drifts.ts';
import { encodeNumbers } from '../../../proto/columns/encode-numbers.ts';
import { isMode, modeOfStep, noMode, xorMode } from '../../../proto/columns/modes.ts';
import { NumberColumn } from '../../../proto/columns/number-column.ts';
import { InvalidDataError } from '../../../proto/error.ts';
import { ReferenceColumn } from './reference-decoder.ts';

function columnOf(size: number, step?: number, drifts?: Drifts): NumberColumn {
  const column = new NumberColumn(drifts);
  for (let number = 1; number <= size; number++)
    column.append(number, number * 7, 1, step === undefined ? noMode : modeOfStep(step));
  return column;
}

function encoded(column: NumberColumn, values: readonly number[]): Uint8Array {
  const writer = new ByteWriter(1);
  encodeNumbers(column, Float64Array.from(values), writer);
  return writer.copy();
}

const valuesOf = (column: NumberColumn) => [...column.values.subarray(0, column.size)];
const driftsOf = ({ drifts }: NumberColumn) =>
  Array.from(drifts!.cells.subarray(0, drifts!.count), (cell, i) => [cell, drifts!.steps[i]]);
const changedOf = (column: NumberColumn) => [...column.changed.subarray(0, column.changedCount)];

const limits = [2 ** 53, -(2 ** 53), 2 ** 53 - 1, 1 - 2 ** 53, 2 ** 50, 2 ** 51, Number.MAX_VALUE];
const special = [0, -0, Number.NaN, Infinity, -Infinity, 5e-324, -5e-324, 2.2250738585072014e-308, ...limits];
const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.maxSafeInteger() },
  { weight: 3, arbitrary: fc.integer({ min: -100000, max: 100000 }).map((n) => n / 100) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 1, max: 13 })).map(([n, k]) => n / 10 ** k),
  },
  { weight: 2, arbitrary: fc.integer().map((n) => n * 4096) },
  { weight: 3, arbitrary: fc.double() },
  { weight: 3, arbitrary: fc.constantFrom(...special) },
);

/** Reports of some cells; in each, a cell is given a value or keeps its own (undefined). */
const anyReports = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.array(fc.option(anyValue, { nil: undefined }), { minLength: size, maxLength: size }), {
    minLength: 1,
    maxLength: 12,
  }),
);

const anyStep = fc.constantFrom(undefined, 0.01, 4096, 1, 0.5, 1e-9);

test('what is decoded is what was encoded, by our decoder and by the one written from the document', (t) => {
  fc.assert(
    fc.property(anyReports, anyStep, (reports, step) => {
      const size = reports[0].length;
      const sender = columnOf(size, step);
      const receiver = columnOf(size);
      const reference = new ReferenceColumn(size);
      let state = new Array<number>(size).fill(0);
      for (const report of reports) {
        const before = state;
        state = before.map((value, cell) => report[cell] ?? value);
        const bytes = encoded(sender, state);
        decodeNumbers(bytes, 0, bytes.length, receiver);
        reference.decode(bytes);
        t.deepEqual(valuesOf(receiver), state);
        t.deepEqual(reference.values, state);
        t.deepEqual(valuesOf(sender), state);
        const changed = state.flatMap((value, cell) => (Object.is(value, before[cell]) ? [] : [cell]));
        t.deepEqual(changedOf(receiver), changed);
        // The bases are equal in every bit, NaN included.
        t.deepEqual(sender.words.subarray(0, 2 * size), receiver.words.subarray(0, 2 * size));
        t.deepEqual(sender.modes.subarray(0, size), receiver.modes.subarray(0, size));
      }
    }),
    { numRuns: 600 },
  );
});

/** Cells that mostly move by the same number of steps, a step of theirs: 0 to 12 reports, and for each whether they stumble. */
const anySteadyCell = fc.record({
  start: fc.integer({ min: -1000, max: 100_000 }),
  moves: fc.integer({ min: -200, max: 5000 }),
  step: fc.constantFrom(1, 0.01, 4096, 0.25),
  beside: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -300, max: 300 })), {
    minLength: 25,
    maxLength: 25,
  }),
  odd: fc.option(fc.record({ report: fc.nat(24), value: anyValue }), { nil: undefined }),
});

test('cells that drift: what is decoded is what was encoded, by both decoders', (t) => {
  let drifted = 0;
  fc.assert(
    fc.property(fc.array(anySteadyCell, { minLength: 1, maxLength: 6 }), fc.boolean(), (cells, hasSteps) => {
      const make = (isSender: boolean): NumberColumn => {
        const column = new NumberColumn(new Drifts());
        cells.forEach(({ step }, i) => {
          column.append(i + 1, i, 1, isSender && hasSteps ? modeOfStep(step) : noMode);
        });
        return column;
      };
      const sender = make(true);
      const receiver = make(false);
      const reference = new ReferenceColumn(cells.length, true);
      const at = cells.map(({ start }) => start);
      let before: number[] = cells.map(() => 0);
      for (let report = 0; report < 25; report++) {
        const state = cells.map(({ moves, step, beside, odd }, i) => {
          at[i] += moves + beside[report];
          return odd?.report === report ? odd.value : (at[i] * Math.max(step, 1)) / (step < 1 ? 1 / step : 1);
        });
        const bytes = encoded(sender, state);
        decodeNumbers(bytes, 0, bytes.length, receiver);
        reference.decode(bytes);
        t.deepEqual(valuesOf(receiver), state);
        t.deepEqual(reference.values, state);
        t.deepEqual(valuesOf(sender), state);
        t.deepEqual(changedOf(receiver), reference.changed);
        for (const [cell, value] of state.entries())
          if (!Object.is(value, before[cell])) t.true(reference.changed.includes(cell));
        t.deepEqual(sender.words.subarray(0, 2 * cells.length), receiver.words.subarray(0, 2 * cells.length));
        t.deepEqual(
          driftsOf(receiver),
          [...reference.drifts].sort(([a], [b]) => a - b),
        );
        t.deepEqual(driftsOf(sender), driftsOf(receiver));
        drifted += receiver.drifts!.count;
        before = state;
      }
    }),
    { numRuns: 150 },
  );
  t.true(drifted > 1000, `${drifted} cells drifted`);
});

/** Bytes that are often nearly right: tokens, modes, drifts and anything. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom(0x3f, 0x21, 0x2c, 0x00, 0x1e, 0x20, 0x1f)
        .map((mode) => Uint8Array.of(1, mode, 0x0e, 0x80)),
      fc
        .tuple(fc.constantFrom(0x40, 0x43, 0x61, 0x6c, 0x7f, 0x60, 0xc0), fc.nat(127), fc.nat(63))
        .map(([mode, drift, value]) => Uint8Array.of(1, mode, drift, 2 * value)),
      fc.integer({ min: 0, max: 300 }).map((token) => {
        const writer = new ByteWriter();
        writer.varint(token);
        return writer.copy();
      }),
      fc.maxSafeInteger().map((token) => {
        const writer = new ByteWriter();
        writer.varint(Math.abs(token));
        return writer.copy();
      }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

test('any bytes: the values of the document, or an InvalidDataError where it has none', (t) => {
  let valid = 0;
  let invalid = 0;
  fc.assert(
    fc.property(fc.array(anyBytes, { minLength: 1, maxLength: 4 }), fc.boolean(), (columns, mayDrift) => {
      const receiver = columnOf(20, undefined, mayDrift ? new Drifts() : undefined);
      const reference = new ReferenceColumn(20, mayDrift);
      for (const bytes of columns) {
        let expected = true;
        try {
          reference.decode(bytes);
        } catch {
          expected = false;
        }
        if (!expected) {
          invalid++;
          t.throws(() => decodeNumbers(bytes, 0, bytes.length, receiver), { instanceOf: InvalidDataError });
          return;
        }
        valid++;
        decodeNumbers(bytes, 0, bytes.length, receiver);
        if (reference.unforeseeable) return;
        t.deepEqual(valuesOf(receiver), reference.values);
        t.deepEqual(changedOf(receiver), reference.changed);
      }
    }),
    { numRuns: 1500 },
  );
  // The generator is no good if it makes one kind only.
  t.true(valid > 100 && invalid > 100, `${valid} valid, ${invalid} invalid`);
});

test('a column cut off anywhere is decoded or refused, and never read beyond its end', (t) => {
  const values = [1, 300, 70000, 20_000_000, 2 ** 45, 0.25, Math.PI, -0, Number.NaN];
  const whole = encoded(columnOf(values.length), values);
  for (let end = 0; end <= whole.length; end++) {
    const reference = new ReferenceColumn(values.length);
    let expected: number[] | undefined;
    try {
      reference.decode(whole.subarray(0, end));
      expected = reference.values;
    } catch {
      expected = undefined;
    }
    const receiver = columnOf(values.length);
    // The bytes after `end` are there, as they are in a message.
    if (expected === undefined)
      t.throws(() => decodeNumbers(whole, 0, end, receiver), { instanceOf: InvalidDataError }, `${end}`);
    else {
      decodeNumbers(whole, 0, end, receiver);
      t.deepEqual(valuesOf(receiver), expected, `${end}`);
    }
  }
});

const bad: Record<string, readonly number[]> = {
  'a value beyond the last cell': [0x09, 0x02],
  'a run beyond the last cell': [0x0b],
  'a very long run': [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  'a token of 2^53': [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  'a varint of 11 bytes': [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  'an unknown mode': [0x01, 0x20, 0x02],
  'a mode above 63': [0x01, 0xff, 0x02],
  'a mode change before a run': [0x01, 0x21, 0x03],
  'a mode change before another': [0x01, 0x21, 0x01, 0x22, 0x02],
  'a mode change at the end': [0x01, 0x21],
  'a mode change beyond the last cell': [0x09, 0x01, 0x21, 0x02],
  'a drift in a column whose cells do not drift': [0x01, 0x40, 0x02, 0x02],
  'nine zero bytes': [0x01, 0x3f, 0x82, 0x01],
  'an XOR cut off': [0x01, 0x3f, 0x00, 0x40],
};

for (const [title, bytes] of Object.entries(bad))
  test(`refused: ${title}`, (t) => {
    t.throws(() => decodeNumbers(Uint8Array.from(bytes), 0, bytes.length, columnOf(4)), {
      instanceOf: InvalidDataError,
    });
  });

const badDrifts: Record<string, readonly number[]> = {
  'a drift of no steps, in XOR': [0x01, 0x7f, 0x02, 0x02],
  'a drift in an unknown mode': [0x01, 0x60, 0x02, 0x02],
  'a drift cut off': [0x01, 0x40, 0x80],
  'a drift at the end': [0x01, 0x40, 0x02],
  'a drift before a run': [0x01, 0x40, 0x02, 0x03],
  'a drift of 2^53': [0x01, 0x40, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0x02],
  'a drift beyond the last cell': [0x09, 0x01, 0x40, 0x02, 0x02],
};

for (const [title, bytes] of Object.entries(badDrifts))
  test(`refused: ${title}`, (t) => {
    t.throws(
      () => decodeNumbers(Uint8Array.from(bytes), 0, bytes.length, columnOf(4, undefined, new Drifts())),
      {
        instanceOf: InvalidDataError,
      },
    );
  });

test('256 cells drift, and one more is refused', (t) => {
  const drifting = (cells: number) =>
    Uint8Array.from({ length: 4 * cells }, (_, i) => [1, 0x40, 2, 4][i % 4]);
  const column = columnOf(300, undefined, new Drifts());
  decodeNumbers(drifting(256), 0, 4 * 256, column);
  decodeNumbers(Uint8Array.of(), 0, 0, column);
  t.is(column.changedCount, 256);
  t.deepEqual([...column.values.subarray(0, 257)], [...new Array(256).fill(2), 0]);
  const error = t.throws(() => decodeNumbers(drifting(257), 0, 4 * 257, column), {
    instanceOf: InvalidDataError,
  });
  t.is(error.message, 'more than 256 values of a column drift');
});

test('an encoder tells no more than 256 drifts, and sends the others as they are', (t) => {
  const sender = columnOf(300, undefined, new Drifts());
  const receiver = columnOf(300, undefined, new Drifts());
  for (let report = 0; report < 20; report++) {
    const state = Array.from({ length: 300 }, (_, cell) => report * (1000 + cell));
    const bytes = encoded(sender, state);
    decodeNumbers(bytes, 0, bytes.length, receiver);
    t.deepEqual(valuesOf(receiver), state);
  }
  t.is(sender.drifts!.count, 256);
});

const overlong: Record<string, [bytes: readonly number[], values: readonly number[]]> = {
  'a value in five bytes': [
    [0x84, 0x80, 0x80, 0x80, 0x00],
    [1, 0],
  ],
  'a run in five bytes': [
    [0x83, 0x80, 0x80, 0x80, 0x00, 0x04],
    [0, 1],
  ],
  'a mode change in five bytes': [
    [0x81, 0x80, 0x80, 0x80, 0x00, 0x21, 0x04],
    [0.1, 0],
  ],
  'an XOR in five bytes': [
    [0x01, 0x3f, 0x8e, 0x80, 0x80, 0x80, 0x00, 0x80],
    [-0, 0],
  ],
};

for (const [title, [bytes, values]] of Object.entries(overlong))
  test(`overlong forms are read as protobuf does: ${title}`, (t) => {
    const column = columnOf(2);
    decodeNumbers(Uint8Array.from(bytes), 0, bytes.length, column);
    t.deepEqual(valuesOf(column), values as number[]);
  });

/** Bytes that a cell costs for one value after another, mode changes included. */
function costs(values: readonly number[], step?: number, drifts?: Drifts): number[] {
  const column = columnOf(1, step, drifts);
  return values.map((value) => encoded(column, [value]).length);
}

test('a step is taken at once: ticks of 0.01 and pages of 4096 cost one byte each', (t) => {
  t.deepEqual(costs([100, 100.05, 100.3, 100.31], 0.01).slice(1), [1, 1, 1]);
  t.deepEqual(costs([4096 * 1000, 4096 * 1001, 4096 * 999], 4096).slice(1), [1, 1]);
});

test('a step that does not hold is forgotten and does not flap', (t) => {
  const column = columnOf(1, 4096);
  const modes = [4096, 4097, 8192, 8193, 12288, 12289].map((value) => {
    encoded(column, [value]);
    return column.modes[0];
  });
  t.deepEqual(modes, [12, 0, 0, 0, 0, 0]);
});

test('decimals take the places they need', (t) => {
  const column = columnOf(1);
  const modes = [3, 3.5, 3.25, 3.5, 4, 3.125].map((value) => {
    encoded(column, [value]);
    return column.modes[0];
  });
  t.deepEqual(modes, [0, 0x21, 0x22, 0x22, 0x22, 0x23]);
});

test('one odd value does not leave a cell in XOR, nor in a mode of many places', (t) => {
  t.deepEqual(costs([0.1, 0.2, Number.NaN, 0.3, 0.4, 0.5]).slice(-2), [3, 1]);
  t.deepEqual(costs([20, 20.01, 20.000000000001, 20.01, 20.02, 20.03]).slice(-2), [3, 1]);
});

test('alternating values cost at most what XOR alone would', (t) => {
  const values = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? Math.sqrt(i + 2) : i / 2));
  const column = columnOf(1);
  column.modes[0] = xorMode;
  const total = costs(values).reduce((a, b) => a + b);
  t.true(total <= 9 * values.length + 2, `${total}`);
});

test('what moves steadily costs nothing after a few reports, and little when it stumbles', (t) => {
  const uptime = Array.from({ length: 12 }, (_, i) => (51_234_567 + 100 * i) / 100);
  t.deepEqual(costs(uptime, 0.01, new Drifts()), [6, 2, 2, 2, 6, 0, 0, 0, 0, 0, 0, 0]);
  let time = 5000;
  const idle = [0, 98, 99, 97, 100, 98, 99, 98, 97, 99, 98, 98, 99].map((moved) => (time += moved));
  t.deepEqual(costs(idle, undefined, new Drifts()).slice(-6), [0, 1, 1, 0, 0, 1]);
});

test('what drifts no longer is told so', (t) => {
  const column = columnOf(1, undefined, new Drifts());
  const sizes = Array.from({ length: 40 }, (_, i) => encoded(column, [Math.min(i, 20) * 1000]).length);
  t.is(column.drifts!.count, 0);
  t.deepEqual(sizes.slice(12, 20), [0, 0, 0, 0, 0, 0, 0, 0]);
  t.deepEqual(sizes.slice(-8), [0, 0, 0, 0, 0, 0, 0, 0]);
});

test('noise is not taken for a drift', (t) => {
  const column = columnOf(1, undefined, new Drifts());
  let value = 0;
  for (let i = 0; i < 200; i++) {
    value += (i * 7919) % 31;
    encoded(column, [value]);
    t.is(column.drifts!.count, 0);
  }
});

test('modes of steps', (t) => {
  t.is(modeOfStep(1), 0);
  t.is(modeOfStep(4096), 12);
  t.is(modeOfStep(1000), 3);
  t.is(modeOfStep(2 ** 40), 30);
  t.is(modeOfStep(0.01), 0x22);
  t.is(modeOfStep(0.25), 0x22);
  t.is(modeOfStep(1e-12), 0x2c);
  for (const step of [0, -1, Number.NaN, Infinity, 1e-13, 1 / 3]) t.is(modeOfStep(step), noMode, `${step}`);
  const modes = Array.from({ length: 256 }, (_, mode) => mode).filter(isMode);
  t.deepEqual(modes, [
    ...Array.from({ length: 31 }, (_, k) => k),
    ...Array.from({ length: 12 }, (_, k) => 0x21 + k),
    0x3f,
  ]);
});
