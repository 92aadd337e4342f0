import test from 'ava';
import fc from 'fast-check';
import { baselineOffset } from '../../../../otel/state/baseline-offset.ts';
import { resumeInterrupted } from '../../../../otel/state/interrupted-series.ts';
import { counting, fromZero, interrupted } from '../../../../otel/state/series-columns.ts';
import { SumState } from '../../../../otel/state/sum.ts';
import { adversarial, exact } from './exact.ts';

/* What one monotonic sum has counted never falls, by rounding neither. */

const double = fc.oneof(
  fc.constantFrom(...adversarial, Number.MAX_VALUE),
  fc.double({ min: 0, max: 10, noNaN: true }),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
);

test('of what was counted, a baseline takes nothing away: the least offset that does not', (t) => {
  let raised = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(double, double, (counted, baseline) => {
        const offset = baselineOffset(counted, baseline);
        if (!(baseline + offset >= counted)) throw new Error(`${baseline + offset} is left of ${counted}`);
        if (!(Math.abs(offset) <= Math.max(counted, baseline))) throw new Error(`the offset is ${offset}`);
        const difference = exact(counted) - exact(baseline);
        if (offset === counted - baseline) return;
        raised++;
        // The next double to the one below the difference, so the difference lies between the two.
        if (!(exact(offset) > difference && exact(counted - baseline) < difference))
          throw new Error(`the offset is ${offset}, not the next above ${difference}`);
      }),
      { numRuns: 2000 },
    ),
  );
  t.true(raised > 50, `${raised} differences were rounded down too far`);
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('report' as const), value: double }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('epoch' as const), isSeen: fc.boolean(), value: double }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('interrupt' as const), value: double }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const) }) },
);

test('whatever a counter goes through, what it has counted does not fall', (t) => {
  let baselines = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 30 }), (steps) => {
        const state = new SumState();
        let slot = state.allocate(true);
        let counted = 0;
        const { status } = state.series;
        for (const one of steps) {
          if (one.do === 'move') {
            const moved = state.allocate(true);
            status.set(moved, status.get(slot));
            state.moveTo(slot, moved);
            // It stays where it was, and is counted on from nothing.
            if (state.counted(slot) < counted) throw new Error(`${state.counted(slot)} where it was`);
            slot = moved;
            counted = 0;
          } else if (one.do === 'epoch') {
            state.beginEpoch(slot);
            status.set(slot, (status.get(slot) & ~(counting | fromZero)) | (one.isSeen ? fromZero : 0));
          } else if (one.do === 'interrupt') {
            status.set(slot, status.get(slot) | interrupted);
            resumeInterrupted(state, slot);
          }
          const before = state.counted(slot);
          if (before < counted) throw new Error(`${before} after ${one.do}, ${counted} before`);
          if (one.do === 'move') continue;
          if ((state.settle(slot, one.value) ?? 0) > 0 && counted > 0) baselines++;
          const after = state.counted(slot);
          if (after < before) throw new Error(`${after} after ${one.value} has come, ${before} before`);
          counted = after;
        }
      }),
      { numRuns: 400 },
    ),
  );
  t.true(baselines > 400, `${baselines} baselines of something that had counted`);
});
