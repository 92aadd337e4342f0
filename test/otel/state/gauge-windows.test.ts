import test from 'ava';
import fc from 'fast-check';
import { GaugeWindows } from '../../../otel/state/gauge-windows.ts';

/** What a gauge was reported as: each value stands for the time since the report before. */
interface Sample {
  readonly value: number;
  readonly weightUs: number;
}

const second = 1_000_000;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('report' as const), value: fc.integer({ min: -3, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('collect' as const),
      reader: fc.nat(1),
      isRead: fc.constantFrom('at once', 'later', 'never'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: -9, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'skip' as const) }) },
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
        let samples: [Sample[], Sample[]] = [[], []];
        let nowUs = 100 * second;
        let untilUs = 0;
        let isAway = true;
        let held = 1;
        /** What is yet to be read of the last collections. */
        const unread: ((() => void) | undefined)[] = [];
        for (const one of steps) {
          nowUs += second;
          switch (one.do) {
            case 'wait':
              nowUs += one.seconds * second;
              break;
            case 'leave':
              windows.leave(slot);
              isAway = true;
              break;
            case 'skip':
              windows.skip(slot, nowUs);
              untilUs = Math.max(untilUs, nowUs);
              break;
            case 'report': {
              held = one.value;
              windows.report(slot, held, nowUs);
              const weightUs = isAway ? 0 : Math.max(0, nowUs - untilUs);
              for (const list of samples) list.push({ value: held, weightUs });
              untilUs = Math.max(untilUs, nowUs);
              isAway = false;
              break;
            }
            case 'collect': {
              const { reader } = one;
              windows.collected(reader);
              const list = samples[reader];
              samples = reader === 0 ? [[], samples[1]] : [samples[0], []];
              unread[reader] = () => compare(windows, slot, reader, held, list);
              if (one.isRead === 'never') unread[reader] = undefined;
              if (one.isRead === 'at once') unread[reader]?.();
            }
          }
        }
        for (const read of unread) read?.();
      }),
      { numRuns: 500 },
    ),
  );
});

function compare(
  windows: GaugeWindows,
  slot: number,
  reader: number,
  held: number,
  list: readonly Sample[],
): void {
  const reduce = (how: 'min' | 'max' | 'mean') => windows.reduce(slot, how, reader, held);
  const values = list.length === 0 ? [held] : list.map(({ value }) => value);
  const weight = list.reduce((sum, { weightUs }) => sum + weightUs, 0);
  const mean =
    weight === 0 ? held : list.reduce((sum, { value, weightUs }) => sum + value * weightUs, 0) / weight;
  const [min, max] = [reduce('min'), reduce('max')];
  if (min !== Math.min(...values) || max !== Math.max(...values))
    throw new Error(`${min} to ${max} of ${values}`);
  if (Math.abs(reduce('mean') - mean) > 1e-9) throw new Error(`mean ${reduce('mean')}, not ${mean}`);
}

test('what nobody watches, and readers that do not stay, get the value as it is', (t) => {
  const windows = new GaugeWindows();
  t.true(windows.isIdle);
  windows.report(7, 1, 2);
  t.is(windows.reduce(7, 'max', 0, 2), 2);
  windows.watch(7);
  t.false(windows.isIdle);
  windows.report(7, 9, 1);
  windows.collected(-1);
  t.is(windows.reduce(7, 'max', -1, 2), 2);
});

test('a slot that is released and used again knows nothing of the gauge before', (t) => {
  const windows = new GaugeWindows();
  const reader = windows.addReader();
  windows.watch(3);
  windows.report(3, 100, second);
  windows.release(3);
  windows.watch(3);
  windows.report(3, 1, 5 * second);
  windows.collected(reader);
  t.is(windows.reduce(3, 'max', reader, 1), 1);
});

test('NaN has no say in the least and the greatest value, and makes the mean NaN', (t) => {
  const windows = new GaugeWindows();
  const reader = windows.addReader();
  windows.watch(1);
  for (const [i, value] of [1, Number.NaN, 3].entries()) windows.report(1, value, (i + 1) * second);
  windows.collected(reader);
  t.is(windows.reduce(1, 'min', reader, 3), 1);
  t.is(windows.reduce(1, 'max', reader, 3), 3);
  t.is(windows.reduce(1, 'mean', reader, 3), Number.NaN);
  windows.report(1, Number.NaN, 4 * second);
  windows.collected(reader);
  t.is(windows.reduce(1, 'min', reader, Number.NaN), Number.NaN);
});

test('a report from a clock that was set back has no time to stand for', (t) => {
  const windows = new GaugeWindows();
  const reader = windows.addReader();
  windows.watch(1);
  windows.report(1, 1, 10 * second);
  windows.report(1, 1, 11 * second);
  windows.report(1, 3, 12 * second);
  windows.report(1, 5, 3 * second);
  windows.collected(reader);
  t.is(windows.reduce(1, 'max', reader, 5), 5);
  t.is(windows.reduce(1, 'mean', reader, 5), 2);
});

test('a reader that comes later gets the value until there is something to reduce', (t) => {
  const windows = new GaugeWindows();
  windows.watch(1);
  windows.report(1, 7, second);
  const reader = windows.addReader();
  for (let collection = 0; collection < 2; collection++) {
    for (const how of ['min', 'max', 'mean'] as const) t.is(windows.reduce(1, how, reader, 5), 5);
    windows.collected(reader);
  }
  windows.report(1, 9, 3 * second);
  windows.collected(reader);
  t.is(windows.reduce(1, 'min', reader, 4), 9);
});
