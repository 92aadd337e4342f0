import test from 'ava';
import fc from 'fast-check';
import { ExpositionReport } from '../../../otel/prometheus/exposition-report.ts';
import { PrometheusWriter } from '../../../otel/prometheus/writer.ts';
import { type ParsedSample, parseExposition } from './exposition-parser.ts';
import {
  collectionOf,
  type PlainBuckets,
  type PlainExponential,
  type PlainPoint,
} from './test-collection.ts';

function samplesOf(point: PlainPoint): readonly ParsedSample[] {
  const collection = collectionOf({
    attributes: { 'service.name': 's' },
    metrics: [{ name: 'size', kind: 'exponential_histogram', hasSum: true, points: [point] }],
  });
  const text = [...new PrometheusWriter().write(collection, 'text', new ExpositionReport())].join('');
  const family = parseExposition(text, false).get('size')!;
  if (family.type !== 'histogram') throw new Error(`the type is ${family.type}`);
  return family.samples;
}

/** By `le`: how much is at most that. */
function buckets(samples: readonly ParsedSample[]): Map<string, number> {
  return new Map(
    samples
      .filter(({ name }) => name === 'size_bucket')
      .map(({ labels, value }) => [labels.get('le')!, value]),
  );
}

/** Values are ±2^(n / 2048), or zero: on which side of a power of two they are needs no arithmetic of doubles. */
interface Value {
  sign: -1 | 0 | 1;
  n: number;
}

const unit = 2048;

function histogramOf(values: readonly Value[], scale: number): PlainExponential {
  const side = (sign: number): PlainBuckets => {
    const indices = values
      .filter((value) => value.sign === sign)
      .map(({ n }) =>
        scale >= 0 ? Math.ceil((n * 2 ** scale) / unit) - 1 : Math.ceil(n / (unit * 2 ** -scale)) - 1,
      );
    if (indices.length === 0) return { offset: 0, counts: [] };
    const offset = Math.min(...indices);
    const counts = Array.from({ length: Math.max(...indices) - offset + 1 }, () => 0);
    for (const index of indices) counts[index - offset]!++;
    return { offset, counts };
  };
  const zeroCount = values.filter(({ sign }) => sign === 0).length;
  return { scale, zeroCount, positive: side(1), negative: side(-1) };
}

const values = fc.array(
  fc.record({
    sign: fc.constantFrom<-1 | 0 | 1>(1, 1, 1, 0, -1),
    n: fc.oneof(
      fc.integer({ min: -25 * unit, max: 45 * unit }),
      fc.integer({ min: -25, max: 45 }).map((power) => power * unit),
    ),
  }),
  { maxLength: 60 },
);

test('what stands at each le is how many of the values are at most that', (t) => {
  fc.assert(
    fc.property(values, fc.integer({ min: -4, max: 6 }), (all, scale) => {
      const found = buckets(samplesOf({ exponential: histogramOf(all, scale) }));
      let powers = 0;
      for (const [le, count] of found) {
        const bound = Number(le);
        const power = bound === 0 ? Number.NEGATIVE_INFINITY : Math.log2(bound);
        if (Number.isFinite(power)) powers++;
        const expected = all.filter(({ sign, n }) => sign <= 0 || n <= power * unit).length;
        t.is(count, le === '+Inf' ? all.length : expected, `le ${le}`);
      }
      // Every power of two, or every 2^-scale-th.
      t.is(
        powers,
        scale >= 0
          ? 61
          : Array.from({ length: 61 }, (_, k) => k - 20).filter((k) => k % 2 ** -scale === 0).length,
      );
      t.true(found.has('0') && found.has('+Inf'));
    }),
    { numRuns: 150 },
  );
});

test('the bounds stay while the scale and the values change', (t) => {
  const one = histogramOf([{ sign: 1, n: 5 }], 6);
  const many = histogramOf(
    Array.from({ length: 40 }, (_, i) => ({ sign: 1, n: i * unit })),
    0,
  );
  const bounds = [...buckets(samplesOf({ exponential: one })).keys()];
  t.deepEqual([...buckets(samplesOf({ exponential: many })).keys()], bounds);
  t.deepEqual(
    [bounds[0], bounds[1], bounds[21], bounds[61]],
    ['0', '9.5367431640625e-7', '1', '1099511627776'],
  );
});

test('bounds below the zero threshold are left out: what is there cannot be told', (t) => {
  const exponential = {
    ...histogramOf(
      [
        { sign: 0, n: 0 },
        { sign: 1, n: 2 * unit },
      ],
      2,
    ),
    zeroThreshold: 0.3,
  };
  const found = buckets(samplesOf({ exponential }));
  t.deepEqual([...found].slice(0, 4), [
    ['0.5', 1],
    ['1', 1],
    ['2', 1],
    ['4', 2],
  ]);
});

test('there is a sum while no value is below zero, and a count', (t) => {
  const rest = (all: Value[], sum: number) =>
    samplesOf({ exponential: histogramOf(all, 3), sum })
      .filter(({ name }) => name !== 'size_bucket')
      .map(({ name, value }) => `${name} ${value}`);
  t.deepEqual(rest([{ sign: 1, n: 0 }], 1), ['size_sum 1', 'size_count 1']);
  t.deepEqual(
    rest(
      [
        { sign: -1, n: 0 },
        { sign: 1, n: unit },
      ],
      1,
    ),
    ['size_count 2'],
  );
});
