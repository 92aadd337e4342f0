import test from 'ava';
import { FairQueue } from '../../../collector/receivers/fair-queue.ts';

test('a few jobs run at a time; those that wait have their turns client by client; a failure gives its place back', async (t) => {
  const queue = new FairQueue(2);
  const order: string[] = [];
  let running = 0;
  let most = 0;
  const job =
    (name: string, fails = false) =>
    async () => {
      most = Math.max(most, ++running);
      order.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (fails) throw new Error(name);
      return name;
    };
  const jobs = [0, 1, 2, 3, 4, 5].map((i) => queue.run('a', job(`a${i}`, i === 1)));
  jobs.push(queue.run('b', job('b0')), queue.run('c', job('c0')));
  const results = await Promise.allSettled(jobs);
  t.is(most, 2);
  t.deepEqual(order, ['a0', 'a1', 'a2', 'b0', 'c0', 'a3', 'a4', 'a5']);
  t.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
  t.is(await queue.run('a', job('later')), 'later');
});
