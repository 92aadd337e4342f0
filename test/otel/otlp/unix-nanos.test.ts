import test from 'ava';
import fc from 'fast-check';
import { UnixNanos, unixNanosText } from '../../../otel/otlp/unix-nanos.ts';

function nanosOf(timeUs: number): bigint {
  const nanos = new UnixNanos();
  nanos.set(timeUs);
  return (BigInt(nanos.high) << 32n) | BigInt(nanos.low);
}

test('every whole microsecond is exact', (t) => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (timeUs) => {
      t.is(nanosOf(timeUs), BigInt(timeUs) * 1000n);
      t.is(unixNanosText(timeUs), `${BigInt(timeUs) * 1000n}`);
    }),
    { numRuns: 500 },
  );
});

test('a fraction of a microsecond is rounded to the nanosecond', (t) => {
  t.is(nanosOf(1_700_000_000_000_000 + 0.25), 1_700_000_000_000_000_250n);
  t.is(nanosOf(0.9999), 1000n);
});

test('times that are none are unknown', (t) => {
  for (const timeUs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64]) t.is(nanosOf(timeUs), 0n);
});

test('a time after another is not mixed up with it', (t) => {
  const nanos = new UnixNanos();
  for (const timeUs of [5, 0, 5, Number.NaN, 7]) {
    nanos.set(timeUs);
    t.is(nanos.low, Number.isNaN(timeUs) ? 0 : timeUs * 1000);
  }
});
