import test from 'ava';
import fc from 'fast-check';
import { bringTogether, ExponentialCounts } from '../../../otel/state/exponential-counts.ts';
import { countsOf, histograms, modelOf, scales, thresholds } from './exponential-arbitraries.ts';
import {
  hasBuckets,
  isNothing,
  type ModelHistogram,
  modelCount,
  modelDownscaled,
  modelFitted,
  modelHistogram,
  modelRaised,
  modelSum,
  modelTogether,
  plain,
} from './exponential-model.ts';

function added(...parts: ModelHistogram[]): ModelHistogram {
  const counts = new ExponentialCounts();
  counts.begin(20, 0, 10_000);
  for (const part of parts) counts.add(countsOf(part), 1);
  return modelOf(counts);
}

test('adding is what the data model says', (t) => {
  fc.assert(
    fc.property(histograms(), histograms(), (a, b) => {
      t.deepEqual(plain(added(a, b)), plain(modelSum(a, b)));
    }),
    { numRuns: 1000 },
  );
});

test('adding is commutative, and conserves what is counted', (t) => {
  fc.assert(
    fc.property(histograms(), histograms(), (a, b) => {
      const sum = added(a, b);
      t.deepEqual(plain(sum), plain(added(b, a)));
      t.is(modelCount(sum), modelCount(a) + modelCount(b));
    }),
    { numRuns: 500 },
  );
});

test('adding is associative at one threshold whatever the scales, and at one scale whatever the thresholds', (t) => {
  const three = (of: fc.Arbitrary<ModelHistogram>) => fc.tuple(of, of, of);
  fc.assert(
    fc.property(
      fc.oneof(
        thresholds.chain((one) => three(histograms({ zeroThreshold: fc.constant(one) }))),
        scales.chain((one) => three(histograms({ scale: fc.constant(one) }))),
      ),
      ([a, b, c]) => {
        t.deepEqual(plain(added(added(a, b), c)), plain(added(a, added(b, c))));
      },
    ),
    { numRuns: 500 },
  );
});

test('any order of adding gives the same once brought to one scale and threshold', (t) => {
  fc.assert(
    fc.property(histograms(), histograms(), histograms(), (a, b, c) => {
      const left = added(added(a, b), c);
      const right = added(a, added(b, c));
      const [one, other] = modelTogether(left, right);
      t.deepEqual(plain(one), plain(other));
    }),
    { numRuns: 500 },
  );
});

test('what is added and taken away again leaves the rest, at the coarser scale and the higher threshold', (t) => {
  fc.assert(
    fc.property(histograms(), histograms(), (a, b) => {
      const counts = countsOf(modelSum(a, b));
      counts.add(countsOf(b), -1);
      const [expected] = modelTogether(a, modelSum(a, b));
      t.deepEqual(plain(modelOf(counts)), plain({ ...expected, zeroThreshold: counts.zeroThreshold }));
      t.is(modelCount(modelOf(counts)), modelCount(a));
      t.is(counts.isNothing, isNothing(a));
    }),
    { numRuns: 500 },
  );
});

test('a coarser scale and a higher threshold', (t) => {
  fc.assert(
    fc.property(histograms(), fc.nat(8), thresholds, (h, by, threshold) => {
      const counts = countsOf(h);
      counts.downscaleTo(h.scale - by);
      const coarser = hasBuckets(h) ? modelDownscaled(h, h.scale - by) : h;
      t.deepEqual(plain(modelOf(counts)), plain(coarser));
      counts.raiseZeroThreshold(threshold);
      const expected = isNothing(h) ? h : modelRaised(coarser, threshold);
      t.deepEqual(plain(modelOf(counts)), plain(expected));
      // The same again changes nothing.
      counts.raiseZeroThreshold(threshold);
      counts.raiseZeroThreshold(counts.zeroThreshold);
      t.deepEqual(plain(modelOf(counts)), plain(expected));
    }),
    { numRuns: 500 },
  );
});

test('brought together, two can be compared bucket by bucket', (t) => {
  fc.assert(
    fc.property(histograms(), histograms(), (a, b) => {
      fc.pre(!isNothing(a) && !isNothing(b));
      const one = countsOf(a);
      const other = countsOf(b);
      bringTogether(one, other);
      const [expectedOne, expectedOther] = modelTogether(a, b);
      t.deepEqual(plain(modelOf(one)), plain(expectedOne));
      t.deepEqual(plain(modelOf(other)), plain(expectedOther));
      t.is(one.zeroThreshold, other.zeroThreshold);
    }),
    { numRuns: 500 },
  );
});

test('both sides fit, at the finest scale that they fit in', (t) => {
  const spread = fc
    .uniqueArray(fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.nat(5)), {
      maxLength: 5,
      selector: ([index]) => index,
    })
    .map((cells) => new Map(cells.map(([index, count]) => [index, count + 1] as const)));
  const wide = fc
    .record({ positive: spread, negative: spread, scale: fc.integer({ min: 3, max: 20 }) })
    .map(modelHistogram);
  fc.assert(
    fc.property(wide, wide, fc.integer({ min: 2, max: 200 }), (a, b, maxSize) => {
      const counts = countsOf(a, maxSize);
      counts.add(countsOf(b), 1);
      t.deepEqual(plain(modelOf(counts)), plain(modelFitted(modelSum(a, b), maxSize)));
    }),
    { numRuns: 300 },
  );
});

test('a copy is equal, and of its own', (t) => {
  fc.assert(
    fc.property(histograms(), histograms(), (a, b) => {
      const counts = countsOf(a);
      const copy = countsOf(b);
      copy.copyFrom(counts);
      counts.add(countsOf(b), 1);
      t.deepEqual(plain(modelOf(copy)), plain(a));
    }),
    { numRuns: 100 },
  );
});

test('what went to the zero count leaves no empty buckets that would take a coarser scale', (t) => {
  // Buckets 5 and 11 at scale 2 fit into four at scale 1; between them and the threshold of 1 there is nothing.
  const wide = modelHistogram({
    scale: 2,
    positive: new Map([
      [-4, 4],
      [5, 1],
      [11, 3],
    ]),
  });
  const added = new ExponentialCounts();
  added.begin(2, 1, 4);
  added.add(countsOf(wide), 1);
  const expected = {
    scale: 1,
    zeroThreshold: 1,
    zeroCount: 4,
    positive: [
      [2, 1],
      [5, 3],
    ],
    negative: [],
    sum: 0,
  };
  t.deepEqual(plain(modelOf(added)), expected);
  const raised = new ExponentialCounts();
  raised.begin(2, 0, 8);
  raised.add(
    countsOf(
      modelHistogram({
        scale: 2,
        positive: new Map([
          [-1, 1],
          [6, 1],
        ]),
      }),
    ),
    1,
  );
  raised.raiseZeroThreshold(1);
  raised.add(countsOf(modelHistogram({ scale: 2, positive: new Map([[13, 1]]) })), 1);
  t.is(raised.scale, 2, 'buckets 6 to 13 are eight');
});
