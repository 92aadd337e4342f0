import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { attributeOf } from '../../../otel/model/attributes.ts';
import { batchesOf, PointBatch } from '../../../otel/state/point-batch.ts';
import { birthUs, Core } from '../../collector/core.ts';
import { view } from '../../collector/outputs/members.ts';
import { FakeClock } from '../fake-clock.ts';
import { keptCounter } from './kept-source.ts';
import { MemoryDisk } from './memory-storage.ts';
import { SimulatedAgent, type World } from './simulated-agent.ts';

function world(limits: { maxSeries?: number } = {}): World {
  const core = new Core({ views: [view({ name: 'total', resourceKeys: [] })], limits });
  core.nowUs = birthUs + 100_000_000;
  return { core, clock: new FakeClock(1_000_000), disk: new MemoryDisk(), merged: new Map() };
}

/** Merged totals by worker. */
function totals({ core }: World): Record<string, number> {
  const found: Record<string, number> = {};
  const batch = new PointBatch();
  for (const { scopes } of core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources)
    for (const { streams } of scopes)
      for (const stream of streams)
        for (const { size } of batchesOf(stream, batch))
          for (let i = 0; i < size; i++)
            found[String(attributeOf(batch.seriesAttributes[i]!.attributes, 'worker'))] = batch.values[i]!;
  return found;
}

/** So many seconds in which everything arrives and is written. */
async function goesOn({ core, clock }: World, agent: SimulatedAgent, seconds = 3): Promise<void> {
  agent.connect();
  for (let second = 0; second < seconds; second++) {
    agent.collect();
    for (let i = 0; i < 3; i++) {
      agent.storage.flush();
      await turn();
    }
    agent.deliver(1000);
    agent.acknowledge();
    clock.advance(1000);
    core.nowUs += 1_000_000;
  }
}

function start(t: ExecutionContext, w: World, run: number): SimulatedAgent {
  const agent = new SimulatedAgent(w, run);
  t.teardown(() => agent.cut());
  return agent;
}

function kill(agent: SimulatedAgent): void {
  agent.cut();
  agent.storage.kill();
}

/** The kernel's counter: it began ten seconds after the collector, and outlives agents. */
const kernel = (worker: string) => ({
  ...keptCounter(worker),
  epoch: { token: `boot/${worker}`, beganMs: 910_000 },
});

test('a kernel counter that fell goes on in its epoch when the agent is started again with its state file', async (t) => {
  const w = world();
  const first = start(t, w, 0);
  const cell = first.group.define(kernel('a'));
  first.group.setCounter(cell, 100);
  await goesOn(w, first);
  t.deepEqual(totals(w), { a: 100 });
  // What it shows at its first reading is set aside: nobody knows since when it counts.
  first.group.setCounter(cell, 4);
  await goesOn(w, first);
  first.group.setCounter(cell, 6);
  await goesOn(w, first);
  t.deepEqual(totals(w), { a: 102 });
  kill(first);
  const second = start(t, w, 1);
  const again = second.group.define(kernel('a'));
  second.group.setCounter(again, 10);
  await goesOn(w, second);
  t.deepEqual(totals(w), { a: 106 }, 'what it counted meanwhile is not set aside');
  t.is(w.core.counters.refusedSeries.epoch_old, 0);
  t.is(w.core.store.epochsOpened, 1);
});

test('without its state file the epoch is old; the counter opens a new one, and counts from its first value', async (t) => {
  const w = world();
  const first = start(t, w, 0);
  const cell = first.group.define(kernel('a'));
  first.group.setCounter(cell, 100);
  await goesOn(w, first);
  first.group.setCounter(cell, 4);
  await goesOn(w, first);
  kill(first);
  w.disk.content = undefined;
  const second = start(t, w, 1);
  const again = second.group.define(kernel('a'));
  second.group.setCounter(again, 10);
  await goesOn(w, second);
  t.is(w.core.counters.refusedSeries.epoch_old, 1);
  second.group.setCounter(again, 13);
  await goesOn(w, second);
  t.deepEqual(totals(w), { a: 103 });
});

test('refused for want of room, the limit raised, the agent started again: a counter starts at zero in a new epoch', async (t) => {
  const w = world({ maxSeries: 1 });
  const first = start(t, w, 0);
  const a = first.group.define(kernel('a'));
  const b = first.group.define(kernel('b'));
  first.group.setCounter(a, 5);
  first.group.setCounter(b, 33);
  await goesOn(w, first);
  t.is(first.leftOut, 1);
  t.deepEqual(totals(w), { a: 5 });
  kill(first);
  w.core.limits.maxSeries = 10;
  const second = start(t, w, 1);
  const aAgain = second.group.define(kernel('a'));
  const bAgain = second.group.define(kernel('b'));
  second.group.setCounter(aAgain, 6);
  second.group.setCounter(bAgain, 34);
  await goesOn(w, second);
  t.deepEqual(totals(w), { a: 6, b: 0 });
  second.group.setCounter(bAgain, 40);
  await goesOn(w, second);
  t.deepEqual(totals(w), { a: 6, b: 6 });
});

