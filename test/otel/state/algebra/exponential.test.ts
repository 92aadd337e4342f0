import test from 'ava';
import fc from 'fast-check';
import { ExponentialCounts } from '../../../../otel/state/exponential-counts.ts';
import { histograms, modelOf, valueOfModel } from '../exponential-arbitraries.ts';
import { type ModelHistogram, modelTogether, plain } from '../exponential-model.ts';

function empty(maxSize: number): ExponentialCounts {
  const counts = new ExponentialCounts();
  counts.begin(20, 0, maxSize);
  return counts;
}

function addedUp(list: readonly ModelHistogram[], maxSize: number): ExponentialCounts {
  const counts = empty(maxSize);
  for (const h of list) counts.add(valueOfModel(h), 1);
  return counts;
}

/** Groups of members are added up first, and then the groups: what a view of views would do. */
function inGroups(
  list: readonly ModelHistogram[],
  sizes: readonly number[],
  maxSize: number,
): ExponentialCounts {
  const total = empty(maxSize);
  for (let at = 0, g = 0; at < list.length; g++) {
    const size = sizes[g % sizes.length];
    total.add(addedUp(list.slice(at, at + size), maxSize), 1);
    at += size;
  }
  return total;
}

const order = fc.array(fc.nat(100), { minLength: 6, maxLength: 6 });
const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });

function shuffled<T>(list: readonly T[], keys: readonly number[]): T[] {
  return list
    .map((item, i) => ({ item, key: keys[i % keys.length] }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

test('without zero thresholds, adding up is commutative and associative to the last bucket, in as few buckets as asked for', (t) => {
  const list = fc.array(histograms({ zeroThreshold: fc.constant(0) }), { maxLength: 6 });
  t.notThrows(() =>
    fc.assert(
      fc.property(list, order, sizes, fc.constantFrom(2, 3, 8, 160), (members, keys, groups, maxSize) => {
        const expected = JSON.stringify(plain(modelOf(addedUp(members, maxSize))));
        for (const found of [
          addedUp(shuffled(members, keys), maxSize),
          inGroups(members, groups, maxSize),
          inGroups(shuffled(members, keys), groups, maxSize),
        ]) {
          const one = JSON.stringify(plain(modelOf(found)));
          if (one !== expected) throw new Error(`${one} for ${expected}`);
        }
      }),
      { numRuns: 400 },
    ),
  );
});

test('with zero thresholds, every order comes to the same at one scale and zero threshold', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(histograms(), { maxLength: 6 }), order, sizes, (members, keys, groups) => {
        const one = modelOf(addedUp(members, 10_000));
        for (const other of [
          addedUp(shuffled(members, keys), 10_000),
          inGroups(shuffled(members, keys), groups, 10_000),
        ]) {
          const [a, b] = modelTogether(one, modelOf(other)).map((h) => JSON.stringify(plain(h)));
          if (a !== b) throw new Error(`${a} and ${b}`);
        }
      }),
      { numRuns: 400 },
    ),
  );
});
