import test from 'ava';
import fc from 'fast-check';
import { attributes } from '../../../../otel/model/attributes.ts';
import { metric } from '../../../../otel/model/metric.ts';
import { Core } from '../../../collector/core.ts';
import { define, member, report, view } from '../../../collector/outputs/members.ts';
import { readCollection } from '../../../model/read-collection.ts';
import { adversarial, exact, exactSum, larger, magnitude, rounded } from './exact.ts';

const jobs = metric({ name: 'jobs', kind: 'sum', isMonotonic: true });
const open = metric({ name: 'open', kind: 'sum' });
const took = metric({ name: 'took', kind: 'histogram', explicitBounds: [1, 2], hasSum: true });

const whole = fc.oneof(
  fc.nat(1000),
  fc.integer({ min: 0, max: 2 ** 45 }),
  fc.constantFrom(0, -0, 2 ** 49 - 1),
);
const double = fc.oneof(fc.constantFrom(...adversarial), fc.double({ min: 0, max: 1e300, noNaN: true }));

/** What a member counts in one life: a first value, which is a baseline or not, and the last one, which is not below. */
interface Life {
  readonly isSeen: boolean;
  readonly first: number;
  readonly last: number;
}

interface Told {
  readonly lives: readonly Life[];
  /** It is retired and freed at the end, which adds its share to what is kept. */
  readonly isFreed: boolean;
}

function told(value: fc.Arbitrary<number>): fc.Arbitrary<Told[]> {
  const life = fc
    .record({ isSeen: fc.boolean(), values: fc.tuple(value, value) })
    .map(({ isSeen, values }) => {
      const [first, last] = values.sort((a, b) => a - b);
      return { isSeen, first, last };
    });
  return fc.array(
    fc.record({ lives: fc.array(life, { minLength: 1, maxLength: 3 }), isFreed: fc.boolean() }),
    { minLength: 1, maxLength: 8 },
  );
}

/**
 * The total after members have told all that in the order given, each in its turn, those that end freed as they do; and what the intervals of a
 * delta reader come to, without rounding.
 */
function total(list: readonly Told[], order: readonly number[], collectsOften: boolean): [number, bigint] {
  const core = new Core({ views: [view({ resourceKeys: [] })] });
  const reader = core.outputs.addReader('delta');
  let intervals = 0n;
  const collect = () => {
    core.nowUs += 1e6;
    for (const [{ value }] of readCollection(core.outputs.collect(reader, core.nowUs)).values())
      intervals += exact(value as number);
    core.outputs.delivered(reader);
  };
  for (const i of order) {
    const stream = member(core, `m${i}`);
    const { lives, isFreed } = list[i];
    let number = 0;
    for (const [l, { isSeen, first, last }] of lives.entries()) {
      if (number !== 0) stream.retire(number, 'idle');
      const of = { metric: jobs, attributes: attributes({}), group: 0, isForeign: false };
      number = stream.define(of, `${i} ${l}`, isSeen ? 1 : undefined, 0);
      for (const value of [first, last]) report(core, stream, { [number]: value });
      if (collectsOften) collect();
    }
    if (isFreed) {
      stream.retire(number, 'gone');
      core.wait(2);
      collect();
      core.wait(2);
    }
  }
  collect();
  const [shown] = core.values('jobs') as number[];
  core.sessions.stop();
  return [shown, intervals];
}

/** The same without rounding, and what the roundings may come to. */
function truth(list: readonly Told[]): { counted: bigint; bound: bigint } {
  let counted = 0n;
  let bound = 0n;
  for (const { lives } of list) {
    let own = 0n;
    let largest = 0n;
    for (const { isSeen, first, last } of lives) {
      own += exact(last) - (isSeen ? 0n : exact(first));
      largest = larger(largest, larger(exact(last), own));
    }
    counted += own;
    // One subtraction in an epoch; another one for what the epochs before counted, which is rounded by twice as much: see docs/aggregation.md.
    bound += rounded(3 * lives.length - 2, largest);
  }
  return { counted, bound: bound + rounded(list.length, counted + bound) };
}

function shuffled(list: readonly Told[], keys: readonly number[]): number[] {
  return list.map((_, i) => i).sort((a, b) => keys[a % keys.length] - keys[b % keys.length] || a - b);
}

const keys = fc.array(fc.nat(100), { minLength: 8, maxLength: 8 });

test('counters of whole numbers: the total is exact, in whatever order members come, restart and are freed', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(told(whole), keys, fc.boolean(), (list, order, collectsOften) => {
        const { counted } = truth(list);
        for (const one of [list.map((_, i) => i), shuffled(list, order)]) {
          const [found, intervals] = total(list, one, collectsOften);
          if (intervals !== counted) throw new Error(`intervals of ${intervals} for ${counted}`);
          if (exact(found) !== counted) throw new Error(`${found} for ${counted} in the order ${one}`);
        }
      }),
      { numRuns: 80 },
    ),
  );
});

