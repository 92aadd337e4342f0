import test from 'ava';
import { nextTurn } from '../../otel/turns.ts';

test('long work of several has one turn in each iteration of the event loop, in order', async (t) => {
  let iteration = 0;
  let isOver = false;
  const count = (): void => {
    iteration++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const turns: [worker: number, iteration: number][] = [];
  const work = async (worker: number): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      await nextTurn();
      turns.push([worker, iteration]);
    }
  };
  await Promise.all([work(1), work(2), work(3)]);
  isOver = true;
  t.deepEqual(
    turns.map(([worker]) => worker),
    Array.from({ length: 15 }, (_, i) => 1 + (i % 3)),
  );
  t.is(new Set(turns.map(([, at]) => at)).size, 15, 'no two turns in one iteration');
});
