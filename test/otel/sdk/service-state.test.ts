import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import test from 'ava';
import { ServiceState } from '../../../otel/sdk/service-state.ts';
import { FakeClock } from '../../agent/fake-clock.ts';
import { collection } from './sdk-collection.ts';

function stateOf(maxSeries = 100) {
  const notTaken: string[] = [];
  const clock = new FakeClock();
  const state = new ServiceState({
    incarnation: 'cafe',
    clock,
    maxSeries,
    onNotTaken: (why, points, metric) => notTaken.push(`${why} ${points} ${metric}`),
  });
  /** By queue: the value, and the life that it counts. */
  const shown = () => {
    const found: Record<string, { value: number; token: string; known: boolean }> = {};
    for (let slot = 0; slot < state.slots; slot++) {
      const series = state.seriesAt(slot);
      if (series === undefined) continue;
      const { attributes, epoch } = series.life;
      found[String(attributes[0]![1])] = {
        value: state.values[slot]!,
        token: epoch!.token,
        known: epoch!.beganMs !== undefined,
      };
    }
    return found;
  };
  return { state, shown, notTaken, clock };
}

const nowS = (clock: FakeClock) => Math.floor(clock.nowUs() / 1e6);

test('a series keeps its life while its start time stays, and has another one with another start time', (t) => {
  const { state, shown, clock } = stateOf();
  const s = nowS(clock) - 100;
  state.take(collection(s + 10, [{ queue: 'a', value: 3, start: s }]));
  const first = shown().a!;
  t.true(first.known);
  const { version } = state;
  state.take(collection(s + 20, [{ queue: 'a', value: 7, start: s }]));
  t.deepEqual(shown().a, { ...first, value: 7 });
  t.is(state.version, version, 'nothing came or went');
  state.take(collection(s + 30, [{ queue: 'a', value: 2, start: s + 25 }]));
  const second = shown().a!;
  t.is(second.value, 2);
  t.not(second.token, first.token);
});

test('a fall under one start time is another life, of which it is not known when it began', (t) => {
  const { state, shown, clock } = stateOf();
  const s = nowS(clock) - 100;
  state.take(collection(s + 10, [{ queue: 'a', value: 9, start: s }]));
  const { token } = shown().a!;
  state.take(collection(s + 20, [{ queue: 'a', value: 4, start: s }]));
  const after = shown().a!;
  t.deepEqual([after.value, after.known], [4, false]);
  t.not(after.token, token);
});

for (const [type, known] of [
  ['COUNTER', true],
  ['OBSERVABLE_COUNTER', false],
  ['', false],
] as const)
  test(`a start time that is the point's own, of ${type || 'another producer'}: the beginning is ${known ? '' : 'not '}known`, (t) => {
    const { state, shown, clock } = stateOf();
    const s = nowS(clock);
    state.take(collection(s, [{ queue: 'a', value: 9, start: s }], { type }));
    t.is(shown().a!.known, known);
  });

test('a series that is away is not reported, and comes back with the life that it had', (t) => {
  const { state, shown, clock } = stateOf();
  const s = nowS(clock) - 100;
  const [a, b] = [
    { queue: 'a', value: 1, start: s },
    { queue: 'b', value: 5, start: s },
  ];
  state.take(collection(s + 10, [a, b]));
  const before = shown();
  t.deepEqual(Object.keys(before).sort(), ['a', 'b']);
  state.take(collection(s + 20, [b]));
  state.take(collection(s + 30, [b]));
  t.deepEqual(Object.keys(shown()), ['b']);
  t.is(state.size, 1);
  state.take(collection(s + 40, [b, { ...a, value: 4 }]));
  t.deepEqual(shown().a, { ...before.a!, value: 4 });
});

test('parts of one collection that come one by one take nothing away', (t) => {
  const { state, shown, clock } = stateOf();
  const s = nowS(clock) - 100;
  for (const end of [s + 10, s + 20, s + 30])
    for (const queue of ['a', 'b', 'c']) {
      const { version } = state;
      state.take(collection(end, [{ queue, value: end, start: s }]));
      if (end > s + 10) t.is(state.version, version);
    }
  t.deepEqual(Object.keys(shown()).sort(), ['a', 'b', 'c']);
});

test('beyond the limit series are not taken, but for those that can have the place of one that is away', (t) => {
  const { state, shown, notTaken, clock } = stateOf(2);
  const s = nowS(clock) - 100;
  const point = (queue: string) => ({ queue, value: 1, start: s });
  state.take(collection(s + 10, [point('a'), point('b'), point('c'), point('d')]));
  t.deepEqual(Object.keys(shown()).sort(), ['a', 'b']);
  t.deepEqual(notTaken, ['limit 2 jobs']);
  state.take(collection(s + 20, [point('b')]));
  const { token } = shown().b!;
  state.take(collection(s + 30, [point('b'), point('c')]));
  t.deepEqual(Object.keys(shown()).sort(), ['b', 'c']);
  t.is(shown().b!.token, token);
  t.is(notTaken.length, 1);
  for (let round = 4; round < 1000; round++)
    state.take(collection(s + 10 * round, [point(`q${round}`), point('b')]));
  t.true(state.slots <= 2);
});

test('a second instrument with the same series is told, and the first one holds', (t) => {
  const { state, shown, notTaken, clock } = stateOf();
  const s = nowS(clock) - 100;
  state.take(
    collection(s + 10, [
      { queue: 'a', value: 1, start: s },
      { queue: 'a', value: 8, start: s },
    ]),
  );
  t.is(shown().a!.value, 1);
  t.deepEqual(notTaken, ['duplicate 1 jobs']);
});

test('deltas are no state: the export fails, and names one', (t) => {
  const { state, notTaken } = stateOf();
  const delta = collection(10, [{ queue: 'a', value: 1, start: 5 }], {
    temporality: AggregationTemporality.DELTA,
  });
  t.throws(() => state.take(delta), { message: /1 metrics are of delta temporality, jobs for one/ });
  t.deepEqual(notTaken, ['delta 1 jobs']);
  t.is(state.size, 0);
});

test('a metric that no collector would take is left out with the reason', (t) => {
  const { state, notTaken } = stateOf();
  state.take(collection(10, [{ queue: 'a', value: 1, start: 5 }], { name: 'x'.repeat(256) }));
  t.deepEqual(notTaken, [`metric 1 ${'x'.repeat(256)}`]);
});
