import test from 'ava';
import fc from 'fast-check';
import { rememberedIntervals } from '../../../../otel/state/intake/delta-intervals.ts';
import { pointFates } from '../../../../otel/state/intake/point-outcome.ts';
import { birthUs, counter, histogram, IntakeRig, second } from './intake-rig.ts';
import { type ReferencePoint, ReferenceSeries } from './reference-series.ts';

/** Points arrive half a minute after the store's birth: what is older by its own clock began before the horizon. */
const arrivalUs = birthUs + 30 * second;

function rigFor(overlap: 'drop' | 'sum', description: typeof counter) {
  const rig = new IntakeRig({ overlap });
  const handle = rig.define(description);
  const isHistogram = description.kind === 'histogram';
  return {
    reference: new ReferenceSeries(isHistogram ? 3 : 1, {
      overlap,
      tolerance: 1,
      remembered: rememberedIntervals,
      isAfterHorizon: (age) => age < 30,
    }),
    take: ({ temporality, start, time, value }: ReferencePoint) =>
      isHistogram
        ? rig.intake.histogram(
            handle,
            temporality,
            start * second,
            time * second,
            Float64Array.from(value),
            0,
            value.length,
            0,
            Number.NaN,
            Number.NaN,
            arrivalUs,
          )
        : rig.intake.sum(handle, temporality, start * second, time * second, value[0]!, arrivalUs),
    counted: () => {
      if (!isHistogram) return [rig.sum().counted];
      const { histograms } = rig.store;
      const first = histograms.firstCell.get(rig.slot);
      return [0, 1, 2].map((i) => histograms.counted(first + i));
    },
  };
}

/** Times are few and near, so that points meet: halves of seconds, starts that waver, and lives that are older than the store. */
const time = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 160 })).map((n) => n / 2);
const points = (width: number, temporality: fc.Arbitrary<'cumulative' | 'delta'>) =>
  fc.array(
    fc.record({
      temporality,
      times: fc.tuple(time, time),
      isStartKnown: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
      value: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: width, maxLength: width }),
    }),
    { maxLength: 40 },
  );

for (const description of [counter, histogram]) {
  for (const [name, temporality, overlap] of [
    ['cumulative', fc.constant('cumulative' as const), 'drop'],
    ['delta', fc.constant('delta' as const), 'drop'],
    ['delta', fc.constant('delta' as const), 'sum'],
    ['both', fc.constantFrom('cumulative' as const, 'delta' as const), 'drop'],
    ['both', fc.constantFrom('cumulative' as const, 'delta' as const), 'sum'],
  ] as const) {
    test(`any points come to what the model says: ${description.kind}, ${name}, overlaps: ${overlap}`, (t) => {
      const width = description.kind === 'histogram' ? 3 : 1;
      fc.assert(
        fc.property(points(width, temporality), (sequence) => {
          const { reference, take, counted } = rigFor(overlap, description);
          let before = counted();
          for (const { temporality, times, isStartKnown, value } of sequence) {
            const [a, b] = times;
            const start = isStartKnown ? Math.min(a, b) : 0;
            const point = { temporality, start, time: Math.max(a, b), value };
            const outcome = take(point);
            t.is(outcome, reference.take(point));
            const now = counted();
            t.deepEqual(now, [...reference.total]);
            t.true(
              now.every((count, i) => count >= before[i]!),
              'a total never falls',
            );
            if (pointFates[outcome] !== 'taken')
              t.deepEqual(now, before, 'what is not taken changes nothing');
            // Again: nothing is counted twice.
            t.not(pointFates[take(point)], 'taken');
            t.deepEqual(counted(), now);
            before = now;
          }
        }),
        { numRuns: 300 },
      );
    });
  }
}

/** A counter that is true: lives one after another, each with points whose values go up. */
const lives = fc.array(
  fc.array(fc.record({ wait: fc.integer({ min: 1, max: 20 }), count: fc.integer({ min: 0, max: 9 }) }), {
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 1, maxLength: 4 },
);

function truePoints(from: readonly (readonly { wait: number; count: number }[])[]) {
  let time = 1000;
  return from.map((life) => {
    time += 2;
    const start = time;
    let value = 0;
    return life.map(({ wait, count }) => {
      const since = time;
      time += wait;
      value += count;
      return { start, since, time, value, count };
    });
  });
}

test('cumulative points of a true counter, in any order and any number of times, count each life up to what was heard of it while it was the newest', (t) => {
  fc.assert(
    fc.property(lives, fc.array(fc.nat(), { maxLength: 60 }), (from, picks) => {
      const all = truePoints(from).flat();
      const rig = new IntakeRig();
      const handle = rig.define(counter);
      const heard = new Map<number, number>();
      for (const pick of picks) {
        const { start, time, value } = all[pick % all.length]!;
        rig.intake.sum(handle, 'cumulative', start * second, time * second, value, birthUs + 1000 * second);
        if (start >= Math.max(0, ...heard.keys())) heard.set(start, Math.max(value, heard.get(start) ?? 0));
      }
      t.is(
        rig.sum().counted,
        [...heard.values()].reduce((sum, value) => sum + value, 0),
      );
    }),
    { numRuns: 300 },
  );
});

test('cumulative points of a true counter in order, and its deltas in an order that is not too wild, come to the truth', (t) => {
  fc.assert(
    fc.property(lives, fc.infiniteStream(fc.nat()), (from, picks) => {
      const all = truePoints(from).flat();
      const truth = all.reduce((sum, { count }) => sum + count, 0);
      const rig = new IntakeRig();
      const cumulative = rig.define(counter, 'cumulative');
      const cumulativeSlot = rig.slot;
      const delta = rig.define(counter, 'delta');
      for (const { start, time, value } of all)
        rig.intake.sum(
          cumulative,
          'cumulative',
          start * second,
          time * second,
          value,
          birthUs + 1000 * second,
        );
      t.is(rig.sum(cumulativeSlot).counted, truth);
      // Each delta is overtaken by fewer than are remembered, and comes once or twice.
      for (let i = 0; i < all.length; i += rememberedIntervals) {
        const shuffled = all
          .slice(i, i + rememberedIntervals)
          .map((point) => ({ point, at: picks.next().value! }));
        shuffled.sort((a, b) => a.at - b.at);
        for (const {
          point: { since, time, count },
          at: pick,
        } of shuffled)
          for (let n = 0; n < 1 + (pick & 1); n++)
            rig.intake.sum(delta, 'delta', since * second, time * second, count, birthUs + second);
      }
      t.is(rig.sum().counted, truth);
    }),
    { numRuns: 300 },
  );
});
