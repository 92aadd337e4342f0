import test from 'ava';
import { Session } from '../../../collector/sessions/session.ts';
import { DurableBench } from './durable-bench.ts';

test('a record that cannot be applied is cut off once, with what is behind it, and said; what was before is there', async (t) => {
  const bench = await DurableBench.open();
  const agent = bench.agent(0);
  bench.join(agent);
  await bench.committed();
  const before = bench.total('jobs.all');
  t.true(before.value > 0);
  bench.side.journal.appendDecision(99, Buffer.from('planted'));
  bench.report(agent, 8);
  await bench.committed();
  t.true(bench.total('jobs.all').value > before.value);
  bench.kill();

  await bench.open();
  const { report, watch } = bench.side.opened;
  t.is(watch.losses, 1);
  t.deepEqual(
    report.damages.map(({ kind, losesAcknowledged }) => [kind, losesAcknowledged]),
    [['unusable', true]],
  );
  t.true([...bench.storage.files().keys()].some((name) => name.startsWith('damaged/segment-')));
  t.true(bench.side.log.entries.some(({ message }) => message.includes('cannot be applied')));
  const afresh = bench.total('jobs.all');
  t.is(afresh.value, 0);
  t.true(afresh.startUs > before.startUs);
  // The agent comes back: what it holds is a baseline, and what it counts from then on counts.
  agent.disconnect();
  bench.join(agent, 9);
  t.is(bench.total('jobs.all').value, 0);
  bench.report(agent, 10);
  const { value, startUs } = bench.total('jobs.all');
  t.true(value > 0);
  t.is(startUs, afresh.startUs);
  await bench.committed();
  bench.kill();

  await bench.open();
  t.is(bench.side.opened.watch.losses, 0, 'it is not met again');
  t.deepEqual(bench.side.opened.report.damages, []);
  t.deepEqual(bench.total('jobs.all'), { value, startUs });
  t.deepEqual(bench.unbalanced(), []);
  await bench.close();
});

test('one in the very first commit leaves an empty state, and the collector starts', async (t) => {
  const bench = await DurableBench.open();
  bench.side.journal.appendDecision(99, Buffer.from('planted'));
  await bench.committed();
  bench.kill();
  await bench.open();
  t.is(bench.side.opened.watch.losses, 1);
  const agent = bench.agent(0);
  bench.join(agent);
  bench.report(agent, 8);
  await bench.committed();
  const shown = bench.total('jobs.all');
  bench.kill();
  await bench.open();
  t.is(bench.side.opened.watch.losses, 0);
  t.deepEqual(bench.total('jobs.all'), shown);
  await bench.close();
});

test('behind a checkpoint, too, in the commit that the checkpoint lies in', async (t) => {
  // Commits wait for more, so that the checkpoint's position is within one.
  const bench = await DurableBench.open({ journal: { gatherMs: 100 } });
  const agent = bench.agent(0);
  bench.join(agent);
  await bench.committed();
  const { durable } = bench.side.opened;
  const { journal } = durable;
  const write = durable.writeCheckpoint.bind(durable);
  durable.writeCheckpoint = (position, ...rest) => {
    t.is(position, journal.position);
    t.true(position > journal.committedPosition);
    journal.appendDecision(99, Buffer.from('planted'));
    return write(position, ...rest);
  };
  bench.report(agent, 8);
  t.true(await bench.checkpoint());
  await bench.committed();
  bench.kill();
  for (const losses of [1, 0]) {
    await bench.open({ journal: {} });
    t.is(bench.side.opened.watch.losses, losses);
    t.is(bench.side.state.store.members.size, 1);
    await bench.committed();
    bench.kill();
  }
});

test.serial(
  'a message that fails here and did not then costs what its own stream said, and is a loss once',
  async (t) => {
    const bench = await DurableBench.open();
    const [one, other] = [bench.agent(0), bench.agent(1)];
    bench.join(one);
    bench.join(other);
    bench.report(one, 8);
    bench.report(other, 8);
    await bench.committed();
    bench.kill();
    const { receive } = Session.prototype;
    let fails = 0;
    Session.prototype.receive = function (this: Session, bytes: Buffer) {
      // The first report of the first stream.
      if (this.number === 1 && this.state === 'open' && ++fails === 2) throw new Error('planted');
      receive.call(this, bytes);
    };
    try {
      await bench.open();
      t.is(bench.side.opened.watch.losses, 1);
      t.deepEqual(bench.side.opened.report.damages, []);
      t.is(bench.side.state.store.members.size, 2);
      await bench.committed();
      bench.kill();
      fails = 0;
      await bench.open();
      t.is(bench.side.opened.watch.losses, 0, 'it was acted upon');
    } finally {
      Session.prototype.receive = receive;
    }
    await bench.close();
  },
);
