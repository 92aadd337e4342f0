import test from 'ava';
import fc from 'fast-check';
import { bucketIndex, isIndex, maxScale, upperBoundary } from '../../../otel/state/exponential-mapping.ts';
import { modelBoundary, modelIndex } from './exponential-model.ts';

const values = fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true, minExcluded: false });
const exactScales = fc.integer({ min: -10, max: 6 });
const bits = new DataView(new ArrayBuffer(8));

function stepped(value: number, steps: number): number {
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) + BigInt(steps));
  return bits.getFloat64(0);
}

/** floor(2^200 * 2^(part / 2^20)), by the square roots of 2. */
function fixedPower(part: number): bigint {
  let power = 1n << 200n;
  let root = 2n << 200n;
  for (let bit = 19; bit >= 0; bit--) {
    root = squareRoot(root << 200n);
    if (part & (1 << bit)) power = (power * root) >> 200n;
  }
  return power;
}

function squareRoot(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

test('a value lies above the lower boundary of its bucket, and at most at the upper one', (t) => {
  fc.assert(
    fc.property(
      values,
      exactScales,
      (value, scale) => bucketIndex(value, scale) === modelIndex(value, scale),
    ),
    { numRuns: 1000 },
  );
  t.pass();
});

test('powers of two are upper boundaries at every scale, and the next doubles are on either side', (t) => {
  for (let exponent = -1074; exponent < 1024; exponent += exponent < -1000 || exponent > 1000 ? 1 : 37)
    for (let scale = -10; scale <= maxScale; scale++) {
      const power = 2 ** exponent;
      const index = Math.ceil(exponent * 2 ** scale) - 1;
      t.is(bucketIndex(power, scale), index);
      if (exponent < -1022) continue;
      t.is(bucketIndex(stepped(power, -1), scale), Math.ceil((exponent - 1e-12) * 2 ** scale) - 1);
      t.is(bucketIndex(stepped(power, 1), scale), Math.floor(exponent * 2 ** scale));
    }
});

test('next to the boundaries of the finest scale', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 20 - 1 }),
      fc.integer({ min: -1020, max: 1020 }),
      (part, exponent) => {
        // The double below the boundary has its leading 52 bits after the point.
        const below = Number(fixedPower(part) >> 148n) * 2 ** -52;
        const index = exponent * 2 ** 20 + part;
        t.is(bucketIndex(below * 2 ** exponent, 20), index - 1);
        t.is(bucketIndex(stepped(below, 1) * 2 ** exponent, 20), index);
      },
    ),
    { numRuns: 300 },
  );
});

test('the index at a coarser scale is that of a finer one, shifted', (t) => {
  fc.assert(
    fc.property(values, fc.integer({ min: -10, max: 20 }), (value, scale) => {
      t.is(bucketIndex(value, scale), bucketIndex(value, 20) >> (20 - scale));
    }),
    { numRuns: 500 },
  );
});

test('an upper boundary is the greatest double in its bucket', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: -2, max: 6 }), (index, scale) => {
      if (isIndex(index, scale)) t.is(upperBoundary(index, scale), modelBoundary(index, scale));
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (value, scale) => {
      const index = bucketIndex(value, scale);
      const boundary = upperBoundary(index, scale);
      t.true(boundary >= value);
      t.is(bucketIndex(boundary, scale), index);
      if (boundary < Number.MAX_VALUE) t.true(bucketIndex(stepped(boundary, 1), scale) > index);
    }),
    { numRuns: 500 },
  );
  t.is(upperBoundary(0, -10), Number.MAX_VALUE);
  t.is(upperBoundary(1023, 0), Number.MAX_VALUE);
  t.is(upperBoundary(-1, -10), 1);
  t.is(upperBoundary(-1100, 0), 0);
  t.is(upperBoundary(-1100 * 8 + 3, 3), 0);
});

test('indexes that no double needs', (t) => {
  t.true(isIndex(bucketIndex(5e-324, 20), 20));
  t.true(isIndex(bucketIndex(Number.MAX_VALUE, 20), 20));
  t.true(isIndex(-2, -10));
  t.false(isIndex(1.5, 0));
  t.false(isIndex(1025, 0));
  t.false(isIndex(-1077, 0));
  t.false(isIndex(2 ** 31 - 1, 20));
  t.false(isIndex(-4, -10));
});