test('a counter of the agent that was refused is booked, and its next life counts', async (t) => {
  const w = world({ maxSeries: 1 });
  const first = start(t, w, 0);
  first.group.setCounter(first.group.define(keptCounter('a')), 5);
  first.group.setCounter(first.group.define(keptCounter('b')), 33);
  await goesOn(w, first);
  t.deepEqual(totals(w), { a: 5 });
  kill(first);
  w.core.limits.maxSeries = 10;
  const second = start(t, w, 1);
  t.deepEqual(second.state.notCounted.lines, [
    { metric: 'jobs.done', cause: 'refused', series: 1, amount: 33 },
  ]);
  second.group.setCounter(second.group.define(keptCounter('b')), 4);
  await goesOn(w, second);
  t.deepEqual(totals(w), { a: 5, b: 4 });
});

test('a counter that ended is freed by the collector once its end is acknowledged and written down', async (t) => {
  const w = world();
  const agent = start(t, w, 0);
  const cell = agent.group.define(keptCounter('a'));
  agent.group.setCounter(cell, 5);
  await goesOn(w, agent);
  agent.group.setCounter(cell, 8);
  agent.group.retire(cell, 'gone');
  agent.group.define(kernel('b'));
  await goesOn(w, agent, 5);
  t.is(agent.state.finals.size, 0);
  t.deepEqual(totals(w), { a: 8, b: 0 });
  w.core.wait(4000);
  t.is(w.core.store.seriesCount, 1);
  t.deepEqual(totals(w), { a: 8, b: 0 });
});

test('a week without a collector takes no more memory than a minute: what is held is as many series', async (t) => {
  const w = world();
  const agent = start(t, w, 0);
  const cells = Array.from({ length: 20 }, (_, i) => agent.group.define(keptCounter(`w${i}`)));
  const fixed = agent.group.define(kernel('k'));
  const sizes = () => {
    const { kept, finals } = agent.state.status();
    return { kept, finals, cells: agent.group.cells, bytes: Buffer.byteLength(w.disk.content ?? '') };
  };
  let counted = 0;
  const day = async (): Promise<void> => {
    // Every 1,728th second of a day is looked at; a source begins one of its counters anew every time.
    for (let sample = 0; sample < 50; sample++) {
      for (const [i, cell] of cells.entries())
        agent.group.setCounter(cell, agent.group.values[cell]! + i + 1);
      agent.group.setCounter(fixed, agent.group.values[fixed]! + 1);
      counted += 210;
      agent.group.retire(cells[sample % 20]!, 'gone');
      cells[sample % 20] = agent.group.define(keptCounter(`w${sample % 20}`));
      w.clock.advance(1_728_000);
      w.core.nowUs += 1_728_000_000;
      agent.collect();
      agent.storage.flush();
      await turn();
    }
  };
  await day();
  const after = sizes();
  t.like(after, { kept: 20, finals: 20, cells: 21 });
  for (let n = 0; n < 6; n++) await day();
  const { bytes, ...counts } = sizes();
  t.like(after, counts);
  t.true(bytes < after.bytes * 1.1, `${after.bytes} bytes after a day, ${bytes} after a week`);
  await goesOn(w, agent, 6);
  const { k, ...rest } = totals(w);
  t.is(k, 350);
  t.is(
    Object.values(rest).reduce((sum, value) => sum + value, 0),
    counted,
  );
});

test('what a collector shows of a counter goes forward in time only, however late the final state of an earlier run is told', async (t) => {
  const core = new Core({ views: [view({ name: 'own' })] });
  core.nowUs = birthUs + 100_000_000;
  const w: World = { core, clock: new FakeClock(1_000_000), disk: new MemoryDisk(), merged: new Map() };
  const shown: { timeUs: number; value: number }[] = [];
  const look = (): void => {
    const batch = new PointBatch();
    for (const { scopes } of core.outputs.collect(core.outputs.passerBy(), core.nowUs).resources)
      for (const { streams } of scopes)
        for (const stream of streams)
          for (const { size } of batchesOf(stream, batch))
            for (let i = 0; i < size; i++)
              if (attributeOf(batch.seriesAttributes[i]!.attributes, 'worker') === 'a')
                shown.push({ timeUs: batch.timeUs[i]!, value: batch.values[i]! });
  };
  const first = start(t, w, 0);
  first.source.count('a', 5);
  await goesOn(w, first);
  look();
  // What is counted without a connection comes into the file.
  first.cut();
  first.source.count('a', 2);
  for (let i = 0; i < 4; i++) {
    first.collect();
    w.clock.advance(1000);
    core.nowUs += 1_000_000;
    first.storage.flush();
    await turn();
  }
  kill(first);

  const second = start(t, w, 1);
  second.group.define(kernel('b'));
  second.source.count('c', 1);
  second.connect();
  // Its file does not say yet that collectors may know of its own counter, so it tells what is the kernel's and nothing else.
  for (let i = 0; i < 3; i++) {
    w.clock.advance(1000);
    core.nowUs += 1_000_000;
    second.collect();
    second.deliver(1000);
    look();
  }
  await goesOn(w, second);
  look();
  t.is(shown.at(-1)!.value, 7, 'the final state is told');
  t.true(shown.filter(({ value }) => value === 5).length > 1, 'it was not told at first');
  for (const [i, { timeUs }] of shown.entries())
    if (i > 0) t.true(timeUs >= shown[i - 1]!.timeUs, `point ${i}: ${timeUs} after ${shown[i - 1]!.timeUs}`);
});
