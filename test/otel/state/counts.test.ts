import test from 'ava';
import { finiteTotal, isCount, maxCount } from '../../../otel/state/counts.ts';

test('counts are whole numbers from 0 to 2^53', (t) => {
  for (const count of [0, -0, 1, 2 ** 40 + 1, maxCount]) t.true(isCount(count), `${count}`);
  for (const other of [-1, 0.5, 5e-324, maxCount + 2, 1e300, Infinity, NaN, -Infinity])
    t.false(isCount(other), `${other}`);
});

test('a total stays finite', (t) => {
  for (const total of [0, -0, 5e-324, 1e308, -1e308]) t.is(finiteTotal(total), total);
  t.is(finiteTotal(Infinity), Number.MAX_VALUE);
  t.is(finiteTotal(-Infinity), -Number.MAX_VALUE);
  t.is(finiteTotal(NaN), 0);
});
