import test from 'ava';
import fc from 'fast-check';
import { Drifts } from '../../../proto/columns/drifts.ts';
import { NumberColumn } from '../../../proto/columns/number-column.ts';

const anySteps = fc.array(
  fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ set: fc.nat(40), steps: fc.constantFrom(0, 0, 1, -3, 500) }),
    fc.record({ remove: fc.uniqueArray(fc.nat(60), { maxLength: 6 }) }),
    fc.record({ changed: fc.uniqueArray(fc.nat(40), { maxLength: 12 }) }),
  ),
  { maxLength: 40 },
);

test('drifts stay with their series, move their values and join those that changed', (t) => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const drifts = new Drifts();
      const column = new NumberColumn(drifts);
      let model: { number: number; value: number; drift: number }[] = [];
      let last = 0;
      for (const step of steps) {
        if ('append' in step) {
          for (let i = 0; i < step.append; i++) {
            last += 1 + (i % 2);
            column.append(last, 0);
            model.push({ number: last, value: 0, drift: 0 });
          }
        } else if ('set' in step) {
          if (step.set >= model.length) continue;
          drifts.set(step.set, step.steps);
          model[step.set].drift = step.steps;
        } else if ('remove' in step) {
          const numbers = step.remove.sort((a, b) => a - b);
          column.remove(numbers);
          model = model.filter(({ number }) => !numbers.includes(number));
        } else {
          drifts.move(column);
          for (const series of model) series.value += series.drift;
          const changed = step.changed.filter((cell) => cell < model.length).sort((a, b) => a - b);
          column.changed.set(changed);
          const count = drifts.join(column.changed, changed.length);
          const drifting = model.flatMap(({ drift }, cell) => (drift === 0 ? [] : [cell]));
          t.deepEqual(
            [...column.changed.subarray(0, count)],
            [...new Set([...changed, ...drifting])].sort((a, b) => a - b),
          );
        }
        t.deepEqual(
          [...column.values.subarray(0, column.size)],
          model.map(({ value }) => value),
        );
        t.deepEqual(
          Array.from({ length: drifts.count }, (_, i) => [drifts.cells[i], drifts.steps[i]]),
          model.flatMap(({ drift }, cell) => (drift === 0 ? [] : [[cell, drift]])),
        );
      }
    }),
    { numRuns: 200 },
  );
});
