import test from 'ava';
import { SlicedScan } from '../../../../agent/sources/host/sliced-scan.ts';

/** A scan of so many steps of 1 ms each, by a clock that only they move. */
function scanOf(steps: number) {
  const state = { nowMs: 0, begun: 0, done: 0, finished: 0 };
  const scan = new SlicedScan(
    { monotonicMs: () => state.nowMs, nowUs: () => 0 },
    {
      begin: () => {
        state.begun++;
        state.done = 0;
      },
      step: () => {
        state.nowMs++;
        return ++state.done < steps;
      },
      finish: () => state.finished++,
    },
  );
  return { state, scan };
}

test('the first scan runs in one go, later ones in slices of 2 ms, never two at once', async (t) => {
  const { state, scan } = scanOf(5);
  scan.run();
  t.like(state, { begun: 1, finished: 1, nowMs: 5 });
  state.nowMs += 5000;
  scan.run();
  t.like(state, { begun: 2, finished: 1, done: 2 });
  scan.run();
  t.is(state.begun, 2);
  while (state.finished < 2) await new Promise((resolve) => setImmediate(resolve));
  t.is(state.done, 5);
});

test('a scan rests 1,000 times as long as it worked', (t) => {
  const { state, scan } = scanOf(3);
  scan.run();
  state.nowMs = 3 + 2999;
  scan.run();
  t.is(state.begun, 1);
  state.nowMs = 3 + 3000;
  scan.run();
  t.is(state.begun, 2);
});
