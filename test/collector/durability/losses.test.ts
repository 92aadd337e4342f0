import test, { type ExecutionContext } from 'ava';
import { DurableBench } from './durable-bench.ts';

/** An agent has reported, and a reader has taken; everything is committed. Gives a copy of the directory then, and goes on for a while. */
async function lived(options: Parameters<typeof DurableBench.open>[0] = {}) {
  const bench = await DurableBench.open(options);
  const [one, other] = [bench.agent(0), bench.agent(1)];
  bench.join(one);
  bench.join(other, 8);
  await bench.committed();
  const backup = bench.storage.files();
  for (const seed of [9, 10, 11]) {
    bench.report(one, seed);
    bench.report(other, seed);
    await bench.committed();
  }
  for (const agent of [one, other]) agent.lastAck = bench.place();
  return { bench, one, other, backup, before: bench.total('jobs.all'), passing: bench.passing('jobs') };
}

/** Both agents come back: what each holds is a baseline, once, and what it counts from then on counts. */
function goesOn(
  t: ExecutionContext,
  { bench, one, other, before, passing }: Awaited<ReturnType<typeof lived>>,
) {
  one.disconnect();
  other.disconnect();
  bench.join(one, 20);
  const afresh = bench.total('jobs.all');
  t.is(bench.side.opened.watch.losses, 1);
  t.is(afresh.value, 0);
  t.true(afresh.startUs > before.startUs, 'it begins anew');
  bench.report(one, 21);
  const counted = bench.total('jobs.all');
  t.true(counted.value > 0);
  bench.join(other, 22);
  t.deepEqual(bench.total('jobs.all'), counted, 'the other one tells what may have been shown');
  bench.report(other, 23);
  const later = bench.total('jobs.all');
  t.is(later.startUs, afresh.startUs, 'it begins anew once');
  t.true(later.value > counted.value);
  const now = bench.passing('jobs');
  for (const [key, { startUs, value }] of passing) {
    t.is(now.get(key)?.startUs, startUs);
    t.true(now.get(key)!.value >= value, 'what passes does not dip');
  }
  t.deepEqual(bench.unbalanced(), []);
  return later;
}

/** Over a restart of the same directory nothing begins anew again. */
async function staysSo(t: ExecutionContext, bench: DurableBench, shown: object): Promise<void> {
  await bench.committed();
  bench.kill();
  await bench.open();
  t.is(bench.side.opened.watch.losses, 0);
  t.deepEqual(bench.total('jobs.all'), shown);
  t.deepEqual(bench.unbalanced(), []);
  await bench.close();
}

for (const isStrangerFirst of [false, true])
  test(`a backup is restored, the first to return ${isStrangerFirst ? 'a stranger' : 'one that was told of more'}`, async (t) => {
    const life = await lived();
    const { bench, backup } = life;
    bench.kill(backup);
    await bench.open();
    t.is(bench.side.opened.watch.losses, 0, 'the directory shows nothing');
    if (isStrangerFirst) {
      const stranger = bench.agent(2);
      stranger.lastAck = { ...bench.place(), directoryId: Buffer.alloc(16, 9), term: Buffer.alloc(8, 9) };
      bench.join(stranger);
      t.is(bench.side.opened.watch.losses, 0, 'a place in another directory proves nothing');
      stranger.take({ do: 'cut', agent: 0 });
    }
    await staysSo(t, bench, goesOn(t, life));
  });

test('a backup of before the last opening: its term is not known', async (t) => {
  const life = await lived();
  const { bench, backup, one, other } = life;
  bench.kill();
  await bench.open();
  one.disconnect();
  other.disconnect();
  bench.join(one, 12);
  bench.join(other, 12);
  await bench.committed();
  for (const agent of [one, other]) agent.lastAck = bench.place();
  const before = bench.total('jobs.all');
  bench.kill(backup);
  await bench.open();
  await staysSo(t, bench, goesOn(t, { ...life, before, passing: bench.passing('jobs') }));
});

