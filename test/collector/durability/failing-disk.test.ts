import test, { type ExecutionContext } from 'ava';
import { failure } from '../journal/memory-storage.ts';
import { DurableBench } from './durable-bench.ts';

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`after 10 s still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const maxPendingBytes = 20_000;

interface Trouble {
  /** The disk takes nothing from here on. */
  begin(bench: DurableBench): void;
  end(bench: DurableBench): void;
}

const troubles: Record<string, Trouble> = {
  'a full disk': {
    begin: ({ storage }) => {
      const used = [...storage.files().values()].reduce((sum, { length }) => sum + length, 0);
      storage.capacity = used + 10;
    },
    end: ({ storage }) => {
      storage.capacity = Number.POSITIVE_INFINITY;
    },
  },
  'a disk whose syncs fail': {
    begin: ({ storage }) => {
      storage.fault = (call) => {
        if (call === 'sync') throw failure('EIO');
        return undefined;
      };
    },
    end: ({ storage }) => {
      storage.fault = undefined;
    },
  },
};

for (const [name, trouble] of Object.entries(troubles))
  test(`${name}: nothing is told, nothing leaves, what is over the bound is turned away, and all is well afterwards`, async (t) => {
    const bench = await DurableBench.open({ journal: { maxPendingBytes } });
    const [one, other] = [bench.agent(0), bench.agent(1)];
    bench.join(one);
    bench.join(other);
    await bench.committed();
    await until('both to be welcomed', () => bench.heard.length >= 2);
    trouble.begin(bench);
    bench.report(one, 8);
    const [, reader] = bench.side.readers;
    const interval = reader!.intervals!.collect(bench.nowUs);
    // Acknowledgements are due after a while.
    const told = bench.heard.length;
    await until('the disk to fail', () => bench.side.storage.failure !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 60));
    t.is(bench.heard.length, told, 'nothing is acknowledged');
    t.false((await interval)!.commit.isDone, 'nothing leaves');
    t.false(bench.side.storage.isCongested);
    const before = await goOnUntilTurnedAway(t, bench, one);
    t.true(bench.side.storage.isCongested);
    t.deepEqual(bench.ends, ['overloaded']);
    t.is(bench.side.sessions.size, 1, 'the other one has its stream');
    t.deepEqual(bench.total('jobs.all'), before, 'what was turned away is not applied');
    t.is(bench.heard.length, told);
    trouble.end(bench);
    await bench.side.storage.drained();
    await bench.committed();
    await until('nothing to fail', () => bench.side.storage.failure === undefined);
    t.true((await interval)!.commit.isDone);
    one.disconnect();
    bench.join(one, 99);
    bench.report(other, 99);
    await bench.committed();
    await until('both to be told', () =>
      [one, other].every((agent) =>
        bench.heard.slice(told).some((one) => one.agent === agent && one.message.type === 'ack'),
      ),
    );
    t.deepEqual(bench.unbalanced(), []);
    const shown = bench.total('jobs.all');
    t.true(shown.value > before.value);
    bench.kill();
    await bench.open();
    t.is(bench.side.opened.watch.losses, 0);
    t.deepEqual(bench.total('jobs.all'), shown);
    await bench.close();
  });

/** Reports until a stream ends. Gives what is shown of all that was taken. */
async function goOnUntilTurnedAway(
  t: ExecutionContext,
  bench: DurableBench,
  agent: ReturnType<DurableBench['agent']>,
) {
  let before = bench.total('jobs.all');
  for (let seed = 9; bench.ends.length === 0; seed++) {
    if (seed > 5000) throw new Error('it is never turned away');
    before = bench.total('jobs.all');
    // One group at a time, so that nothing of what is turned away was taken.
    bench.nowUs += 1_000_000;
    agent.take({ do: 'report', agent: 0, group: 0, seed, without: -1 });
    if (seed % 50 === 0) await turns(1);
  }
  t.true(
    bench.side.journal.status.pendingBytes <= maxPendingBytes + 1000,
    'the bound holds but for what was decided',
  );
  return before;
}

test('a killed process loses what was not committed, which nobody was told of', async (t) => {
  const bench = await DurableBench.open({ journal: { maxPendingBytes } });
  const agent = bench.agent(0);
  bench.join(agent);
  await bench.committed();
  const committed = bench.total('jobs.all');
  troubles['a full disk']!.begin(bench);
  bench.report(agent, 8);
  t.true(bench.total('jobs.all').value > committed.value);
  await until('the disk to fail', () => bench.side.storage.failure !== undefined);
  agent.lastAck = { ...bench.place(), journalPosition: bench.side.journal.committedPosition };
  bench.kill();
  await bench.open();
  t.deepEqual(bench.total('jobs.all'), committed);
  agent.disconnect();
  bench.join(agent, 9);
  t.is(bench.side.opened.watch.losses, 0, 'nothing that was told is missing');
  t.is(bench.total('jobs.all').startUs, committed.startUs);
  t.true(bench.total('jobs.all').value > committed.value, 'the agent had it still');
  await bench.close();
});
