import test from 'ava';
import fc from 'fast-check';
import { NumberColumn } from '../../../proto/columns/number-column.ts';

interface Series {
  number: number;
  attached: number;
  width: number;
}

const anySteps = fc.array(
  fc.oneof(
    fc.record({
      width: fc.integer({ min: 1, max: 5 }),
      gap: fc.integer({ min: 1, max: 3 }),
      mode: fc.nat(30),
    }),
    fc.record({ remove: fc.uniqueArray(fc.nat(60), { maxLength: 8 }) }),
  ),
  { maxLength: 40 },
);

test('a column holds what a plain list would, whatever comes and goes', (t) => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const column = new NumberColumn();
      let model: Series[] = [];
      let number = 0;
      for (const step of steps) {
        if ('remove' in step) {
          const numbers = step.remove.sort((a, b) => a - b);
          column.remove(numbers);
          model = model.filter((series) => !numbers.includes(series.number));
        } else {
          number += step.gap;
          const first = column.append(number, number + 1000, step.width, step.mode);
          for (let i = 0; i < step.width; i++) {
            column.values[first + i] = number + i / 10;
            column.modes[first + i] = number % 31;
          }
          model.push({ number, attached: number + 1000, width: step.width });
        }
        const cells = model.flatMap(({ number, attached, width }) =>
          Array.from({ length: width }, (_, i) => ({
            value: number + i / 10,
            mode: number % 31,
            number,
            attached,
          })),
        );
        t.is(column.size, cells.length);
        t.deepEqual(
          cells.map((_, i) => ({
            value: column.values[i],
            mode: column.modes[i],
            number: column.numbers[i],
            attached: column.attached[i],
          })),
          cells,
        );
        let first = 0;
        for (const series of model) {
          t.is(column.indexOf(series.number), first);
          for (let i = 0; i < series.width; i++) t.is(column.offsets?.[first + i] ?? first, first);
          first += series.width;
        }
        t.is(column.indexOf(number + 1), -1);
        if (column.size > 0) t.is(column.words.buffer, column.values.buffer);
        t.true(column.changed.length >= column.size);
      }
    }),
    { numRuns: 150 },
  );
});

test('a cell that is used again starts at 0 in mode 0', (t) => {
  const column = new NumberColumn();
  column.append(1, 0);
  column.values[0] = 5;
  column.modes[0] = 3;
  column.remove([1]);
  column.append(2, 9);
  t.is(column.values[0], 0);
  t.is(column.modes[0], 0);
});