test('counters of doubles: in every order within the stated bound of the exact total, whatever the values', (t) => {
  let inexact = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(told(double), keys, fc.boolean(), (list, order, collectsOften) => {
        const { counted, bound } = truth(list);
        for (const one of [list.map((_, i) => i), shuffled(list, order)]) {
          const [found, intervals] = total(list, one, collectsOften);
          if (magnitude(intervals - exact(found)) > rounded(1, exact(found)))
            throw new Error(`intervals of ${intervals} for ${found}`);
          const off = magnitude(exact(found) - counted);
          if (off !== 0n) inexact++;
          if (off > bound)
            throw new Error(`${found} is off by ${off}, more than ${bound}, in the order ${one}`);
        }
      }),
      { numRuns: 150 },
    ),
  );
  t.true(inexact > 20, 'there was something to round');
});

test('sums that may fall: within n roundings of the sum of magnitudes, in every order; whole numbers exactly', (t) => {
  const signed = (value: fc.Arbitrary<number>) =>
    fc.tuple(value, fc.boolean()).map(([v, isNegative]) => (isNegative ? -v : v));
  const lists = fc.oneof(
    fc.record({
      isWhole: fc.constant(true),
      values: fc.array(signed(whole), { minLength: 1, maxLength: 10 }),
    }),
    fc.record({
      isWhole: fc.constant(false),
      values: fc.array(signed(double), { minLength: 1, maxLength: 10 }),
    }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(lists, keys, ({ isWhole, values }, order) => {
        const exactly = exactSum(values);
        const bound = isWhole ? 0n : rounded(values.length - 1, exactSum(values.map(Math.abs)));
        const places = values.map((_, i) => i);
        for (const one of [places, [...places].sort((a, b) => order[a % 8] - order[b % 8])]) {
          const core = new Core({ views: [view({ resourceKeys: [] })] });
          for (const i of one) {
            const stream = member(core, `m${i}`);
            report(core, stream, { [define(stream, open)]: values[i] });
          }
          const [found] = core.values('open') as number[];
          const off = magnitude(exact(found) - exactly);
          if (off > bound) throw new Error(`${found} is off by ${off}, more than ${bound}`);
          core.sessions.stop();
        }
      }),
      { numRuns: 80 },
    ),
  );
});

test('the least, the greatest and how many: the same in every order, NaN and infinities included', (t) => {
  const any = fc.oneof(double, fc.constantFrom(NaN, Infinity, -Infinity, -1e308));
  const load = metric({ name: 'load', kind: 'gauge' });
  const views = (['min', 'max', 'count'] as const).map((members) =>
    view({ name: members, members, resourceKeys: [] }, 'load'),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 8 }), keys, (values, order) => {
        const places = values.map((_, i) => i);
        const [inOrder, otherwise] = [places, [...places].sort((a, b) => order[a] - order[b])].map((one) => {
          const core = new Core({ views });
          for (const i of one) {
            const stream = member(core, `m${i}`);
            report(core, stream, { [define(stream, load)]: values[i] });
          }
          const found = ['min', 'max', 'count'].map((name) => core.values(name)[0] as number);
          core.sessions.stop();
          // A zero's sign is that of the first zero.
          return found.map((value) => value + 0);
        });
        const numbers = values.filter((value) => !Number.isNaN(value));
        const [least, greatest] = [Math.min(...numbers), Math.max(...numbers)];
        const expected = numbers.length === 0 ? [NaN, NaN] : [least + 0, greatest + 0];
        for (const found of [inOrder, otherwise])
          if (![...expected, values.length].every((value, i) => Object.is(value, found[i])))
            throw new Error(`${found} for ${expected}`);
      }),
      { numRuns: 80 },
    ),
  );
});

test('explicit histograms: counts are exact in every order, the sum within n roundings of its magnitudes', (t) => {
  const one = fc.record({
    counts: fc.array(whole, { minLength: 3, maxLength: 3 }),
    sum: fc.tuple(double, fc.boolean()).map(([v, isNegative]) => (isNegative ? -v : v)),
    isFreed: fc.boolean(),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), keys, (list, order) => {
        const counts = [0, 1, 2].map((b) => exactSum(list.map((h) => h.counts[b])));
        const sum = exactSum(list.map((h) => h.sum));
        const bound = rounded(list.length, exactSum(list.map((h) => Math.abs(h.sum))));
        const places = list.map((_, i) => i);
        for (const turn of [places, [...places].sort((a, b) => order[a] - order[b])]) {
          const core = new Core({ views: [view({ resourceKeys: [] })] });
          for (const i of turn) {
            const stream = member(core, `m${i}`);
            const number = define(stream, took);
            report(core, stream, { [number]: [...list[i].counts, list[i].sum] });
            if (!list[i].isFreed) continue;
            stream.retire(number, 'gone');
            core.wait(2);
          }
          const found = core.values('took')[0] as number[];
          counts.forEach((count, b) => {
            if (exact(found[b]) !== count) throw new Error(`bucket ${b} is ${found[b]} for ${count}`);
          });
          const off = magnitude(exact(found[3]) - sum);
          if (off > bound) throw new Error(`the sum ${found[3]} is off by ${off}, more than ${bound}`);
          core.sessions.stop();
        }
      }),
      { numRuns: 80 },
    ),
  );
});
