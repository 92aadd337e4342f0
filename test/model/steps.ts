import fc from 'fast-check';
import { catalogueSize, initialSeries, pointCatalogue } from './catalogue.ts';

export type Began = 'before' | 'after' | 'unknown';

/** What may happen, in one second. `seed`: what values follow from, see growing-values.ts. */
export type Step =
  | { do: 'connect'; member: number; isNewRun: boolean; region: string; clockUs: number }
  | { do: 'second process'; member: number; of: 'another boot' | 'the run before' }
  | { do: 'define'; member: number; of: readonly number[]; isTwice: boolean }
  | { do: 'report'; member: number; group: number; seed: number; without: number; skipped: number }
  | { do: 'spoil'; member: number; series: number; value: number }
  | { do: 'epoch'; member: number; series: number; began: Began; start: 'told' | 'same' | 'unknown' }
  | { do: 'old epoch'; member: number; series: number }
  | { do: 'schema'; member: number; series: number }
  | { do: 'retire'; member: number; series: number; reason: 'gone' | 'idle' }
  | { do: 'goodbye' | 'cut'; member: number }
  | { do: 'limit'; maxSeries: number }
  | PointStep
  | { do: 'stop sending'; sender: number; series: number; reason: 'gone' | 'idle' }
  | { do: 'wait'; seconds: number }
  | { do: 'collect'; reader: number; isDelivered: boolean };

export interface PointStep {
  readonly do: 'point';
  readonly sender: number;
  readonly series: number;
  /** Whether the point is not of the temporality that the sender has most often. */
  readonly isSwitched: boolean;
  readonly start: 'same' | 'unknown' | 'is time' | 'later' | 'overlapping' | 'older' | 'wavers';
  readonly time: 'now' | 'same' | 'late' | 'long ago';
  /** `again`: the point before once more, whatever else is said here. */
  readonly value: 'more' | 'same' | 'less' | 'none' | 'again';
  /** How many such points follow each other. */
  readonly times: number;
  readonly seed: number;
}

export const members = 3;
export const senders = 2;
/** The readers that stay and collect now and then. */
export const readers = ['cumulative', 'delta', 'delta'] as const;

const member = fc.nat(members - 1);
/** Some more often than others, so that something happens to them again. */
const series = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, 2, 5, 9, 11) },
  { weight: 1, arbitrary: fc.nat(catalogueSize - 1) },
);
const seed = fc.nat(1_000_000);
const reason = fc.constantFrom('gone' as const, 'idle' as const);
const sender = fc.nat(senders - 1);
const pointSeries = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, 3) },
  { weight: 1, arbitrary: fc.nat(pointCatalogue.length - 1) },
);

/** As plain objects, which print well. */
function record<T>(of: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(of, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

function often<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 2 * others.length, arbitrary: fc.constant(usual) },
    { weight: others.length, arbitrary: fc.constantFrom(...others) },
  );
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: record({
      do: fc.constant('connect' as const),
      member,
      isNewRun: fc.boolean(),
      region: fc.constantFrom('r1', 'r1', 'r1', 'r2'),
      clockUs: often(0, -7_000_000, 3_000_000),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      do: fc.constant('second process' as const),
      member,
      of: fc.constantFrom('another boot' as const, 'the run before' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: record({
      do: fc.constant('define' as const),
      member,
      of: fc.oneof(
        { weight: 3, arbitrary: fc.constant(initialSeries) },
        { weight: 1, arbitrary: fc.uniqueArray(series, { minLength: 1, maxLength: 9 }) },
      ),
      isTwice: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 12,
    arbitrary: record({
      do: fc.constant('report' as const),
      member,
      group: fc.nat(1),
      seed,
      without: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: series }),
      skipped: often(0, 1, 5),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      do: fc.constant('spoil' as const),
      member,
      series,
      value: fc.constantFrom(NaN, Infinity, -Infinity, -3, 0),
    }),
  },
  {
    weight: 2,
    arbitrary: record({
      do: fc.constant('epoch' as const),
      member,
      series,
      began: fc.constantFrom('before' as const, 'after' as const, 'unknown' as const),
      start: fc.constantFrom('told' as const, 'same' as const, 'unknown' as const),
    }),
  },
  { weight: 2, arbitrary: record({ do: fc.constant('old epoch' as const), member, series }) },
  { weight: 1, arbitrary: record({ do: fc.constant('schema' as const), member, series }) },
  { weight: 2, arbitrary: record({ do: fc.constant('retire' as const), member, series, reason }) },
  { weight: 1, arbitrary: record({ do: fc.constant('goodbye' as const), member }) },
  { weight: 1, arbitrary: record({ do: fc.constant('cut' as const), member }) },
  {
    weight: 1,
    arbitrary: record({ do: fc.constant('limit' as const), maxSeries: fc.constantFrom(16, 19, 1000) }),
  },
  {
    weight: 12,
    arbitrary: record({
      do: fc.constant('point' as const),
      sender,
      series: pointSeries,
      isSwitched: fc.constantFrom(false, false, false, false, false, true),
      start: often<PointStep['start']>(
        'same',
        'unknown',
        'is time',
        'later',
        'overlapping',
        'older',
        'wavers',
      ),
      time: often<PointStep['time']>('now', 'same', 'late', 'long ago'),
      value: often<PointStep['value']>('more', 'same', 'less', 'none', 'again'),
      times: fc.constantFrom(1, 1, 1, 9),
      seed,
    }),
  },
  {
    weight: 1,
    arbitrary: record({ do: fc.constant('stop sending' as const), sender, series: pointSeries, reason }),
  },
  {
    weight: 3,
    arbitrary: record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(5, 61, 301, 301, 601, 3700, 86_401),
    }),
  },
  {
    weight: 5,
    arbitrary: record({
      do: fc.constant('collect' as const),
      reader: fc.nat(readers.length - 1),
      isDelivered: fc.boolean(),
    }),
  },
);

/** What may happen to a collector with a data directory, which services do not send points to. */
export type DurableStep = Step | { do: 'checkpoint' } | { do: 'restart'; isInOrder: boolean };

export const durableSteps: fc.Arbitrary<readonly DurableStep[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: step.filter((one) => one.do !== 'point' && one.do !== 'stop sending') },
    { weight: 1, arbitrary: record({ do: fc.constant('checkpoint' as const) }) },
    {
      weight: 2,
      arbitrary: record({
        do: fc.constant('restart' as const),
        isInOrder: fc.constantFrom(false, false, true),
      }),
    },
  ) as fc.Arbitrary<DurableStep>,
  { minLength: 10, maxLength: 80, size: 'max' },
);

export interface Sequence {
  /** What the point intake does with deltas that overlap. */
  readonly overlap: 'drop' | 'sum';
  readonly steps: readonly Step[];
}

export const sequence: fc.Arbitrary<Sequence> = record({
  overlap: fc.constantFrom('drop' as const, 'sum' as const),
  steps: fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
});
