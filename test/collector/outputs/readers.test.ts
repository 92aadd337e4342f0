import test from 'ava';
import { HeldPlaces } from '../../../collector/outputs/held-places.ts';
import type { ReaderCursor } from '../../../collector/outputs/reader-cursor.ts';
import { metric } from '../../../otel/model/metric.ts';
import type { ModelPoint } from '../../model/read-collection.ts';
import { readCollection } from '../../model/read-collection.ts';
import { Core } from '../core.ts';
import { define, member, report, view } from './members.ts';

const requests = metric({ name: 'requests', kind: 'sum', isMonotonic: true, valueType: 'int' });
const latency = metric({ name: 'latency', kind: 'histogram', explicitBounds: [1], hasSum: false });
const load = metric({ name: 'load', kind: 'gauge', valueType: 'double' });

/** A member with a counter, a histogram and a gauge; outputs that join and outputs that pass, and the gauge's greatest value of an interval. */
class World {
  readonly core = new Core({
    views: [
      view({ resourceKeys: [] }),
      view({ name: 'passing' }, 'requests'),
      view({ overTime: 'max' }, 'load'),
    ],
  });
  readonly #stream = member(this.core, 'a');
  readonly #series = [requests, latency, load].map((one) => define(this.#stream, one)) as [
    number,
    number,
    number,
  ];

  tell(count: number, value: number): void {
    this.core.nowUs += 1_000_000;
    const [sum, histogram, gauge] = this.#series;
    report(this.core, this.#stream, { [sum]: count, [histogram]: [count, 2 * count], [gauge]: value });
  }

  collect(cursor: ReaderCursor): Map<string, ModelPoint[]> {
    this.core.nowUs += 1000;
    return readCollection(this.core.outputs.collect(cursor, this.core.nowUs));
  }
}

test('a reader that gets the place of one that is gone is given what it would be given without that one', (t) => {
  const [world, twin] = [new World(), new World()];
  const { outputs } = world.core;
  const gone = outputs.addReader('delta', 'gone');
  for (const { tell } of [world, twin].map((one) => ({ tell: one.tell.bind(one) }))) tell(5, 90);
  world.collect(gone);
  twin.core.nowUs += 1000;
  for (const one of [world, twin]) one.tell(9, 20);
  outputs.removeReader(gone);
  const next = outputs.addReader('delta', 'next');
  t.is(next.index, gone.index);
  const oracle = twin.core.outputs.addReader('delta', 'next');
  for (const one of [world, twin]) one.tell(12, 30);
  t.deepEqual(world.collect(next), twin.collect(oracle));
  for (const one of [world, twin]) one.tell(13, 10);
  const second = world.collect(next);
  t.deepEqual(second, twin.collect(oracle));
  t.true(JSON.stringify([...second.values()]).includes('"value":1'), 'one more request');
});

test('a reader that comes again goes on where it stood, and afresh from the beginning', (t) => {
  const world = new World();
  const { outputs } = world.core;
  const first = outputs.addReader('delta', 'otlp');
  world.tell(5, 1);
  world.collect(first);
  t.is(outputs.addReader('delta', 'otlp'), first);
  t.not(outputs.addReader('cumulative', 'otlp'), first);
  const afresh = outputs.addReader('delta', 'otlp', undefined, true);
  t.not(afresh, first);
  const values = [...world.collect(afresh).entries()].filter(([key]) => key.startsWith('requests'));
  t.deepEqual(
    values.map(([, points]) => points.map(({ value }) => value)),
    [[5]],
  );
});

test('who waits for a free place hears of it when the last holder lets go, and slow holders are asked', async (t) => {
  const places = new HeldPlaces(() => {});
  const never = new AbortController().signal;
  let asked = 0;
  const ends = [places.hold(), places.hold(() => void asked++)];
  let isFree = false;
  const waiting = places.whenFree(never).then(() => {
    isFree = true;
  });
  t.is(asked, 1);
  ends[0]!();
  await Promise.resolve();
  t.false(isFree);
  ends[1]!();
  await waiting;
  t.true(places.isFree);
  await places.whenFree(never);
});

test('waiting for a free place ends with its signal', async (t) => {
  const places = new HeldPlaces(() => {});
  places.hold();
  const patience = new AbortController();
  const waiting = places.whenFree(patience.signal);
  patience.abort();
  await waiting;
  t.false(places.isFree);
});
