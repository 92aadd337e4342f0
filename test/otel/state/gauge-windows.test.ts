import test from 'ava';
import fc from 'fast-check';
import { GaugeWindows } from '../../../otel/state/gauge-windows.ts';

/** What a gauge was reported as: each value stands for the time since the report before. */
interface Sample {
  readonly value: number;
  readonly weightUs: number;
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('report' as const), value: fc.integer({ min: -3, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('collect' as const), reader: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('return' as const), value: fc.integer({ min: -3, max: 3 }) }),
  },
);

test('least, greatest and mean of what was reported since the reader collected last', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const windows = new GaugeWindows();
        windows.addReader();
        windows.addReader();
        const slot = 5000;
        windows.watch(slot);
        const samples: Sample[][] = [[], []];
        const collections = [0, 0];
        let nowUs = 1_000_000;
        let held = 1;
        let reportedUs = nowUs;
        windows.begin(slot, held, nowUs);
        for (const list of samples) list.push({ value: held, weightUs: 0 });
        for (const one of steps) {
          nowUs += 1_000_000;
          if (one.do === 'wait') nowUs += one.seconds * 1_000_000;
          else if (one.do === 'report') {
            if (one.value !== held) windows.change(slot, held, one.value, reportedUs, nowUs);
            for (const list of samples) list.push({ value: one.value, weightUs: nowUs - reportedUs });
            held = one.value;
            reportedUs = nowUs;
          } else if (one.do === 'return') {
            // It was gone since its last change or report, whichever the columns know of.
            windows.change(slot, held, held + 0.5, reportedUs, reportedUs);
            for (const list of samples) list.push({ value: held + 0.5, weightUs: 0 });
            windows.begin(slot, one.value, nowUs);
            for (const list of samples) list.push({ value: one.value, weightUs: 0 });
            held = one.value;
            reportedUs = nowUs;
          } else {
            const collection = ++collections[one.reader]!;
            const reduce = (how: 'min' | 'max' | 'mean') =>
              windows.reduce(slot, how, one.reader, collection, held, reportedUs);
            const list = samples[one.reader]!;
            const values = list.length === 0 ? [held] : list.map(({ value }) => value);
            const weight = list.reduce((sum, { weightUs }) => sum + weightUs, 0);
            const mean =
              weight === 0
                ? held
                : list.reduce((sum, { value, weightUs }) => sum + value * weightUs, 0) / weight;
            const [min, max] = [reduce('min'), reduce('max')];
            if (min !== Math.min(...values) || max !== Math.max(...values))
              throw new Error(`${min} to ${max} of ${values}`);
            if (Math.abs(reduce('mean') - mean) > 1e-9)
              throw new Error(`mean ${reduce('mean')}, not ${mean}`);
            samples[one.reader] = [];
          }
        }
      }),
      { numRuns: 500 },
    ),
  );
});

test('what nobody watches, and readers that do not stay, get the value as it is', (t) => {
  const windows = new GaugeWindows();
  t.true(windows.isIdle);
  windows.change(7, 1, 2, 1, 2);
  t.is(windows.reduce(7, 'max', 0, 1, 2, 2), 2);
  windows.watch(7);
  t.false(windows.isIdle);
  windows.begin(7, 9, 1);
  windows.change(7, 9, 2, 1, 2);
  t.is(windows.reduce(7, 'max', -1, 1, 2, 2), 2);
});

test('a slot that is released and used again knows nothing of the gauge before', (t) => {
  const windows = new GaugeWindows();
  const reader = windows.addReader();
  windows.watch(3);
  windows.begin(3, 100, 1_000_000);
  windows.release(3);
  windows.watch(3);
  windows.begin(3, 1, 5_000_000);
  t.is(windows.reduce(3, 'max', reader, 1, 1, 5_000_000), 1);
});

test('a report from a clock that was set back has no time to stand for', (t) => {
  const windows = new GaugeWindows();
  const reader = windows.addReader();
  windows.watch(1);
  windows.begin(1, 1, 10_000_000);
  windows.change(1, 1, 3, 11_000_000, 12_000_000);
  windows.change(1, 3, 5, 2_000_000, 3_000_000);
  t.is(windows.reduce(1, 'max', reader, 1, 5, 3_000_000), 5);
  t.is(windows.reduce(1, 'mean', reader, 1, 5, 3_000_000), 1);
});

test('a reader that comes later gets the value until there is something to reduce', (t) => {
  const windows = new GaugeWindows();
  windows.watch(1);
  windows.begin(1, 7, 1_000_000);
  const reader = windows.addReader();
  for (const how of ['min', 'max', 'mean'] as const) t.is(windows.reduce(1, how, reader, 1, 5, 2_000_000), 5);
  windows.change(1, 5, 9, 2_000_000, 3_000_000);
  t.is(windows.reduce(1, 'min', reader, 2, 9, 3_000_000), 9);
});