test('wrong bytes in the middle of the journal', async (t) => {
  const life = await lived();
  const { bench } = life;
  const files = bench.storage.files();
  const [name, bytes] = [...files].find(([name]) => name.startsWith('segment-'))!;
  bytes[bytes.length >> 1]! ^= 1;
  bench.kill(files);
  await bench.open();
  t.is(bench.side.opened.watch.losses, 1);
  t.true(bench.side.opened.report.damages.some(({ file }) => file === name));
  // What both agents were told of is beyond the end; that is the loss that was found.
  await staysSo(t, bench, goesOn(t, life));
});

for (const isCovered of [true, false])
  test(`a bit of the only checkpoint, and the journal before it is ${isCovered ? 'gone' : 'there'}`, async (t) => {
    const life = await lived({ journal: { segmentBytes: isCovered ? 2048 : 2 ** 20 } });
    const { bench, one } = life;
    t.true(await bench.checkpoint());
    bench.report(one, 12);
    one.lastAck = bench.place();
    await bench.committed();
    const before = bench.total('jobs.all');
    const files = bench.storage.files();
    const [name, bytes] = [...files].find(([file]) => file.startsWith('checkpoint-'))!;
    bytes[bytes.length >> 1]! ^= 1;
    bench.kill(files);
    await bench.open();
    t.true(bench.side.opened.report.damages.some(({ file }) => file === name));
    if (!isCovered) {
      await staysSo(t, bench, before);
      return;
    }
    t.is(bench.side.opened.watch.losses, 1);
    t.is(bench.total('jobs.all').value, 0);
    await staysSo(t, bench, goesOn(t, { ...life, before, passing: new Map() }));
  });

test('an agent that was told of more returns while an interval is half-read and a checkpoint half-written', async (t) => {
  const life = await lived();
  const { bench, one, other, backup } = life;
  bench.kill(backup);
  await bench.open();
  other.disconnect();
  const told = other.lastAck;
  other.lastAck = undefined;
  // This one has a stream by then, and what it holds is what was shown: it goes on.
  bench.join(other, 12);
  other.lastAck = told;
  const [, reader] = bench.side.readers;
  const interval = reader!.intervals!.collect(bench.nowUs);
  t.true(reader!.intervals!.isMaking);
  const written = bench.checkpoint();
  one.disconnect();
  bench.join(one, 13);
  t.false(reader!.intervals!.isMaking, 'it is read to its end before');
  t.true((await interval)!.requests.length > 1);
  await written;
  const { value, startUs } = bench.total('jobs.all');
  t.is(value, 0);
  bench.report(other, 14);
  const later = bench.total('jobs.all');
  t.true(later.value > 0, 'who is there counts on');
  t.is(later.startUs, startUs);
  await staysSo(t, bench, later);
});

test('services over OTLP: the next cumulative point is a baseline, a delta counts', async (t) => {
  const bench = await DurableBench.open();
  const cumulative = bench.sender(0);
  const delta = bench.sender(1);
  for (const seed of [1, 2, 3]) {
    cumulative(seed, false);
    delta(seed, true);
  }
  await bench.committed();
  const files = bench.storage.files();
  const [, bytes] = [...files].find(([name]) => name.startsWith('segment-'))!;
  const before = bench.total('jobs.all');
  t.true(before.value > 0);
  bytes[bytes.length - 40]! ^= 1;
  bench.side.journal.appendDecision(8, Buffer.from([0]));
  bench.kill(files);
  await bench.open();
  t.is(bench.total('jobs.all').value > before.value, false);
  if (bench.side.opened.watch.losses === 0) bench.side.opened.watch.found([Buffer.alloc(8, 1)], bench.nowUs);
  const afresh = bench.total('jobs.all');
  t.is(afresh.value, 0);
  cumulative(4, false);
  t.is(bench.total('jobs.all').value, 0);
  const amount = delta(5, true);
  t.is(bench.total('jobs.all').value, amount);
  const more = cumulative(6, false);
  t.is(bench.total('jobs.all').value, amount + more);
  t.deepEqual(bench.unbalanced(), []);
  await staysSo(t, bench, bench.total('jobs.all'));
});
