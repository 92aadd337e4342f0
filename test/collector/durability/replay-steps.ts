import fc from 'fast-check';
import { catalogueSize, initialSeries } from '../../model/catalogue.ts';

/** What may happen to a collector over a storage. `seed`: what values follow from. */
export type ReplayStep =
  | { do: 'connect'; agent: number; isNewRun: boolean; isOtherBoot: boolean; region: string }
  | { do: 'define'; agent: number; of: readonly number[]; epoch: 'same' | 'new' | 'before'; isSeen: boolean }
  | { do: 'report'; agent: number; group: number; seed: number; without: number }
  | { do: 'spoil'; agent: number; series: number; value: number }
  | { do: 'retire'; agent: number; series: number; reason: 'gone' | 'idle' }
  | { do: 'goodbye' | 'cut' | 'half close' | 'nonsense'; agent: number }
  | { do: 'send'; sender: number; seed: number; isDelta: boolean; isRestarted: boolean }
  | { do: 'wait'; seconds: number }
  | { do: 'collect'; reader: number }
  | { do: 'deliver'; reader: number; isTaken: boolean }
  | { do: 'rules'; which: number }
  | { do: 'configure reader'; reader: number; how: 'again' | 'removed and added' | 'all in another order' }
  | { do: 'checkpoint'; chunks: number }
  | { do: 'give up checkpoint' }
  | { do: 'turns'; count: number }
  | { do: 'restart'; how: 'kill' | 'power cut' | 'close'; seed: number; which: number };

export const agents = 3;
export const senders = 2;
export const readers = [
  { name: 'totals', temporality: 'cumulative' },
  { name: 'changes', temporality: 'delta' },
  { name: 'other changes', temporality: 'delta' },
] as const;

const agent = fc.nat(agents - 1);
const series = fc.nat(catalogueSize - 1);
const reader = fc.nat(readers.length - 1);
const seed = fc.nat(1_000_000);

function step<T>(of: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(of, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

function named<T extends string>(name: T): fc.Arbitrary<T> {
  return fc.constant(name);
}

const anyStep: fc.Arbitrary<ReplayStep> = fc.oneof(
  {
    weight: 5,
    arbitrary: step({
      do: named('connect'),
      agent,
      isNewRun: fc.boolean(),
      isOtherBoot: fc.constantFrom(false, false, false, true),
      region: fc.constantFrom('r1', 'r1', 'r2'),
    }),
  },
  {
    weight: 6,
    arbitrary: step({
      do: named('define'),
      agent,
      of: fc.oneof(fc.constant(initialSeries), fc.uniqueArray(series, { minLength: 1, maxLength: 6 })),
      epoch: fc.constantFrom('same' as const, 'same' as const, 'new' as const, 'before' as const),
      isSeen: fc.boolean(),
    }),
  },
  {
    weight: 14,
    arbitrary: step({
      do: named('report'),
      agent,
      group: fc.nat(1),
      seed,
      without: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: series }),
    }),
  },
  {
    weight: 1,
    arbitrary: step({
      do: named('spoil'),
      agent,
      series,
      value: fc.constantFrom(NaN, Infinity, -Infinity, -3, 0),
    }),
  },
  {
    weight: 2,
    arbitrary: step({
      do: named('retire'),
      agent,
      series,
      reason: fc.constantFrom('gone' as const, 'idle' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: step({
      do: fc.constantFrom('goodbye' as const, 'cut' as const, 'half close' as const, 'nonsense' as const),
      agent,
    }),
  },
  {
    weight: 6,
    arbitrary: step({
      do: named('send'),
      sender: fc.nat(senders - 1),
      seed,
      isDelta: fc.constantFrom(false, false, true),
      isRestarted: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 4,
    arbitrary: step({ do: named('wait'), seconds: fc.constantFrom(2, 61, 301, 601, 3700, 86_401) }),
  },
  { weight: 6, arbitrary: step({ do: named('collect'), reader }) },
  { weight: 8, arbitrary: step({ do: named('deliver'), reader, isTaken: fc.boolean() }) },
  { weight: 2, arbitrary: step({ do: named('rules'), which: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: step({
      do: named('configure reader'),
      reader,
      how: fc.constantFrom('again' as const, 'removed and added' as const, 'all in another order' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: step({ do: named('checkpoint'), chunks: fc.constantFrom(0, 1, 3, 8, 15, 100) }),
  },
  { weight: 1, arbitrary: step({ do: named('give up checkpoint') }) },
  { weight: 8, arbitrary: step({ do: named('turns'), count: fc.constantFrom(1, 2, 5, 20) }) },
  {
    weight: 4,
    arbitrary: step({
      do: named('restart'),
      how: fc.constantFrom('kill' as const, 'kill' as const, 'power cut' as const, 'close' as const),
      seed,
      which: fc.constantFrom(-1, -1, -1, 0, 1, 2, 3),
    }),
  },
);

export const replaySteps: fc.Arbitrary<readonly ReplayStep[]> = fc.array(anyStep, {
  minLength: 12,
  maxLength: 90,
  size: 'max',
});
