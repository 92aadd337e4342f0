import test from 'ava';
import fc from 'fast-check';
import { catalogue } from './catalogue.ts';
import { Fleet, type Step } from './fleet.ts';

/** The same sequences each time; RUNS asks for so many new ones, and SEED for those that a failure named. */
const { RUNS, SEED } = process.env;
const numRuns = Number(RUNS ?? 250);
const seed = Number(SEED ?? (RUNS === undefined ? 1 : Date.now()));

const everySeries = catalogue.map((_, index) => index);
const member = fc.nat(2);
const series = fc.nat(8);
const began = fc.constantFrom('before' as const, 'after' as const, 'unknown' as const);
const reason = fc.constantFrom('gone' as const, 'idle' as const);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('connect' as const),
      member,
      isNewRun: fc.boolean(),
      region: fc.constantFrom('r1', 'r1', 'r1', 'r2'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('define' as const),
      member,
      of: fc.oneof(fc.constant(everySeries), fc.uniqueArray(series, { minLength: 1, maxLength: 9 })),
      isTwice: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      member,
      group: fc.nat(1),
      added: fc.array(fc.nat(40), { minLength: 9, maxLength: 9 }),
      without: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: series }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('spoil' as const),
      member,
      series,
      value: fc.constantFrom(NaN, Infinity, -Infinity, -3, 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('epoch' as const),
      member,
      series,
      began,
      start: fc.constantFrom('told' as const, 'same' as const, 'unknown' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('old epoch' as const), member, series }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retire' as const), member, series, reason }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('goodbye' as const), member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), member }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(5, 301, 301, 3700, 86_401),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('collect' as const),
      reader: fc.nat(2),
      isDelivered: fc.boolean(),
    }),
  },
);

test('any sequence of joins, reports, losses and returns comes to what the model says', (t) => {
  try {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), (steps) => {
        const fleet = new Fleet();
        try {
          for (const member of [0, 1]) fleet.join(member);
          for (const one of steps) fleet.take(one);
          fleet.end();
        } finally {
          fleet.stop();
        }
      }),
      { numRuns, seed },
    );
    t.pass();
  } catch (error) {
    const { message, cause } = error as Error;
    t.fail(`SEED=${seed} RUNS=${numRuns}: ${message}\n${(cause as Error | undefined)?.stack}`);
  }
});
