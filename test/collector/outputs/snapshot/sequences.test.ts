import test from 'ava';
import fc from 'fast-check';
import { catalogue } from './catalogue.ts';
import { type Step, World } from './world.ts';

const member = fc.nat(2);
const series = fc.nat(catalogue.length - 1);
const all = catalogue.length;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      member,
      region: fc.constantFrom('r1', 'r1', 'r2'),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('define' as const),
      member,
      series,
      isSeen: fc.boolean(),
      isNewEpoch: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      member,
      added: fc.array(fc.nat(40), { minLength: all, maxLength: all }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'idle' as const), member, series }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'evict' as const), member }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(2, 6, 61, 3601, 7300),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('collect' as const), reader: member, isDelivered: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'save' }, { do: 'load' }) },
);

test('outputs that are saved at any moment, written later and loaded go on as if nothing had been', (t) => {
  let loads = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 15, maxLength: 70, size: 'max' }), (steps) => {
        const world = new World();
        for (const member of [0, 1]) {
          world.take({ do: 'join', member, region: 'r1' });
          for (let series = 0; series < all; series++)
            world.take({ do: 'define', member, series, isSeen: series % 2 === 0, isNewEpoch: true });
          world.take({ do: 'report', member, added: catalogue.map((_, i) => i + 1) });
        }
        for (const one of steps) world.take(one);
        world.end();
        loads += world.loads;
      }),
      { numRuns: 60 },
    ),
  );
  t.true(loads > 100);
});
