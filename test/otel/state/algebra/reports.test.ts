import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { metric } from '../../../../otel/model/metric.ts';
import type { MetricStore } from '../../../../otel/state/metric-store.ts';
import { Core } from '../../../collector/core.ts';
import { DirectMember } from '../../../collector/outputs/direct-member.ts';
import { histograms, modelOfRow, scales } from '../exponential-arbitraries.ts';
import {
  isNothing,
  type ModelHistogram,
  modelDownscaled,
  modelHistogram,
  modelSum,
  modelTogether,
  plain,
} from '../exponential-model.ts';
import { adversarial } from './exact.ts';

/*
 * Within an epoch the state is the greatest of what was reported: reports of one counter may come twice and in any order, and what counts is the
 * newest of them. So taking one in is idempotent, and taking in several is commutative and associative.
 */

/** What one counter reports in the course of an epoch, oldest first, and how such reports are taken in and read. */
interface Kind<State, Held = unknown> {
  readonly chain: fc.Arbitrary<readonly State[]>;
  open(core: Core): { take(state: State): void; held(store: MetricStore): Held };
  /** Whether it is this state that is held. */
  isHeld(state: State, held: Held): boolean;
}

const grown = fc.oneof(
  fc.constantFrom(...adversarial),
  fc.nat(50),
  fc.double({ min: 0, max: 1e300, noNaN: true }),
);

const sums: Kind<number> = {
  chain: fc.array(grown, { minLength: 1, maxLength: 6 }).map((list) => [...list].sort((a, b) => a - b)),
  open(core) {
    const slot = new DirectMember(core, 'm').define(metric({ name: 'jobs', kind: 'sum', isMonotonic: true }));
    return {
      take: (value) => void core.store.sums.settle(slot, value),
      held: ({ sums: state }) => [state.values.get(slot) + 0, state.counted(slot) + 0],
    };
  },
  isHeld: (value, held) => text(held) === text([value + 0, value + 0]),
};

interface Buckets {
  readonly counts: readonly number[];
  readonly sum: number;
}

const explicit: Kind<Buckets> = {
  chain: fc
    .array(fc.tuple(fc.array(fc.nat(9), { minLength: 3, maxLength: 3 }), grown), {
      minLength: 1,
      maxLength: 6,
    })
    .map((steps) => {
      const chain: Buckets[] = [];
      let before: Buckets = { counts: [0, 0, 0], sum: 0 };
      for (const [counts, sum] of steps) {
        // What measured nothing has no other sum.
        const isNone = counts.every((count) => count === 0);
        before = {
          counts: counts.map((count, b) => count + before.counts[b]),
          sum: isNone ? before.sum : sum,
        };
        chain.push(before);
      }
      return chain;
    }),
  open(core) {
    const member = new DirectMember(core, 'm');
    const slot = member.define(
      metric({ name: 'took', kind: 'histogram', explicitBounds: [1, 2], hasSum: true }),
    );
    return {
      take: ({ counts, sum }) => member.explicit(slot, counts, sum),
      held: ({ histograms: state }) => {
        const first = state.firstCell.get(slot);
        return [...[0, 1, 2].map((b) => state.counted(first + b)), state.sums.get(slot) + 0];
      },
    };
  },
  isHeld: ({ counts, sum }, held) => text(held) === text([...counts, sum + 0]),
};

const exponential: Kind<ModelHistogram, ModelHistogram> = {
  chain: fc.array(fc.tuple(histograms(), scales), { minLength: 1, maxLength: 6 }).map((steps) => {
    const chain: ModelHistogram[] = [];
    let before = modelHistogram({ scale: 4 });
    for (const [added, scale] of steps) {
      // What measured nothing has no other sum. A source makes its buckets coarser as it goes.
      if (!isNothing(added)) before = modelSum(before, added);
      before = modelDownscaled(before, Math.min(scale, before.scale));
      chain.push(before);
    }
    return chain;
  }),
  open(core) {
    const member = new DirectMember(core, 'm');
    const slot = member.define(metric({ name: 'took', kind: 'exponential_histogram', hasSum: true }));
    return {
      take: (h) => void member.exponential(slot, h),
      held: ({ exponentialHistograms: state }) => modelOfRow(state.values, slot),
    };
  },
  // Scale and threshold may be coarser than those of the newest, since what came before had to be held against it.
  isHeld(state, held) {
    const [one, other] = modelTogether(state, held);
    return text(plain(one)) === text(plain(other));
  },
};

interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly number[];
}

const summaries: Kind<Summary> = {
  chain: fc
    .array(
      fc.record({
        count: fc.integer({ min: 1, max: 2 ** 40 }),
        sum: grown,
        quantiles: fc.tuple(grown, grown),
      }),
      {
        minLength: 1,
        maxLength: 6,
      },
    )
    .map((steps) => {
      let count = 0;
      return steps.map((step) => {
        count += step.count;
        return { ...step, count };
      });
    }),
  open(core) {
    const slot = new DirectMember(core, 'm').define(
      metric({ name: 'size', kind: 'summary', quantiles: [0.5, 0.9] }),
    );
    return {
      take: ({ count, sum, quantiles }) =>
        void core.store.summaries.settle(slot, count, sum, Float64Array.from(quantiles), 0),
      held: ({ summaries: state }) => {
        const first = state.firstCell.get(slot);
        return [
          state.counts.get(slot),
          state.sums.get(slot),
          ...[0, 1].map((q) => state.values.get(first + q)),
        ];
      },
    };
  },
  isHeld: ({ count, sum, quantiles }, held) => text(held) === text([count, sum, ...quantiles]),
};

function newestHolds<State, Held>(t: ExecutionContext, { chain, open, isHeld }: Kind<State, Held>): void {
  t.notThrows(() =>
    fc.assert(
      fc.property(chain, fc.array(fc.nat(5), { maxLength: 8 }), fc.nat(8), (states, picks, place) => {
        const core = new Core();
        const series = open(core);
        // Any of them any number of times, in any order, and somewhere among them the newest.
        const order = picks.map((pick) => pick % states.length);
        order.splice(place % (order.length + 1), 0, states.length - 1);
        let newest = 0;
        for (const index of order) {
          series.take(states[index]);
          newest = Math.max(newest, index);
          const held = series.held(core.store);
          if (!isHeld(states[newest], held))
            throw new Error(`${newest} is the newest of ${order}: ${text(held)}`);
          series.take(states[index]);
          if (text(series.held(core.store)) !== text(held)) throw new Error('twice is not once');
        }
      }),
      { numRuns: 300 },
    ),
  );
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part instanceof Map ? [...part] : part));
}

test('sums: reports in any order and any number of times come to the newest', (t) => newestHolds(t, sums));
test(
  'explicit histograms: reports in any order and any number of times come to the newest',
  newestHolds,
  explicit,
);
test('exponential histograms: reports in any order and any number of times come to the newest', (t) =>
  newestHolds(t, exponential));
test('summaries: reports in any order and any number of times come to the newest', (t) =>
  newestHolds(t, summaries));
